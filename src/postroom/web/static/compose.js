/* The composer (templates/messages/compose.html), wherever it comes into a page: as the page, docked, or over another page.
   Saves itself one at a time and loses no typed text: what is not saved lies in this browser, and is offered after a new sign-in.
   compose_people.js and compose_files.js do recipients and files; vendor/rich.js is fetched when a composer is there. */
(() => {
  "use strict";
  const $ = (s, el = document) => el.querySelector(s), $$ = (s, el = document) => [...el.querySelectorAll(s)];
  const KEPT = ["to", "cc", "bcc", "subject", "html", "text"], FIELDS = [...KEPT, "account", "type"], DAYS = 7, HEAD = "pr-draft:";
  const QUOTE = "margin:0 0 0 .5em;padding-left:1em;border-left:2px solid #ccc";
  const user = () => document.body.dataset.user;
  const csrf = () => JSON.parse(document.body.getAttribute("hx-headers") || "{}")["X-CSRFToken"];
  const held = (key) => { try { return JSON.parse(localStorage.getItem(key)); } catch { return null; } };
  const hold = (key, value) => { try { localStorage.setItem(key, JSON.stringify(value)); } catch { /* full or forbidden */ } };
  const drop = (key) => { try { localStorage.removeItem(key); } catch { /* forbidden */ } };
  const toast = (text, undo) => document.body.dispatchEvent(new CustomEvent("pr:toast", { detail: { text, undo } }));
  let loading = null;
  const rich = (url) => (loading ||= new Promise((done, failed) => { const script = document.createElement("script"); script.src = url; script.onload = done; script.onerror = failed; document.head.append(script); }));

  /* One answer in JSON; {status: 0} when the line is dead, {status: 401} when somebody has to sign in. */
  const ask = async (url, body, headers = {}) => {
    try {
      const answer = await fetch(url, { method: body === undefined ? "GET" : "POST", body, headers: { "X-Compose": "1", "X-CSRFToken": csrf(), ...headers } });
      if (answer.redirected && new URL(answer.url).pathname.startsWith("/sign-in")) return { status: 401 };
      const kind = answer.headers.get("content-type") || "";
      if (!kind.includes("json")) return { status: answer.status === 403 ? 401 : answer.status, text: await answer.text() };
      return { status: answer.status, ...(await answer.json()), http: answer.status };
    } catch { return { status: 0 }; }
  };

  const start = (box) => {
    if (box.composer) return;
    const form = $("#editor", box), id = box.dataset.compose, key = `${HEAD}${user()}:${id}`, url = box.dataset.url, word = (name) => box.dataset[`w${name}`];
    const field = (name) => form.elements.namedItem(name), values = () => Object.fromEntries(FIELDS.map((name) => [name, field(name)?.value ?? ""]));
    const said = $("[data-saved]", box), html = $("#id_html", box), plain = $("#id_text", box);
    let base = values(), timer, retry, dirty = form.hasAttribute("data-typed"), busy = null, gone = false, editor = null, quiet = false;
    const composer = { box, id, url, form, ask, word, csrf, html: () => html.value };
    box.composer = composer;

    const say = (text, kind = "") => { said.textContent = text; said.classList.toggle("wait", kind === "wait"); };
    const keep = () => hold(key, { at: Date.now(), version: field("version").value, url, subject: field("subject").value, values: values() });
    const changed = () => { if (gone) return; dirty = true; keep(); if (!$(".pr-theirs", box).hidden) return; clearTimeout(timer); timer = setTimeout(save, 1200); say(word("Unsaved")); };
    const fill = (next) => { FIELDS.forEach((name) => { if (name in next && field(name)) field(name).value = next[name]; }); quiet = true; editor?.set(html.value); quiet = false; box.dispatchEvent(new Event("pr:filled")); };
    const errors = (found = {}) => {
      $$("[data-errors]", box).forEach((place) => { place.replaceChildren(...(found[place.dataset.errors] || []).map((text) => { const line = document.createElement("div"); line.className = "pr-err"; line.append(text); return line; })); });
      $(".pr-troubles", box).replaceChildren(...(found[""] || []).map((text) => { const line = document.createElement("div"); line.className = "pr-note is-bad"; line.append(text); return line; }));
      ["cc", "bcc"].forEach((name) => { if (found[name]) reveal(`row-${name}`, true); });
      if (found.template) reveal("row-template", true);
      $("[data-errors]:not(:empty), .pr-troubles:not(:empty)", box)?.scrollIntoView({ block: "nearest" });
    };
    const reveal = (name, open) => {
      const row = $(`#${name}`, box); if (!row) return; row.classList.toggle("is-open", open);
      $$(`[data-reveal="${name}"]`, box).forEach((button) => button.setAttribute("aria-expanded", row.classList.contains("is-open")));
    };

    /* What is stored now: version, people, and the text where the server changed it. */
    const stored = (told) => {
      field("version").value = told.version;
      if (told.html !== undefined) { html.value = told.html; quiet = true; editor?.set(told.html); quiet = false; }
      if (told.subject !== undefined) field("subject").value = told.subject;
      if (told.people) box.dispatchEvent(new CustomEvent("pr:people", { detail: told.people }));
      if (told.files !== undefined) $("[data-files]", box).innerHTML = told.files;
      if (told.unfilled) unfilled(told.unfilled);
      if (told.saved) say(told.saved);
      if (told.also !== undefined) $("[data-also]", box).textContent = told.also;
    };
    const unfilled = (found) => {
      const place = $("[data-unfilled]", box), before = $(".pr-note", place);
      if (!found.length) return place.replaceChildren();
      if (before) { $$("code", before).forEach((el) => el.remove()); found.forEach((one) => { const code = document.createElement("code"); code.className = "pr-break"; code.textContent = one; before.append(" ", code); }); }
    };
    const view = async (place, from) => { const told = await ask(from); if (told.status === 200 && told.text !== undefined && place.isConnected) place.innerHTML = told.text; };
    // the preview, beside the text or in its dialog, as the recipient that was chosen in it
    const as = (place, from) => { const who = $("[data-preview-as]", place)?.value; return who ? `${from}?as=${encodeURIComponent(who)}` : from; };
    const beside = () => (box.dataset.mode === "page" ? $("[data-preview-beside]") : null);
    const look = () => { const place = beside(); if (place) view(place, as(place, place.dataset.previewBeside)); };
    const conflict = (told) => {
      const theirs = told.details?.theirs || {};
      if (KEPT.every((name) => (theirs[name] ?? "") === base[name].replace(/\r\n/g, "\n"))) { field("version").value = told.details.version; return save(); }  // files came, no text
      $("textarea", $(".pr-theirs", box)).value = [theirs.to, theirs.subject, "", theirs.html].join("\n");
      $(".pr-theirs", box).hidden = false; composer.theirs = { version: told.details.version, values: theirs };
      say(told.message, "wait"); $(".pr-theirs", box).scrollIntoView({ block: "nearest" });
    };
    const failed = (told) => {
      if (told.status === 401) { say(word("SignedOut"), "wait"); const link = document.createElement("a"); link.href = `/sign-in/?next=${encodeURIComponent(url)}`; link.textContent = " →"; link.className = "pr-signin"; link.setAttribute("aria-label", word("SignedOut")); said.append(link); return; }
      if (told.http === 409 && told.code === "STALE_VERSION") return conflict(told);
      if (told.errors) { errors(told.errors); say(word("Unsaved"), "wait"); return; }
      if (told.http === 404) { say(told.message, "wait"); return; }
      say(word("Unreachable"), "wait"); clearTimeout(retry); retry = setTimeout(save, 4000);
    };
    const save = async () => {
      clearTimeout(timer); clearTimeout(retry);
      if (busy) { await busy; }
      if (!dirty || gone || !box.isConnected) return true;
      const sent = values(); dirty = false; say(word("Saving"));
      busy = ask(`${url}save/`, new FormData(form)); const told = await busy; busy = null;
      if (gone) return true;
      if (told.sent) return leave(told);
      if (told.http !== 200) { dirty = true; keep(); failed(told); return false; }
      base = sent; stored(told);
      if (told.html !== undefined) base.html = told.html;
      if (dirty) { keep(); timer = setTimeout(save, 1200); return true; }
      drop(key); errors(); look(); return true;
    };
    Object.assign(composer, { save, stored, errors, say, changed, reveal, isDirty: () => dirty || Boolean(busy), version: (n) => { field("version").value = n; } });

    const leave = (told) => {
      gone = true; drop(key); clearTimeout(timer);
      if (told.go || box.dataset.mode === "page") { location.assign(told.go || told.sent); return true; }
      toast(told.words, told.undo);
      document.body.dispatchEvent(new CustomEvent("pr:sent", { detail: { url: told.sent, undo: told.undo, mode: box.dataset.mode } }));
      close(); return true;
    };
    const close = () => {
      editor?.destroy(); editor = null;
      const over = box.closest("#pr-over");
      if (over) { over.hidden = true; box.remove(); return; }
      const dock = new URLSearchParams({ conversation: box.dataset.conversation || "" });
      if (box.dataset.conversation) window.htmx?.ajax("GET", `/messages/write/dock?${dock}`, { target: box, swap: "outerHTML" }); else box.remove();
    };
    const act = async (to, button) => {  // send, insert: what is typed goes along
      if (busy) await busy;
      clearTimeout(timer);
      if (composer.filesComing?.()) { say(word("Saving"), "wait"); await composer.filesComing(); }
      const data = new FormData(form); if (!data.get("at")) data.delete("at");
      if (button?.dataset.send !== "later") { data.delete("at"); }
      if (button?.name) data.set(button.name, button.value);
      if (to.endsWith("/insert/") && editor && pane === "rich") data.set("html", editor.withCursor());
      button && (button.disabled = true);
      busy = ask(to, data); const told = await busy; busy = null;
      button && (button.disabled = false);
      $$("dialog[open]", box).forEach((one) => one.close());
      return told;
    };
    const send = async (button) => {
      if (gone) return;
      const told = await act(`${url}send/`, button);
      if (told.sent) return leave(told);
      if (told.version) { field("version").value = told.version; dirty = false; base = values(); drop(key); say(""); }
      if (told.code === "NO_SUBJECT") return $("#ask-subject", box).showModal();
      if (told.code === "ANSWERED_MEANWHILE") { $("[data-ask-words]", box).textContent = told.message; return $("#ask-anyway", box).showModal(); }
      if (told.http === 409 && told.code === "STALE_VERSION") { dirty = true; return conflict(told); }
      if (told.errors || told.message) { errors(told.errors || { "": [told.message] }); return; }
      dirty = true; keep(); failed(told);
    };
    const insert = async (button) => {
      const told = await act(`${url}insert/`, button);
      if (told.http === 200) { errors(); stored(told); base = values(); dirty = false; drop(key); look(); editor?.focus(); return; }
      if (told.version) field("version").value = told.version;
      if (told.code === "TEMPLATE_EDITED") return $("#ask-template", box).showModal();
      if (told.http === 409 && told.code === "STALE_VERSION") { dirty = true; return conflict(told); }
      if (told.errors || told.message) errors(told.errors || { "": [told.message] }); else failed(told);
    };

    document.addEventListener("change", (event) => {
      if (!box.isConnected || !event.target.matches("[data-preview-as]")) return;
      const here = $("[data-preview-here]", box); if (here.contains(event.target)) view(here, as(here, $("[data-preview]", box).dataset.preview)); else look();
    });
    document.addEventListener("submit", async (event) => {  // the fields written as for that recipient
      const act = event.target; if (!box.isConnected || !act.matches("[data-fill]")) return;
      event.preventDefault(); event.stopPropagation();
      const who = event.submitter.value; if (!await save()) return;
      const data = new FormData(act); data.set("as", who);
      const told = await ask(act.action, data);
      if (told.http !== 200) { errors(told.message ? { "": [told.message] } : {}); return; }
      stored(told); base = values(); dirty = false; drop(key); $("#preview-now", box).close(); look();
    }, true);
    form.addEventListener("input", changed);
    box.addEventListener("pr:changed", changed);
    field("account")?.addEventListener("change", changed); field("type")?.addEventListener("change", changed);
    document.addEventListener("submit", (event) => {
      if (event.target !== form || !box.isConnected) return;
      event.preventDefault(); event.stopPropagation();
      const by = event.submitter;
      if (by?.hasAttribute("data-send")) send(by); else if (by?.hasAttribute("data-insert-template")) insert(by); else { dirty = true; save(); }
    }, true);
    $("#drop-draft", box).addEventListener("submit", async (event) => {
      event.preventDefault(); gone = true; clearTimeout(timer); if (busy) await busy;
      const told = await ask(event.target.action, new FormData(event.target));
      if (told.http !== 200) { gone = false; return failed(told); }
      drop(key);
      if (box.dataset.mode === "page") { event.target.submit = null; location.assign("/messages/drafts/"); return; }
      toast(told.words, told.undo); close();
    });
    box.addEventListener("click", (event) => {
      const at = event.target, button = at.closest("[data-reveal]"), tab = at.closest("[data-tab]"), run = at.closest("[data-run]");
      if (button) { const row = $(`#${button.dataset.reveal}`, box), open = !row.classList.contains("is-open"); reveal(button.dataset.reveal, open); if (open) $("input:not([type=hidden]), textarea:not([hidden]), select, a", row)?.focus(); }
      if (tab) show(tab.dataset.tab);
      if (run && editor) editor.run(run.dataset.run);
      if (at.closest("[data-link]") && editor) { $("#id_href", box).value = editor.link(); $("#ask-link", box).showModal(); }
      if (at.closest("[data-unlink]")) { $("#ask-link", box).close(); editor?.setLink(""); }
      if (at.closest("[data-setlink]")) { event.preventDefault(); const typed = $("#id_href", box).value.trim(); $("#ask-link", box).close(); editor?.setLink(typed && !/^(https?:|mailto:|tel:)/i.test(typed) ? (typed.includes("@") && !typed.includes("/") ? `mailto:${typed}` : `https://${typed}`) : typed); }
      const take = at.closest("[data-take]")?.dataset.take;
      if (take) { if (take === "theirs") { fill(composer.theirs.values); dirty = false; } else dirty = true; field("version").value = composer.theirs.version; base = { ...base, ...composer.theirs.values }; $(".pr-theirs", box).hidden = true; if (take === "mine") save(); else drop(key); }
      if (at.closest("[data-drop-kept]")) { drop(key); gone = true; location.reload(); }
      if (at.closest("[data-close-over]")) { save().then((ok) => { if (ok || !dirty) close(); else box.closest("#pr-over").hidden = true; }); }
      const page = at.closest("a[data-keep-first]"); if (page && (dirty || busy)) { event.preventDefault(); save().then((ok) => { if (ok) location.assign(page.href); }); }
      const shown = at.closest("[data-preview]");
      if (shown) save().then(() => { const here = $("[data-preview-here]", box); view(here, as(here, shown.dataset.preview)); $("#preview-now", box).showModal(); });
    });
    addEventListener("beforeunload", (event) => { if ((dirty || busy) && !gone && box.isConnected) event.preventDefault(); });

    // rich, HTML, plain text
    let pane = "html";
    const show = (name) => {
      pane = name;
      $$("[data-tab]", box).forEach((one) => one.setAttribute("aria-pressed", one.dataset.tab === name));
      $$("[data-pane]", box).forEach((one) => { one.hidden = one.dataset.pane !== name; });
      $(".pr-richtools", box).hidden = name !== "rich";
      if (name === "rich" && editor) { if (html.value !== composer.richHtml) { quiet = true; editor.set(html.value); quiet = false; } editor.focus(); } else if (name !== "rich") (name === "text" ? plain : html).focus();
    };
    const richly = async () => {
      try { await rich(box.dataset.rich); } catch { return; }
      if (!box.isConnected || editor) return;
      const place = $("[data-pane=rich]", box), marks = () => $$("[data-run]", box).forEach((one) => { if (one.hasAttribute("aria-pressed")) one.setAttribute("aria-pressed", Boolean(editor?.on(one.dataset.run))); });
      editor = window.PostroomRich({
        element: place, typed: html.value, label: place.dataset.label, style: QUOTE,
        words: { default: word("Default"), template: word("Template"), signature: word("Signature"), quote: word("Quote"), html: word("Html"), plain: word("Plain"), remove: word("RemoveBlock") },
        changed: () => { if (quiet) return; html.value = composer.richHtml = editor.html(); changed(); }, moved: marks,
        pictures: (files) => { composer.addFiles?.(files); say(word("Picture")); }, dropped: () => say(word("Dropped"), "wait"),
      });
      composer.editor = editor; composer.richHtml = html.value;
      $("[data-tab=rich]", box).hidden = false;
      const had = document.activeElement === html || (document.activeElement === document.body && box.dataset.mode !== "page");
      pane = "rich"; $$("[data-tab]", box).forEach((one) => one.setAttribute("aria-pressed", one.dataset.tab === "rich"));
      $$("[data-pane]", box).forEach((one) => { one.hidden = one.dataset.pane !== "rich"; }); $(".pr-richtools", box).hidden = false;
      if (had || box.dataset.mode === "dock") editor.focus();
      box.dataset.ready = "rich"; marks(); box.dispatchEvent(new Event("pr:ready", { bubbles: true }));
    };

    // what was typed and not saved: a lost session, a reload, a dead line
    const kept = held(key);
    box.dataset.conversation ||= new URLSearchParams((box.closest("[hx-get]")?.getAttribute("hx-get") || "").split("?")[1] || "").get("conversation") || "";
    if (dirty) keep();
    else if (kept && FIELDS.some((name) => (kept.values[name] ?? "").replace(/\s+/g, " ").trim() !== (base[name] ?? "").replace(/\s+/g, " ").trim())) {
      fill(kept.values); field("version").value = kept.version; dirty = true; $(".pr-restored", box).hidden = false; timer = setTimeout(save, 600);
    } else drop(key);
    window.PrComposeParts.forEach((part) => part(composer));
    $$("[data-open-now]", box).forEach((one) => { if (!one.open) one.showModal(); });
    richly();
    if (box.dataset.mode !== "page" && box.dataset.mode !== "dock") $("[data-people=to] input, #id_to", box)?.focus();
  };

  window.PrComposeParts = window.PrComposeParts || [];
  const all = (root = document) => { $$("[data-compose]", root).forEach(start); if (root.matches?.("[data-compose]")) start(root); };

  // over any page: unless one is written here already, or the window is narrow
  document.addEventListener("submit", async (event) => {
    const opener = event.target; if (!opener.matches("[data-write]")) return;
    const over = $("#pr-over"), there = $("[data-compose]");
    if (!over || matchMedia("(max-width: 48rem)").matches) return;
    if (there) { if (over.contains(there)) { event.preventDefault(); over.hidden = false; there.querySelector("textarea, input:not([type=hidden])")?.focus(); } return; }
    event.preventDefault(); event.stopPropagation(); $(":popover-open")?.hidePopover();
    const told = await ask(opener.action, new FormData(opener));
    if (!told.text || told.status !== 200) return opener.submit();
    over.innerHTML = told.text; over.hidden = false; all(over);
  }, true);
  document.addEventListener("keydown", (event) => {
    const over = $("#pr-over"); if (event.key !== "Escape" || !over || over.hidden || $("dialog[open]") || $(":popover-open") || !over.contains(event.target)) return;
    $("[data-close-over]", over)?.click();
  });

  // text of another message that was never saved: offered on every page
  const offer = () => {
    const template = $("#pr-unsent"); if (!template || !user()) return;
    Object.keys(localStorage).filter((one) => one.startsWith(`${HEAD}${user()}:`)).forEach((one) => {
      const kept = held(one);
      if (!kept || Date.now() - kept.at > DAYS * 864e5) return drop(one);
      if (Date.now() - kept.at < 20000 || $(`[data-compose="${one.split(":")[2]}"]`)) return;
      const note = template.content.firstElementChild.cloneNode(true);
      $("a", note).href = kept.url; $("[data-name]", note).textContent = kept.subject || "…";
      $("button", note).addEventListener("click", () => { drop(one); note.remove(); });
      $("#pr-errors").after(note);
    });
  };
  document.addEventListener("DOMContentLoaded", () => { all(); offer(); document.body.addEventListener("htmx:load", (event) => all(event.detail.elt)); });
})();
