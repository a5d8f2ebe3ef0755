/* Selections with a bar of acts, and fields put into a text at the cursor. */
(() => {
  "use strict";
  const $$ = (s, el = document) => [...el.querySelectorAll(s)];

  // [data-bulk] is shown while boxes named by it are ticked; [data-count] inside says how many
  const count = () => $$("[data-bulk]").forEach((bar) => {
    const boxes = $$(bar.dataset.bulk), chosen = boxes.filter((box) => box.checked).length;
    bar.hidden = !chosen;
    $$("[data-count]").forEach((el) => { el.textContent = chosen; });
    $$("[data-all]").forEach((all) => { all.checked = chosen > 0 && chosen === boxes.length; all.indeterminate = chosen > 0 && chosen < boxes.length; });
    boxes.forEach((box) => box.closest("tr")?.setAttribute("aria-selected", box.checked));
  });
  document.addEventListener("change", (event) => { if (event.target.matches("input[type=checkbox]")) count(); });
  document.addEventListener("pr:selection", count);
  addEventListener("pageshow", count);
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-clear]")) { $$("input[type=checkbox]:checked", document.querySelector("main table")).forEach((box) => { box.checked = false; }); count(); }
  });

  // fields: the text last worked in takes them
  let last = null;
  document.addEventListener("focusin", (event) => { if (event.target.matches("[data-takes-fields]")) last = event.target; });
  document.addEventListener("click", (event) => {
    const pick = event.target.closest("[data-field]");
    if (!pick) return;
    const fallback = document.getElementById("field-fallback")?.value.trim() ?? "";
    const box = last ?? document.querySelector("[data-takes-fields]:not([hidden])");
    if (!box) return;
    const safe = fallback.replaceAll('"', "”").replace(/[{}\\]/g, "");
    box.focus();
    box.setRangeText(safe ? `{{ ${pick.dataset.field} | default: "${safe}" }}` : `{{ ${pick.dataset.field} }}`, box.selectionStart, box.selectionEnd, "end");
    box.dispatchEvent(new Event("input", { bubbles: true }));
    document.getElementById("fields")?.hidePopover?.();
  });
  // the menu of fields opens below the button that was pressed, inside the window
  document.addEventListener("toggle", (event) => {
    const box = event.target;
    if (box.id !== "fields" || event.newState !== "open") return;
    const at = document.querySelector('[popovertarget="fields"]').getBoundingClientRect(), size = box.getBoundingClientRect();
    box.style.top = `${Math.max(8, Math.min(at.bottom + 4, innerHeight - size.height - 8))}px`;
    box.style.left = `${Math.max(8, Math.min(at.left, innerWidth - size.width - 8))}px`;
  }, true);
  // [data-drop="#form"]: files dropped there go into the file field of that form, and it is sent
  const dropping = (event) => (event.dataTransfer?.types.includes("Files") ? event.target.closest?.("[data-drop]") : null);
  document.addEventListener("dragover", (event) => { if (event.dataTransfer?.types.includes("Files") && document.querySelector("[data-drop]")) { event.preventDefault(); $$("[data-drop]").forEach((box) => box.classList.toggle("is-drop", box === dropping(event))); } });
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) $$("[data-drop]").forEach((box) => box.classList.remove("is-drop")); });
  document.addEventListener("drop", (event) => {
    if (event.dataTransfer?.types.includes("Files") && document.querySelector("[data-drop]")) event.preventDefault();  // beside it: the page must not be left for the file
    const box = dropping(event); if (!box) return;
    box.classList.remove("is-drop");
    const form = document.querySelector(box.dataset.drop), input = form?.querySelector("input[type=file]"); if (!input) return;
    input.files = event.dataTransfer.files; form.requestSubmit();
  });
  document.addEventListener("input", (event) => {
    if (!event.target.matches("[data-narrow]")) return;
    const plain = (text) => text.toLowerCase().normalize("NFKD").replace(/[\u0300-\u036f]/g, "").replaceAll("ł", "l");
    const words = plain(event.target.value.trim());
    $$(event.target.dataset.narrow).forEach((el) => { el.hidden = !plain(el.textContent).includes(words); });
  });
})();
