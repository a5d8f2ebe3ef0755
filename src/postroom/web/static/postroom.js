/* Theme, dialogs, menus, toasts, polling, keys. No framework; the pages work without it but for live figures. */
(() => {
  "use strict";
  const root = document.documentElement, $ = (s, el = document) => el.querySelector(s), $$ = (s, el = document) => [...el.querySelectorAll(s)];

  // theme: before anything is drawn
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const theme = () => { if (root.dataset.theme === "auto") root.dataset.bsTheme = dark.matches ? "dark" : "light"; };
  theme(); dark.addEventListener("change", theme);
  root.classList.add("pr-js");

  // said once to screen readers
  const say = (text) => { const box = $("#pr-status"); if (box && box.textContent !== text) box.textContent = text; };

  // toasts: 10 s, waiting while hovered or focused
  const arm = (toast) => {
    let left = 10, timer = setInterval(() => {
      if (toast.matches(":hover") || toast.contains(document.activeElement) || document.hidden) return;
      if (--left <= 0) { clearInterval(timer); toast.remove(); }
    }, 1000);
  };
  const toast = (text, undo) => {
    const made = $("#pr-toast-template").content.firstElementChild.cloneNode(true), form = $("form", made);
    $("span", made).textContent = text;
    if (undo) form.action = undo; else form.remove();
    $("#pr-toasts").replaceChildren(made); arm(made);
  };

  // blocks that renew themselves: 2 s, 10 s when nothing moved, not at all while hidden
  const slow = new Map();
  const poll = (el) => {
    clearTimeout(slow.get(el.id)?.timer);
    const wait = slow.get(el.id)?.wait === 0 ? 0 : Number(el.dataset.poll) || (slow.get(el.id)?.wait ?? 2000);
    slow.set(el.id, { wait, el, timer: setTimeout(() => { slow.set(el.id, { wait }); if (document.hidden || !el.isConnected || !window.htmx) return; if ($(":popover-open", el)) return poll(el); htmx.trigger(el, "pr:poll"); }, wait) });
  };
  const pollAll = () => $$("[data-poll]").forEach((el) => { const waits = slow.get(el.id); if (!waits?.timer || waits.el !== el) poll(el); });  // who waits already goes on waiting
  const spoken = {};
  const speak = () => $$("[data-speak]").forEach((el) => {
    const before = spoken[el.id]; spoken[el.id] = el.dataset.speak;
    if (before !== undefined && before !== el.dataset.speak) say(el.textContent.trim());
  });

  const open = (id) => {
    const box = document.getElementById(id); if (!box || box.open) return;
    $$("[data-works]", box).forEach((el) => { el.hidden = !$(el.dataset.works); });  // keys that do something on this page
    box.showModal();
  };

  // the menu of a row opens below its button, inside the window
  document.addEventListener("toggle", (event) => {
    const box = event.target;
    if (!box.matches?.(".pr-menu") || event.newState !== "open") return;
    const button = $(`[popovertarget="${box.id}"]`).getBoundingClientRect(), size = box.getBoundingClientRect();
    const below = button.bottom + 4 + size.height <= innerHeight;
    box.style.top = `${Math.max(4, below ? button.bottom + 4 : button.top - 4 - size.height)}px`;
    const side = button.left < innerWidth / 2 ? button.left : button.right - size.width;
    box.style.left = `${Math.max(8, Math.min(side, innerWidth - size.width - 8))}px`;
  }, true);
  addEventListener("scroll", () => $$(".pr-menu:popover-open").forEach((box) => box.hidePopover()), true);

  document.addEventListener("click", (event) => {
    const at = event.target;
    const opener = at.closest("[data-dialog]");
    if (opener) { event.preventDefault(); at.closest(".pr-menu")?.hidePopover(); return open(opener.dataset.dialog); }
    if (at.closest("[data-close]")) return at.closest("dialog")?.close();
    if (at.matches("dialog")) {  // a click beside it
      const box = at.getBoundingClientRect();
      if (event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom) at.close();
      return;
    }
    const act = at.closest("[data-act]")?.dataset.act;
    if (act === "find") find();
    if (act === "back") history.back();
    if (act === "copy") navigator.clipboard?.writeText(at.closest("[data-act]").dataset.text).then(() => toast(at.closest("[data-act]").dataset.done));
    const go = at.closest("[data-go]");  // one step of a wizard: on only when this step is right
    if (go) {
      const form = go.form, step = go.closest("[data-step]"), to = go.dataset.go;
      if (to > step.dataset.step && !$$("input, select", step).every((el) => el.reportValidity())) return;
      form.dataset.steps = to;
      $$("[data-mark]", form).forEach((mark) => {
        mark.classList.toggle("is-done", mark.dataset.mark < to);
        if (mark.dataset.mark === to) mark.setAttribute("aria-current", "step"); else mark.removeAttribute("aria-current");
      });
      scrollTo(0, 0); $("input:not([type=hidden]), select", $(`[data-step="${to}"]`, form))?.focus();
      return;
    }
    const tick = at.closest("[data-tick]");
    if (tick) { const box = document.getElementById(tick.dataset.tick); if (box && !box.checked) box.click(); box?.focus(); return; }
    if (at.closest("[data-toast-close]")) at.closest("[data-toast]").remove();
    const row = at.closest("[data-href]");  // a whole row opens
    if (row && !at.closest("a, button, input, label, select, form") && !getSelection().toString()) location.assign(row.dataset.href);
  });

  // a form is sent once, a changed select with data-submit sends its form
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "1"; setTimeout(() => delete form.dataset.sent, 4000);
  });
  document.addEventListener("change", (event) => {
    const at = event.target;
    if (at.matches("[data-submit]")) at.form.requestSubmit();
    if (at.dataset?.all) { $$(at.dataset.all).forEach((box) => { box.checked = at.checked; }); document.dispatchEvent(new Event("pr:selection")); }
    if (at.name) follow(at);
    if (at.matches("tbody input[type=checkbox]")) at.closest("tr")?.setAttribute("aria-selected", at.checked);
  });

  // ports follow the choice of encryption until somebody typed one: <input data-port-of="imap_security" data-ports='{"tls": 993}'>
  const follow = (at) => {
    $$(`[data-port-of="${CSS.escape(at.name)}"]`).forEach((port) => {
      const known = JSON.parse(port.dataset.ports);
      if (at.checked && known[at.value] && Object.values(known).map(String).concat("").includes(port.value) && !port.dataset.touched) port.value = known[at.value];
    });
    warnPorts();
    $$(`[data-shown-by="${CSS.escape(at.name)}"]`).forEach((el) => {
      if (at.type !== "radio" || at.checked) el.hidden = !el.dataset.shownWhen.split(" ").includes(at.type === "checkbox" ? String(at.checked) : at.value);
    });
  };
  const warnPorts = () => $$("[data-port-of]").forEach((port) => {
    const odd = JSON.parse(port.dataset.odd || "{}"), chosen = $(`input[name="${CSS.escape(port.dataset.portOf)}"]:checked`)?.value;
    const box = document.getElementById(`${port.id}-odd`);
    if (box) box.hidden = !(odd[chosen] || []).map(String).includes(port.value.trim());
  });
  document.addEventListener("input", (event) => {
    if (event.target.matches("[data-port-of]")) { event.target.dataset.touched = "1"; warnPorts(); }
    const shown = event.target.dataset?.echo && document.getElementById(event.target.dataset.echo);
    if (shown) shown.textContent = event.target.value || shown.dataset.empty || "";
  });

  // keys
  const PLACES = { m: "/messages/", c: "/campaigns/", k: "/contacts/", g: "/groups/", t: "/templates/", a: "/archive/", s: "/settings/" };
  const rows = () => $$("main [data-row], main .table tbody tr, main .pr-run").filter((el) => el.offsetParent);
  const here = () => $(".is-here");
  const move = (step) => {
    const all = rows(); if (!all.length) return;
    const at = all.indexOf(here()), next = all[Math.min(all.length - 1, Math.max(0, at < 0 ? (step > 0 ? 0 : all.length - 1) : at + step))];
    here()?.classList.remove("is-here"); next.classList.add("is-here"); next.scrollIntoView({ block: "nearest" });
    (next.matches("a, button") ? next : $("a[href], button", next))?.focus({ preventScroll: true });
  };
  const find = () => {
    const field = $("main .pr-find input, main input[type=search]");
    if (field && field.offsetParent) { field.focus(); field.select(); } else open("pr-findbox");
  };
  const press = (key) => { const el = $(`[data-key="${key}"]`); if (el) el.click(); return Boolean(el); };
  let after = "", afterTimer;
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing) return;
    const at = event.target, typing = at.isContentEditable || at.matches("textarea, select, input:not([type=checkbox]):not([type=radio]):not([type=button])");
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      const button = $('[data-key="ctrl+enter"]', $("dialog[open]") || document);
      if (button) { event.preventDefault(); button.click(); }
      return;
    }
    if (event.key === "Enter" && at.matches("input")) {
      const on = at.closest("[data-step]") && $('[data-go="2"]', at.closest("[data-step]"));
      if (on) { event.preventDefault(); on.click(); return; }
      const box = at.closest("form dialog");  // of one form around several dialogs: Enter means the button of this one
      if (box) { event.preventDefault(); if (at.type !== "search") $("footer [type=submit]", box)?.click(); return; }
    }
    if (event.key === "Escape" && at.matches("input[type=search]")) { at.closest("dialog")?.close(); at.blur(); return; }
    if (event.key === "Escape" && !typing) { const close = !$("dialog[open]") && !$(":popover-open") && $("[data-key=esc]"); if (close) close.click(); return; }
    if (typing || event.ctrlKey || event.metaKey || event.altKey || root.dataset.keys === "off" || $("dialog[open]") || $(":popover-open")) return;
    const key = event.key;
    if (after === "g" && PLACES[key]) { after = ""; event.preventDefault(); return location.assign(PLACES[key]); }
    after = ""; clearTimeout(afterTimer);
    const acts = {
      "/": find, "?": () => open("pr-keys"), g: () => { after = "g"; afterTimer = setTimeout(() => { after = ""; }, 1500); },
      j: () => move(1), k: () => move(-1), z: () => $("[data-undo]")?.click(),
      x: () => $("input[type=checkbox]", here())?.click(),
      "[": () => $("a[rel=prev]")?.click(), "]": () => $("a[rel=next]")?.click(),
    };
    if (key === "x" && !here()) return;
    if (key === "Enter") { if (here() && (at === document.body || at.id === "main")) (here().matches("a") ? here() : $("a[href]", here()))?.click(); return; }
    if (acts[key]) { event.preventDefault(); acts[key](); } else if (/^[cnre]$/.test(key) && press(key)) event.preventDefault();
  });

  document.addEventListener("DOMContentLoaded", () => {
    $$("[data-toast]").forEach(arm);
    $$("input[name]:checked").forEach(follow); $$("input[type=checkbox][name]").forEach(follow);
    $$("[data-port-of]").forEach((port) => { if (port.dataset.stored) port.dataset.touched = "1"; });
    $$("[data-open-now]").forEach((box) => box.showModal());
    $$("select[data-own-zone]").forEach((box) => {  // the zone of this machine, unless one was chosen
      const own = Intl.DateTimeFormat().resolvedOptions().timeZone; if (own === "UTC") return;
      if (!document.querySelector(".is-invalid, .pr-note.is-bad") && [...box.options].some((o) => o.value === own)) box.value = own;
    });
    pollAll(); speak();
    const wrong = $(".is-invalid"); if (wrong) wrong.focus();
    document.body.addEventListener("pr:toast", (event) => toast(event.detail.text, event.detail.undo));
    document.body.addEventListener("htmx:afterRequest", (event) => {
      const el = event.detail.elt, status = event.detail.xhr?.status;
      if (!el.matches?.("[data-poll]")) return;
      slow.set(el.id, { wait: status === 200 ? 2000 : 10000 });
      if (status !== 200) poll(el);
    });
    document.body.addEventListener("htmx:afterSettle", (event) => {
      const asked = event.detail.requestConfig, pressed = /^(submit|click)$/.test(asked?.triggeringEvent?.type);  // not by a clock, nor by typing
      const box = pressed && asked.verb === "post" && document.getElementById(asked.target?.id);
      $$("form[data-now]").forEach((form) => { form.removeAttribute("data-now"); form.submit(); });  // a mail goes into its frame
      const at = box && box.getBoundingClientRect();  // what a button brought must be seen
      if (at && (at.top < 0 || at.top > innerHeight - 120)) box.scrollIntoView({ block: "start" }); pollAll(); speak(); $$("input[type=checkbox][name]").forEach(follow); });
  });
  // Who is signed out while writing stays where the text is: a live block must not lead away from it.
  document.addEventListener("htmx:beforeOnLoad", (event) => { if (event.detail.elt.matches?.("[data-poll]") && event.detail.xhr.getResponseHeader("HX-Redirect") && $("textarea")) event.preventDefault(); });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) { $$("[data-poll]").forEach((el) => { slow.set(el.id, { wait: 0 }); poll(el); slow.set(el.id, { ...slow.get(el.id), wait: 2000 }); }); } });
})();
