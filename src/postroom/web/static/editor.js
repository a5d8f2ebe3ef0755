/* The editor of a draft: saves itself one at a time, loses no typed text, inserts fields at the cursor. */
(() => {
  "use strict";
  const $ = (s, el = document) => el.querySelector(s), $$ = (s, el = document) => [...el.querySelectorAll(s)];
  addEventListener("DOMContentLoaded", () => {
    const form = $("[data-editor]"); if (!form) return;
    let last = $("#id_html"), timer, dirty = false, busy = false, leaving = false, waiting = null;

    // what is typed is kept in this tab until it is saved: a lost session, a reload or a dead line takes nothing
    const place = `pr-draft-${form.dataset.editor}`, kept = (form.dataset.kept || "name subject html text").split(" ");
    const values = () => Object.fromEntries(kept.map((name) => [name, form.elements[name].value]));
    const same = (a, b) => kept.every((name) => a[name].replace(/\s+/g, " ").trim() === b[name].replace(/\s+/g, " ").trim());
    const keep = () => { try { sessionStorage.setItem(place, JSON.stringify({ version: form.elements.version.value, values: values() })); } catch { /* full or forbidden */ } };
    const forget = () => { try { sessionStorage.removeItem(place); } catch { /* forbidden */ } };
    const restore = () => {
      let held = null;
      try { held = JSON.parse(sessionStorage.getItem(place)); } catch { /* not ours */ }
      if (form.hasAttribute("data-typed")) { dirty = true; return keep(); }  // the page already shows what was typed
      if (!held || same(held.values, values())) return forget();
      kept.forEach((name) => { form.elements[name].value = held.values[name]; });
      form.elements.version.value = held.version;  // if somebody saved meanwhile, both texts are shown
      $("#pr-restored").hidden = false; later();
    };

    const save = () => { clearTimeout(timer); if (dirty && !busy && window.htmx) { dirty = false; busy = true; htmx.trigger(form, "pr:autosave"); } };
    const later = () => { dirty = true; keep(); clearTimeout(timer); timer = setTimeout(save, 1200); };
    form.addEventListener("input", later);  // "change" would come once more for saved text, as the start dialog takes the focus
    addEventListener("beforeunload", (event) => { if ((dirty || busy) && !leaving) event.preventDefault(); });
    document.body.addEventListener("htmx:beforeSwap", (event) => {  // a whole page of trouble is no preview
      if (event.detail.requestConfig?.elt === form && event.detail.xhr.status >= 400) event.detail.shouldSwap = false;
    });
    document.body.addEventListener("htmx:oobBeforeSwap", (event) => {  // an open dialog stays, and its form with it
      if ($("dialog[open]", event.detail.target)) event.detail.shouldSwap = false;
    });
    document.body.addEventListener("htmx:afterRequest", (event) => {
      if (event.detail.elt !== form) return;
      busy = false;
      const saved = event.detail.xhr?.getResponseHeader("X-Saved"), next = waiting; waiting = null;
      if (event.detail.xhr?.getResponseHeader("HX-Redirect")) leaving = true;
      if (!saved) { if (!leaving && event.detail.xhr?.status !== 200) $("#pr-saved").textContent = form.dataset.lost; return; }
      if (dirty) { timer = setTimeout(save, 1200); if (next) { waiting = next; save(); } return; }
      forget(); next?.();
    });

    // what acts on the stored draft waits until the typed one is stored
    const first = (event, go) => {
      if (!dirty && !busy) return false;
      event.preventDefault(); event.stopImmediatePropagation(); waiting = go; save(); return true;
    };
    document.addEventListener("submit", (event) => {
      const other = event.target, by = event.submitter;
      if (other === form ? busy && first(event, () => form.requestSubmit(by)) : other.matches("[data-save-first]") && first(event, () => other.requestSubmit(by || undefined))) return;
      if (other === form || other.matches("[data-save-first], [data-drop]")) { leaving = true; clearTimeout(timer); }
      if (other.matches("[data-drop]")) forget();
    }, true);
    document.addEventListener("click", (event) => {
      const opener = event.target.closest('[data-dialog="start"]');
      if (opener) first(event, () => $('[data-dialog="start"]').click());
      if (event.target.closest("a[data-drop]")) { leaving = true; forget(); }
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
        field.closest("[popover]")?.hidePopover();
        put(instead ? `{{ ${field.dataset.field} | default: "${instead}" }}` : `{{ ${field.dataset.field} }}`);
        $("[data-fallback]").value = "";
      }
      if (wrap) { if (last.id !== "id_html") show("html"); put(...WRAPS[wrap.dataset.wrap]); }
      if (tab) show(tab.dataset.tab);
    });
    const show = (name) => {
      $$("[data-tab]").forEach((one) => one.setAttribute("aria-pressed", one.dataset.tab === name));
      $$("[data-pane]").forEach((pane) => { pane.hidden = pane.dataset.pane !== name; });
      last = $(`[data-pane="${name}"]`); last.focus();
    };
    // finding a field: the picker's own inputs are no part of the draft
    $("#pr-fields")?.addEventListener("input", (event) => {
      event.stopPropagation();
      if (!event.target.matches("[data-find-field]")) return;
      const words = event.target.value.trim().toLowerCase();
      $$("#pr-fields [data-field]").forEach((one) => { one.hidden = !one.textContent.toLowerCase().includes(words); });
      $$("#pr-fields .pr-poph").forEach((head) => { let el = head.nextElementSibling, any = false; while (el?.matches("[data-field]")) { any ||= !el.hidden; el = el.nextElementSibling; } head.hidden = !any; });
    });
    $("#pr-fields")?.addEventListener("change", (event) => event.stopPropagation());
    $("#pr-fields")?.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !event.target.matches("input")) return;
      event.preventDefault(); $$("#pr-fields [data-field]").find((one) => !one.hidden)?.click();
    });
    restore();
    if ($("[data-start-now]")) $("#start").showModal();
  });
})();
