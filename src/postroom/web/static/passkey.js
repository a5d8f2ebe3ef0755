/* A passkey that was refused or cancelled is said in place. */
document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  const box = document.getElementById("passkey-error");
  if (box) box.hidden = false;
});
