/* The inbox: who else is here, mails as high as they are, the list where it was, search. postroom.js does the rest. */
(() => {
  "use strict";
  const $ = (s, el = document) => el.querySelector(s), $$ = (s, el = document) => [...el.querySelectorAll(s)];

  // a mail's frame is as high as its mail; nothing in it runs, so this page measures it
  const fit = (frame) => {
    const inside = frame.contentDocument; if (!inside?.body) return;
    frame.style.height = `${Math.min(Math.max(inside.documentElement.offsetHeight, inside.body.scrollHeight) + 4, 20000)}px`;
  };
  const watch = (frame) => {
    fit(frame);
    const inside = frame.contentDocument; if (!inside?.body) return;
    inside.addEventListener("toggle", () => fit(frame), true);
    $$("img", inside).forEach((picture) => { if (!picture.complete) picture.addEventListener("load", () => fit(frame)); });
  };
  document.addEventListener("load", (event) => { if (event.target.matches?.(".pr-mailframe")) watch(event.target); }, true);
  addEventListener("resize", () => $$(".pr-mailframe").forEach(fit));

  // who is here: said every few seconds while the page is looked at
  const here = () => {
    const box = $("#pr-present"); if (!box || document.hidden || !window.htmx) return;
    const field = $("#pr-dock [data-compose]");
    box.setAttribute("hx-vals", JSON.stringify({ writing: field ? "1" : "0" }));
    htmx.trigger(box, "pr:here");
  };
  document.addEventListener("visibilitychange", here);
  // the answer at the foot says it too: whoever writes looks there
  document.addEventListener("htmx:afterSettle", (event) => {
    const also = event.target.id === "pr-present" && $("#pr-dock [data-also]"); if (!also) return;
    const words = $$(".pr-presence .is-wide", event.target).map((one) => one.textContent.trim()).join(", ");
    if (also.textContent !== words) also.textContent = words;
  });

  // the list keeps its place over a renewal and over the way to a conversation
  const KEY = "pr-inbox-scroll";
  const list = () => $(".pr-convs");
  let kept = 0;
  document.addEventListener("htmx:beforeSwap", (event) => { if (event.detail.target?.id === "pr-shelf") kept = list()?.scrollTop || 0; });
  document.addEventListener("htmx:afterSettle", (event) => { if (event.target.id === "pr-shelf" && list()) list().scrollTop = kept; });
  addEventListener("pagehide", () => { try { sessionStorage.setItem(KEY, String(list()?.scrollTop || 0)); } catch { /* private windows */ } });

  const search = () => {
    const form = $("#pr-search"), button = $("[data-search]"); if (!form) return false;
    form.hidden = false; button.setAttribute("aria-expanded", "true");
    const field = $("input", form); field.focus(); field.select();
    return true;
  };
  document.addEventListener("click", (event) => { if (event.target.closest("[data-search]")) search(); });
  document.addEventListener("keydown", (event) => {
    const at = event.target, typing = at.isContentEditable || at.matches("textarea, select, input");
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey || document.documentElement.dataset.keys === "off" || $("dialog[open]")) return;
    if (getComputedStyle($(".pr-box-list") || document.body).display !== "none" && search()) event.preventDefault();
  }, true);

  // whoever begins to answer sees what is answered: at once, and once more when the editor has taken its room
  const last = () => $$("#pr-flow > .pr-msg").pop();
  const answered = () => last()?.scrollIntoView({ block: matchMedia("(min-width: 48rem)").matches ? "end" : "start", behavior: "instant" });
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.target.closest?.("#pr-dock") && $("#pr-dock [data-compose]")) { answered(); here(); }
  });
  document.addEventListener("pr:ready", (event) => { if (event.target.closest("#pr-dock")) answered(); });

  // an answer that left is in the conversation at once
  document.addEventListener("pr:sent", () => { const flow = $("#pr-flow"); if (flow && window.htmx) { flow.setAttribute("hx-headers", "{}"); htmx.trigger(flow, "pr:poll"); } });

  document.addEventListener("DOMContentLoaded", () => {
    try { const place = Number(sessionStorage.getItem(KEY)); if (list() && place) list().scrollTop = place; } catch { /* private windows */ }
    $('.pr-conv[aria-current]')?.scrollIntoView({ block: "nearest" });
    if (matchMedia("(min-width: 48rem)").matches) last()?.scrollIntoView({ block: "start" });
    $$(".pr-mailframe").forEach((frame) => { if (frame.contentDocument?.readyState === "complete") watch(frame); });
    setTimeout(here, 200); setInterval(here, 5000);
  });
})();
