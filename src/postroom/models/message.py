"""Single mails: what came in and is no report, and what goes out one by one."""

from django.db import models


class Message(models.Model):
    workspace = models.ForeignKey("Workspace", null=True, on_delete=models.CASCADE)
    account = models.ForeignKey("Account", null=True, on_delete=models.SET_NULL)
    direction = models.CharField(max_length=3)  # in, out
    #: system (reset, notice), test (a campaign's test send), single (written by a person or a program), reply, other
    purpose = models.CharField(max_length=10, default="other")
    raw = models.ForeignKey("Blob", null=True, on_delete=models.PROTECT)
    message_id = models.CharField(max_length=255, blank=True)
    subject = models.TextField(blank=True)
    from_address = models.CharField(max_length=254, blank=True)
    to_address = models.TextField(blank=True)
    cc_address = models.TextField(blank=True)
    #: Kept for the sender; in no copy that goes out.
    bcc_address = models.TextField(blank=True)
    #: Given by who asked for it: the same again is the same message, not a second one.
    send_key = models.CharField(max_length=100, blank=True)
    #: Not before; the undo window, or a later moment a person chose.
    send_at = models.DateTimeField(null=True)
    campaign = models.ForeignKey("Campaign", null=True, on_delete=models.SET_NULL)
    delivery = models.ForeignKey("Delivery", null=True, on_delete=models.SET_NULL, related_name="+")
    #: What it is about (CM-05); the label stays when the type is deleted.
    type = models.ForeignKey(
        "MessageType", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    user = models.ForeignKey("User", null=True, on_delete=models.SET_NULL)
    is_read = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["workspace", "-created_at"], name="message_newest")]
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "user", "send_key"],
                condition=~models.Q(send_key=""),
                name="message_send_once",
            )
        ]
