/* What is typed into a form[data-keep="kind:id"] stays in this browser until it is saved. When a save is refused (the right was
   taken away, the session ended, the thing is gone), it is offered again in the same form and in a new one of the same kind. */
(() => {
  "use strict";
  const user = document.body.dataset.user;
  if (!user) return;
  const HEAD = `pr-keep:${user}:`, DAYS = 7;
  const read = (key) => { try { return JSON.parse(localStorage.getItem(key)); } catch { return null; } };
  const write = (key, value) => { try { localStorage.setItem(key, JSON.stringify(value)); } catch { /* full or forbidden: then nothing is kept */ } };
  const all = () => Object.keys(localStorage).filter((key) => key.startsWith(HEAD));
  const fields = (form) => [...form.elements].filter((el) => el.name && !/^(hidden|password|file|submit|button)$/.test(el.type) && !el.matches("[data-keep-not]"));
  const values = (form) => fields(form).map((el) => [el.name, /^(checkbox|radio)$/.test(el.type) ? `${el.value}=${el.checked}` : el.value]);
  const fill = (form, pairs) => {
    const rest = pairs.slice();
    for (const el of fields(form)) {
      const mark = /^(checkbox|radio)$/.test(el.type);
      const at = rest.findIndex(([name, value]) => name === el.name && (!mark || value.startsWith(`${el.value}=`)));
      if (at < 0) continue;
      const [[, value]] = rest.splice(at, 1);
      if (mark) el.checked = value.endsWith("=true"); else el.value = value;
      el.dispatchEvent(new Event("input", { bubbles: true })); el.dispatchEvent(new Event("change", { bubbles: true }));
    }
  };
  const clean = () => all().forEach((key) => { const kept = read(key); if (!kept || Date.now() - kept.at > DAYS * 864e5) localStorage.removeItem(key); });
  const offer = (form, key, kept) => {
    const box = document.getElementById("pr-keep-template").content.firstElementChild.cloneNode(true);
    box.querySelector("[data-keep-take]").addEventListener("click", () => { fill(form, kept.values); if (key !== HEAD + form.dataset.keep) localStorage.removeItem(key); box.remove(); });
    box.querySelector("[data-keep-drop]").addEventListener("click", () => { localStorage.removeItem(key); box.remove(); });
    form.before(box);
  };
  const start = () => {
    clean();
    const saved = document.querySelector("[data-toast]"), refused = document.querySelector("[data-refused]");
    let held = false;
    all().forEach((key) => {
      const kept = read(key);
      if (!kept.sent) return;
      if (saved) return localStorage.removeItem(key);
      if (refused) { held = true; write(key, { ...kept, sent: false, refused: true }); }
    });
    const told = document.getElementById("pr-keep-told");
    if (told && held) told.hidden = false;
    document.querySelectorAll("form[data-keep]").forEach((form) => {
      const own = HEAD + form.dataset.keep, [kind, id] = form.dataset.keep.split(":"), before = JSON.stringify(values(form));
      const kept = read(own);
      if (kept && JSON.stringify(kept.values) !== before) offer(form, own, kept);
      if (id === "new") all().filter((key) => key !== own && key.startsWith(`${HEAD}${kind}:`) && read(key).refused).forEach((key) => offer(form, key, read(key)));
      form.addEventListener("input", () => write(own, { at: Date.now(), values: values(form) }));
      form.addEventListener("change", () => write(own, { at: Date.now(), values: values(form) }));
      form.addEventListener("submit", () => { const now = values(form); if (read(own) || JSON.stringify(now) !== before) write(own, { at: Date.now(), values: now, sent: true }); });
    });
  };
  start();  // the page is read: this file is deferred
})();
