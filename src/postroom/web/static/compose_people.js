/* Recipients as chips: the text field below them holds the list as typed and is what is sent; a selector adds people that are known. */
(() => {
  "use strict";
  const ADDRESS = /^[^\s@<>"(),:;[\]]+@[^\s@<>"(),:;[\]]+\.[^\s@<>"(),:;[\].]+$/;
  /* Pieces of a list: commas, semicolons and line ends cut, but not inside quotation marks or angle brackets. */
  const pieces = (text) => {
    const out = []; let now = "", quoted = false, angle = false;
    for (const sign of text) {
      if (sign === '"') quoted = !quoted;
      if (!quoted && sign === "<") angle = true;
      if (!quoted && sign === ">") angle = false;
      if (/[,;\n]/.test(sign) && !quoted && (!angle || sign === "\n")) { out.push(now); now = ""; angle = false; } else now += sign;
    }
    out.push(now);
    return out.map((one) => one.trim()).filter(Boolean);
  };
  const spec = (piece) => (/<([^>]*)>\s*$/.exec(piece)?.[1] ?? piece).trim();
  const name = (piece) => piece.replace(/<[^>]*>\s*$/, "").trim().replace(/^"(.*)"$/, "$1").replace(/\\(.)/g, "$1");

  (window.PrComposeParts ||= []).push((composer) => {
    const { box, ask, url, word } = composer;
    const one = (frame) => {
      const field = frame.dataset.people, area = frame.querySelector("textarea"), list = frame.querySelector("ul"), input = document.createElement("input");
      input.type = "text"; input.className = "pr-chipin"; input.autocomplete = "off"; input.spellcheck = false; input.autocapitalize = "off"; input.inputMode = "email";
      input.id = `${area.id}_new`; box.querySelector(`label[for="${area.id}"]`).htmlFor = input.id;
      frame.append(input); frame.classList.add("is-on"); area.tabIndex = -1; area.setAttribute("aria-hidden", "true");
      let chips = pieces(area.value), faults = [];
      const tell = () => { area.value = chips.join(", "); area.dispatchEvent(new Event("input", { bubbles: true })); };
      const draw = () => {
        list.replaceChildren(...chips.map((chip, at) => {
          const item = document.createElement("li"), edit = document.createElement("button"), remove = document.createElement("button"), why = faults[at] || (ADDRESS.test(spec(chip)) || !/^[\x20-\x7e]*$/.test(spec(chip)) || spec(chip).endsWith("@localhost") ? "" : word("Bad").replace("%s", spec(chip)));
          item.className = `pr-tag pr-chipone${why ? " is-bad" : ""}`; edit.type = remove.type = "button"; edit.className = "pr-chipname"; edit.textContent = name(chip) || spec(chip); edit.title = why || spec(chip);
          edit.setAttribute("aria-label", why ? `${word("Edit").replace("%s", chip)} (${why})` : word("Edit").replace("%s", chip));
          remove.setAttribute("aria-label", word("Remove").replace("%s", spec(chip))); remove.append(icon("x"));
          edit.addEventListener("click", () => { take(); input.value = chips.splice(at, 1)[0]; faults.splice(at, 1); draw(); tell(); input.focus(); });
          remove.addEventListener("click", () => { chips.splice(at, 1); faults.splice(at, 1); draw(); tell(); input.focus(); });
          if (why) item.append(icon("alert-circle"));
          item.append(edit, remove); return item;
        }));
        list.hidden = !chips.length;
      };
      const icon = (shape) => { const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg"), use = document.createElementNS("http://www.w3.org/2000/svg", "use"); svg.setAttribute("class", "icon"); svg.setAttribute("aria-hidden", "true"); use.setAttribute("href", `/static/vendor/icons.svg#${shape}`); svg.append(use); return svg; };
      const take = (last = true) => {
        const found = pieces(input.value), rest = last ? "" : found.pop() || "";
        if (!found.length) return;
        chips.push(...found); input.value = rest; draw(); tell();
      };
      input.addEventListener("input", (event) => { event.stopPropagation(); if (/[,;\n]/.test(input.value) && pieces(`${input.value}x`).length > 1) take(/[,;\s]$/.test(input.value)); });
      input.addEventListener("paste", (event) => {
        const text = event.clipboardData.getData("text/plain"); if (!/[,;\n]/.test(text)) return;
        event.preventDefault(); chips.push(...pieces(input.value + text)); input.value = ""; draw(); tell();  // a field of one line would drop the line ends
      });
      input.addEventListener("keydown", (event) => {
        if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) { event.preventDefault(); take(); }
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) take();
        if (event.key === "Backspace" && !input.value && chips.length) { event.preventDefault(); input.value = chips.pop(); faults.length = chips.length; draw(); tell(); }
        if (event.key === "ArrowLeft" && !input.selectionStart && chips.length) list.lastElementChild?.querySelector(".pr-chipname").focus();
      });
      list.addEventListener("keydown", (event) => {
        const all = [...list.querySelectorAll(".pr-chipname")], at = all.indexOf(event.target); if (at < 0) return;
        if (event.key === "ArrowLeft") all[Math.max(0, at - 1)].focus();
        if (event.key === "ArrowRight") (all[at + 1] || input).focus();
        if (event.key === "Delete" || event.key === "Backspace") { event.preventDefault(); event.target.nextElementSibling.click(); }
      });
      input.addEventListener("blur", () => take());
      frame.addEventListener("click", (event) => { if (event.target === frame || event.target === list) input.focus(); });
      area.addEventListener("change", () => { chips = pieces(area.value); faults = []; draw(); });  // filled from outside
      area.addEventListener("input", (event) => { if (event.isTrusted) { chips = pieces(area.value); faults = []; draw(); } });
      box.addEventListener("pr:filled", () => { chips = pieces(area.value); faults = []; draw(); });
      box.addEventListener("pr:people", (event) => {  // the server's word on each
        const found = event.detail[field]; if (!found || found.length !== chips.length) return;
        faults = found.map(([, , why]) => why); draw();
      });
      draw();
      return { field, set: (text) => { area.value = text; chips = pieces(text); faults = []; draw(); } };
    };
    const fields = [...box.querySelectorAll("[data-people]")].map(one);

    // the selector
    const dialog = box.querySelector("#pick-people");
    const open = async (address) => {
      const told = await ask(address);
      if (told.status !== 200 || !told.text) { location.assign(address); return; }
      dialog.innerHTML = told.text; if (!dialog.open) dialog.showModal(); dialog.querySelector("[autofocus]")?.focus();
      const found = dialog.querySelector("input[type=search]"); found.setSelectionRange(found.value.length, found.value.length);
    };
    box.addEventListener("click", async (event) => {
      const link = event.target.closest("[data-pick]"); if (!link) return;
      event.preventDefault(); await composer.save(); open(link.href);
    });
    let wait;
    dialog.addEventListener("submit", async (event) => {
      event.preventDefault(); event.stopPropagation();
      const form = event.target, by = event.submitter;
      if (form.matches("[data-pick-find]")) { const query = new URLSearchParams(new FormData(form)); query.set("tab", by?.value || dialog.querySelector("[name=tab][aria-pressed=true]").value); return open(`${form.action}?${query}`); }
      if (!by?.value) return;
      await composer.save();
      const data = new FormData(form); data.set("who", by.value);
      const told = await ask(form.action, data);
      if (told.http !== 200) { composer.errors({ [data.get("field")]: [told.message || ""] }); dialog.close(); return; }
      composer.stored(told); fields.find((one) => one.field === told.field).set(told.text); composer.picked?.(); box.dispatchEvent(new CustomEvent("pr:people", { detail: told.people }));
      by.disabled = true; by.querySelector("use").setAttribute("href", "/static/vendor/icons.svg#check");
    });
    dialog.addEventListener("input", (event) => { if (!event.target.matches("[type=search]")) return; clearTimeout(wait); wait = setTimeout(() => event.target.form?.requestSubmit(dialog.querySelector("[name=tab][aria-pressed=true]")), 250); });
  });
})();
