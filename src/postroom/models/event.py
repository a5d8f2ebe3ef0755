"""Everything that came back, with the raw bytes."""

from django.db import models
from django.utils import timezone


class Strength(models.TextChoices):
    SIGNED = "signed"
    NAMED = "named"
    LIKELY = "likely"
    NONE = "none"


class Event(models.Model):
    """One mail that came in. Raw bytes are stored first; recognising and matching can be repeated.

    Identity is (collector, uidvalidity, uid) for IMAP, or `token_key` (queue name of the ingress) for SMTP.
    """

    # No index for a key that leads to what is never deleted and that nothing is looked up by.
    workspace = models.ForeignKey("Workspace", null=True, on_delete=models.CASCADE, db_index=False)
    account = models.ForeignKey("Account", null=True, on_delete=models.SET_NULL, db_index=False)
    collector = models.ForeignKey("Collector", null=True, on_delete=models.SET_NULL)
    folder = models.CharField(max_length=255, blank=True)
    uidvalidity = models.BigIntegerField(default=0)
    uid = models.BigIntegerField(default=0)
    raw = models.ForeignKey("Blob", on_delete=models.PROTECT, db_index=False)
    #: Where it came in: imap, smtp, lmtp, page (an unsubscribe click).
    source = models.CharField(max_length=5)
    envelope_from = models.CharField(max_length=254, blank=True)
    envelope_to = models.CharField(max_length=254, blank=True)
    received_at = models.DateTimeField(auto_now_add=True)
    #: "" = not looked at yet; else a Kind of mail/recognise.
    kind = models.CharField(max_length=12, blank=True)
    error = models.TextField(blank=True)
    subject = models.TextField(blank=True)
    from_address = models.CharField(max_length=254, blank=True)
    #: Strongest match of its reports.
    strength = models.CharField(max_length=6, choices=Strength.choices, default=Strength.NONE)
    campaign = models.ForeignKey("Campaign", null=True, on_delete=models.SET_NULL, db_index=False)
    message = models.ForeignKey("Message", null=True, on_delete=models.SET_NULL, db_index=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "folder", "uidvalidity", "uid"],
                name="event_once",
                condition=models.Q(source="imap"),
            )
        ]
        indexes = [
            models.Index(fields=["workspace", "-received_at"], name="event_newest"),
            models.Index(fields=["id"], name="event_waiting", condition=models.Q(kind="")),
            # not that of the key, which would bring a second one along for LIKE
            models.Index(fields=["raw"], name="event_raw"),
            models.Index(fields=["message"], name="event_message", condition=models.Q(message__isnull=False)),
            # what matches nothing we sent
            models.Index(
                fields=["workspace", "-received_at", "-id"],
                name="event_loose",
                condition=models.Q(strength__in=("none", "likely"), message__isnull=True)
                & ~models.Q(kind=""),
            ),
        ]


class EventReport(models.Model):
    """What an event says of one recipient, and the delivery it was matched to."""

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="reports")
    workspace = models.ForeignKey("Workspace", null=True, on_delete=models.CASCADE)
    delivery = models.ForeignKey("Delivery", null=True, on_delete=models.CASCADE, related_name="reports")
    kind = models.CharField(max_length=12)
    strength = models.CharField(max_length=6, choices=Strength.choices, default=Strength.NONE)
    #: How it was found: envelope, envid, returned, reference, text, recipient.
    found_by = models.CharField(max_length=10, blank=True)
    recipient = models.CharField(max_length=254, blank=True)
    action = models.CharField(max_length=12, blank=True)
    status = models.CharField(max_length=12, blank=True)
    code = models.CharField(max_length=3, blank=True)
    reason = models.CharField(max_length=40, blank=True)
    bounce_class = models.CharField(max_length=16, blank=True)
    words = models.TextField(blank=True)
    disposition = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["workspace", "recipient"], name="report_recipient", condition=~models.Q(recipient="")
            )
        ]


class LogLine(models.Model):
    """Connections, errors and changes of state, and lines of imported logs; never a body or a secret.

    What became of each recipient is not here: the log page reads that from deliveries and events.
    """

    workspace = models.ForeignKey("Workspace", null=True, on_delete=models.CASCADE)
    account = models.ForeignKey("Account", null=True, on_delete=models.SET_NULL)
    at = models.DateTimeField(default=timezone.now)
    direction = models.CharField(max_length=4, blank=True)
    stage = models.CharField(max_length=20, blank=True)
    level = models.CharField(max_length=8, default="info")
    words = models.TextField(blank=True)
    message_id = models.CharField(max_length=255, blank=True)
    #: The server's own name for the mail.
    queue_id = models.CharField(max_length=60, blank=True)
    address = models.CharField(max_length=254, blank=True)
    duration_ms = models.PositiveIntegerField(null=True)
    #: Of an imported line: what makes it known a second time (SHA-256 of the line, hexadecimal); "" = our own.
    line_hash = models.CharField(max_length=64, blank=True)
    #: Of which import; "" = our own.
    source = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "line_hash"], condition=~models.Q(line_hash=""), name="log_line_once"
            )
        ]
        indexes = [
            models.Index(fields=["workspace", "-at", "-id"], name="log_newest"),
            models.Index(
                fields=["workspace", "-at", "-id"], name="log_trouble", condition=~models.Q(level="info")
            ),
            models.Index(
                fields=["workspace", "address"], name="log_address", condition=~models.Q(address="")
            ),
            models.Index(
                fields=["workspace", "message_id"], name="log_message", condition=~models.Q(message_id="")
            ),
            models.Index(
                fields=["workspace", "queue_id"], name="log_queue", condition=~models.Q(queue_id="")
            ),
        ]
