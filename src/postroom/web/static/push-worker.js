/* Shows a notice when a signal comes while no page is open. */
self.addEventListener("push", (event) => {
  let told = {};
  try { told = event.data.json(); } catch { told = { body: event.data ? event.data.text() : "" }; }
  const words = told.from ? `${told.body} (${told.from})` : told.body;
  event.waitUntil(self.registration.showNotification(told.title || "Postroom", { body: words, data: told.url }));
});
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(clients.openWindow(event.notification.data || "/"));
});
