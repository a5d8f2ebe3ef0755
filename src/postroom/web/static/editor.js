/* The editor of a draft: saves itself, inserts fields at the cursor, wraps the selection. */
(() => {
  "use strict";
  const $ = (s, el = document) => el.querySelector(s), $$ = (s, el = document) => [...el.querySelectorAll(s)];
  addEventListener("DOMContentLoaded", () => {
    const form = $("[data-editor]"); if (!form) return;
    let last = $("#id_html"), timer, dirty = false;

    const save = () => { clearTimeout(timer); if (dirty && window.htmx) { dirty = false; htmx.trigger(form, "pr:autosave"); } };
    const later = () => { dirty = true; clearTimeout(timer); timer = setTimeout(save, 1200); };
    form.addEventListener("input", later);
    form.addEventListener("change", later);
    form.addEventListener("submit", () => { dirty = false; clearTimeout(timer); });
    addEventListener("beforeunload", (event) => { if (dirty) event.preventDefault(); });

    // other forms of the page act on what is stored: save first
    document.addEventListener("submit", (event) => {
      const other = event.target;
      if (!other.matches("[data-save-first]") || other.dataset.saved || !dirty) return;
      event.preventDefault(); event.stopImmediatePropagation();
      const go = () => { other.dataset.saved = "1"; other.requestSubmit(event.submitter || undefined); };
      document.body.addEventListener("htmx:afterRequest", go, { once: true });
      save();
    }, true);

    // fields go to where the cursor was
    $$("[data-insert]").forEach((el) => el.addEventListener("focus", () => { last = el; }));
    const put = (before, after = "") => {
      const from = last.selectionStart ?? last.value.length, to = last.selectionEnd ?? from, chosen = last.value.slice(from, to);
      last.focus(); last.setRangeText(before + chosen + after, from, to, "end");
      if (after && !chosen) last.selectionStart = last.selectionEnd = from + before.length;
      last.dispatchEvent(new Event("input", { bubbles: true }));
    };
    const WRAPS = { b: ["<b>", "</b>"], i: ["<i>", "</i>"], a: ['<a href="https://">', "</a>"], li: ["<ul>\n<li>", "</li>\n</ul>"] };
    document.addEventListener("click", (event) => {
      const field = event.target.closest("[data-field]"), wrap = event.target.closest("[data-wrap]"), tab = event.target.closest("[data-tab]");
      if (field) {
        const instead = ($("[data-fallback]")?.value || "").replaceAll('"', "'").trim();
        put(instead ? `{{ ${field.dataset.field} | default: "${instead}" }}` : `{{ ${field.dataset.field} }}`);
        field.closest("[popover]")?.hidePopover();
      }
      if (wrap) { if (last.id === "id_subject") last = $("#id_html"); put(...WRAPS[wrap.dataset.wrap]); }
      if (tab) {
        $$("[data-tab]").forEach((one) => one.setAttribute("aria-selected", one === tab));
        $$("[data-pane]").forEach((pane) => { pane.hidden = pane.dataset.pane !== tab.dataset.tab; });
        last = $(`[data-pane="${tab.dataset.tab}"]`); last.focus();
      }
    });
  });
})();
