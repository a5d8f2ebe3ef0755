/* "On this device": asks the browser for notices and hands its address to the server. */
document.addEventListener("DOMContentLoaded", () => {
  const button = document.querySelector("[data-push]"), wrong = document.getElementById("push-wrong");
  if (!button) return;
  const cannot = () => { wrong.hidden = false; button.disabled = false; };
  if (!("serviceWorker" in navigator) || !("PushManager" in window)) { button.hidden = true; wrong.hidden = false; return; }
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      if (await Notification.requestPermission() !== "granted") return cannot();
      const worker = await navigator.serviceWorker.register(button.dataset.worker);
      await new Promise((ready) => { const at = worker.active || worker.installing || worker.waiting; if (at.state === "activated") return ready(); at.addEventListener("statechange", () => { if (at.state === "activated") ready(); }); });
      const made = (await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: button.dataset.push })).toJSON();
      const form = button.form;
      form.elements.endpoint.value = made.endpoint; form.elements.p256dh.value = made.keys.p256dh; form.elements.auth.value = made.keys.auth;
      form.submit();
    } catch { cannot(); }
  });
});
