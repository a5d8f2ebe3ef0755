/* Draws the rate of a campaign: <svg data-points="12,30,28">; the panel of a recipient opens beside the grid. */
(() => {
  "use strict";
  const draw = () => document.querySelectorAll("svg[data-points]").forEach((svg) => {
    const values = svg.dataset.points.split(",").map(Number), most = Math.max(...values, 1), step = 100 / Math.max(values.length - 1, 1);
    const line = values.map((v, n) => `${(n * step).toFixed(2)},${(38 - 34 * v / most).toFixed(2)}`).join(" ");
    svg.setAttribute("viewBox", "0 0 100 40");
    svg.innerHTML = `<polyline points="0,40 ${line} 100,40" fill="currentColor" opacity=".12"/><polyline points="${line}" fill="none" stroke="currentColor" stroke-width="1.5" vector-effect="non-scaling-stroke"/>`;
  });
  addEventListener("DOMContentLoaded", () => {
    draw();
    document.body.addEventListener("htmx:afterSettle", draw);
    // where there is no room for the panel, a recipient is a page of its own
    document.body.addEventListener("htmx:beforeRequest", (event) => {
      const el = event.detail.elt, panel = document.getElementById("pr-panel");
      if (event.detail.target === panel && panel.matches(".pr-detail") && !panel.offsetParent) { event.preventDefault(); location.assign(el.href); }
    });
    document.body.addEventListener("click", (event) => {
      const row = event.target.closest(".pr-people tr[data-href]");
      if (row) { document.querySelectorAll(".pr-people tr[aria-selected]").forEach((one) => one.removeAttribute("aria-selected")); row.setAttribute("aria-selected", "true"); }
    });
    document.addEventListener("click", (event) => {  // a whole row opens the panel
      const row = event.target.closest(".pr-people tr[data-href]");
      if (row && !event.target.closest("a, button, form") && !getSelection().toString()) { event.stopImmediatePropagation(); row.querySelector("[data-panel]").click(); }
    }, true);
  });
})();
