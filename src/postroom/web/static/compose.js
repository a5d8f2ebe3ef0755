/* Writing a message: rows that buttons reveal, files dropped on the page. editor.js does the rest. */
(() => {
  "use strict";
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-reveal]"); if (!button) return;
    const row = document.getElementById(button.dataset.reveal), open = row.classList.toggle("is-open");
    button.setAttribute("aria-expanded", open);
    if (open) row.querySelector("input, textarea, select, a")?.focus();
  });
  const files = () => document.querySelector("#attach-files");
  document.addEventListener("dragover", (event) => { if (files() && event.dataTransfer?.types.includes("Files")) event.preventDefault(); });
  document.addEventListener("drop", (event) => {
    if (!files() || !event.dataTransfer?.files.length) return;
    event.preventDefault(); files().files = event.dataTransfer.files; files().form.requestSubmit();
  });
})();
