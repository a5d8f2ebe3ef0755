"""Single mails: what came in and is no report, and what goes out one by one."""

from django.db import models


class Message(models.Model):
    workspace = models.ForeignKey("Workspace", null=True, on_delete=models.CASCADE)
    account = models.ForeignKey("Account", null=True, on_delete=models.SET_NULL)
    direction = models.CharField(max_length=3)  # in, out
    #: system (reset, notice), test (a campaign's test send), reply, other
    purpose = models.CharField(max_length=10, default="other")
    raw = models.ForeignKey("Blob", null=True, on_delete=models.PROTECT)
    message_id = models.CharField(max_length=255, blank=True)
    subject = models.TextField(blank=True)
    from_address = models.CharField(max_length=254, blank=True)
    to_address = models.TextField(blank=True)
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
