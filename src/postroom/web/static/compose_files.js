/* Files of the composer: chosen, dropped or pasted, sent in pieces that go on where they stopped, also after a reload. */
(() => {
  "use strict";
  (window.PrComposeParts ||= []).push((composer) => {
    const { box, ask, url, word } = composer, coming = new Set(), PIECE = 1000000, TRIES = 60;
    const row = box.querySelector("[data-files]"), show = document.createElement("ul"), refused = [];
    show.className = "pr-coming"; show.setAttribute("role", "status"); row.after(show);
    const told = (answer) => { if (answer.version) composer.stored(answer); };
    const mark = (file) => `${file.name.slice(-30)}|${file.size}|${file.lastModified}`.slice(0, 64);
    const rest = (ms) => new Promise((done) => { setTimeout(done, ms); });

    const one = async (file) => {
      const line = document.createElement("li"); show.append(line);
      const at = (text, sent) => { line.textContent = word(text).replace("%s", file.name).replace("%p", file.size ? Math.floor((sent / file.size) * 100) : 100); };
      const data = new FormData(); data.set("name", file.name); data.set("size", file.size); data.set("type", file.type); data.set("mark", mark(file));
      let begun = await ask(`${url}uploads/`, data), tries = 0;
      while (begun.status === 0 && (tries += 1) < TRIES) { at("Broken", 0); await rest(2000); begun = await ask(`${url}uploads/`, data); }
      if (begun.http !== 201) { line.remove(); refused.push(begun.message || word("SignedOut")); composer.errors({ files: refused }); return; }
      let offset = begun.offset; tries = 0; at("Coming", offset);
      for (;;) {
        const piece = file.slice(offset, offset + (begun.piece || PIECE));
        const answer = await ask(`${url}uploads/${begun.id}/?offset=${offset}`, piece, { "Content-Type": "application/octet-stream" });
        if (answer.http === 200 && answer.offset === undefined) { told(answer); break; }
        if (answer.http === 200) { offset = answer.offset; tries = 0; at("Coming", offset); continue; }
        if (answer.http === 409 && answer.details?.offset !== undefined) { offset = answer.details.offset; if ((tries += 1) < TRIES) continue; }
        if (answer.status === 404 || answer.http === 404 || answer.http === 422) { refused.push(answer.message); composer.errors({ files: refused }); break; }
        at("Broken", offset);
        if ((tries += 1) >= TRIES) { await rest(1); return; }  // the line stays and says how it goes on
        await rest(Math.min(8000, 500 * tries));
      }
      line.remove();
    };
    const add = (files) => {
      refused.length = 0; composer.errors({});
      for (const file of files) { const work = one(file).finally(() => coming.delete(work)); coming.add(work); }
    };
    composer.addFiles = add;
    composer.filesComing = () => (coming.size ? Promise.allSettled([...coming]) : null);

    const input = box.querySelector("#attach-files");
    input.addEventListener("change", (event) => { event.stopPropagation(); add([...input.files]); input.value = ""; });
    const over = (on) => box.classList.toggle("is-drop", on);
    box.addEventListener("dragover", (event) => { if (event.dataTransfer?.types.includes("Files")) { event.preventDefault(); over(true); } });
    box.addEventListener("dragleave", (event) => { if (!box.contains(event.relatedTarget)) over(false); });
    box.addEventListener("drop", (event) => { over(false); if (!event.dataTransfer?.files.length) return; event.preventDefault(); event.stopPropagation(); add([...event.dataTransfer.files]); }, true);
    if (box.dataset.mode === "page") {
      document.addEventListener("dragover", (event) => { if (event.dataTransfer?.types.includes("Files")) event.preventDefault(); });
      document.addEventListener("drop", (event) => { if (!event.defaultPrevented && event.dataTransfer?.files.length) { event.preventDefault(); add([...event.dataTransfer.files]); } });
    }
    row.addEventListener("submit", async (event) => {
      event.preventDefault(); event.stopPropagation();
      const data = new FormData(event.target); if (event.submitter?.name) data.set(event.submitter.name, event.submitter.value);
      const answer = await ask(event.target.action, data);
      told(answer); composer.errors(answer.errors || (answer.http === 200 ? {} : { files: [answer.message || word("Unreachable")] }));
    });
  });
})();
