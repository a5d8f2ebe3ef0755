/* A campaign on its way: the rate, the panel of a recipient, and blocks that renew themselves under the hands of a reader. */
(() => {
  "use strict";
  const $ = (s, el = document) => el.querySelector(s), $$ = (s, el = document) => [...el.querySelectorAll(s)];
  // <svg data-points="12,30,28">: messages a minute
  const draw = () => $$("svg[data-points]").forEach((svg) => {
    const values = svg.dataset.points.split(",").map(Number), most = Math.max(...values, 1), step = 100 / Math.max(values.length - 1, 1);
    const line = values.map((v, n) => `${(n * step).toFixed(2)},${(38 - 34 * v / most).toFixed(2)}`).join(" ");
    svg.setAttribute("viewBox", "0 0 100 40");
    svg.innerHTML = `<polygon points="0,40 ${line} 100,40" fill="currentColor" opacity=".1"/><polyline points="${line}" fill="none" stroke="currentColor" stroke-width="1.5" vector-effect="non-scaling-stroke"/>`;
  });
  // what a thing is known by when its block is drawn anew
  const name = (el) => el.getAttribute("href") || el.getAttribute("popovertarget") || el.closest("form")?.getAttribute("action") || "";
  let held = null, gridAt = 0, gridTimer = 0, hint = "";

  const mark = (path) => $$(".pr-people tr[data-href]").forEach((row) => {
    if (path && row.dataset.href === path) row.setAttribute("aria-selected", "true"); else row.removeAttribute("aria-selected");
  });
  // the rows follow the figures, unless somebody is busy among them
  const renewGrid = () => {
    const grid = $("#pr-grid"), wait = gridAt + 8000 - Date.now();
    if (!grid) return;
    clearTimeout(gridTimer);
    // the last change must show too: put off, not left out
    if (wait > 0) { gridTimer = setTimeout(renewGrid, wait); return; }
    if (grid.contains(document.activeElement) || $(":popover-open", grid) || $("dialog[open]") || getSelection().toString()) { gridTimer = setTimeout(renewGrid, 4000); return; }
    gridAt = Date.now(); htmx.ajax("GET", location.pathname + location.search, { target: "#pr-grid", swap: "innerHTML" });
  };

  addEventListener("DOMContentLoaded", () => {
    const panel = $("#pr-panel"); hint = panel?.matches(".pr-detail") ? panel.innerHTML : "";
    draw();
    const body = document.body;
    body.addEventListener("htmx:afterSettle", draw);
    body.addEventListener("htmx:beforeSwap", (event) => {
      const block = event.detail.target, at = document.activeElement;
      if (block.matches?.("[data-poll], #pr-grid")) held = block.contains(at) && name(at) ? [block.id, at.tagName, name(at)] : null;
    });
    body.addEventListener("htmx:afterSwap", (event) => {
      if (held) { const [id, tag, key] = held; held = null; $$(tag, document.getElementById(id) || document).find((el) => name(el) === key)?.focus({ preventScroll: true }); }
      if (event.detail.target?.id === "pr-panel") { panel.dataset.at = event.detail.pathInfo.requestPath; mark(panel.dataset.at); }
      if (event.detail.target?.id === "pr-grid") mark(panel?.dataset.at);
      if (event.detail.target?.id === "pr-live") renewGrid();
    });
    // where there is no room for the panel, a recipient is a page of its own
    body.addEventListener("htmx:beforeRequest", (event) => {
      if (event.detail.target === panel && panel.matches(".pr-detail") && !panel.offsetParent) { event.preventDefault(); location.assign(event.detail.elt.href); }
    });
    document.addEventListener("click", (event) => {
      if (event.target.closest("[data-panel-close]") && hint) { event.preventDefault(); panel.innerHTML = hint; delete panel.dataset.at; $(".pr-people tr[aria-selected] a")?.focus(); return mark(""); }
      const row = event.target.closest(".pr-people tr[data-href]");  // a whole row opens the panel
      if (row && !event.target.closest("a, button, form")) { event.stopImmediatePropagation(); if (!getSelection().toString()) $("[data-panel]", row).click(); }
    }, true);
  });
})();
