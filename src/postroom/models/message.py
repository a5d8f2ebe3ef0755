"""Single mails: what came in and is no report, and what goes out one by one."""

from django.contrib.postgres.fields import ArrayField
from django.db import models


class Message(models.Model):
    # Each mail that is stored pays for each index, twice: when it comes in and when it joins a conversation. So no key
    # has one of its own but where it is looked up by it, and then of the rows alone that have one. Workspaces, users,
    # accounts and campaigns are never deleted.
    workspace = models.ForeignKey("Workspace", null=True, on_delete=models.CASCADE, db_index=False)
    account = models.ForeignKey("Account", null=True, on_delete=models.SET_NULL, db_index=False)
    direction = models.CharField(max_length=3)  # in, out
    #: system (reset, notice), test (a campaign's test send), single (written by a person or a program), posting (to the
    #: members of a group), receipt (RFC 8098, asked for by the sender); in: reply, other
    purpose = models.CharField(max_length=10, default="other")
    raw = models.ForeignKey("Blob", null=True, on_delete=models.PROTECT, db_index=False)
    message_id = models.CharField(max_length=255, blank=True)
    subject = models.TextField(blank=True)
    from_address = models.CharField(max_length=254, blank=True)
    to_address = models.TextField(blank=True)
    cc_address = models.TextField(blank=True)
    #: Kept for the sender; in no copy that goes out.
    bcc_address = models.TextField(blank=True)
    #: Of its recipients, those chosen from the lists: {canonical address: {"kind": user, contact or record, "id"}}.
    people = models.JSONField(default=dict)
    #: Given by who asked for it: the same again is the same message, not a second one.
    send_key = models.CharField(max_length=100, blank=True)
    #: Not before; the undo window, or a later moment a person chose.
    send_at = models.DateTimeField(null=True)
    campaign = models.ForeignKey("Campaign", null=True, on_delete=models.SET_NULL, db_index=False)
    delivery = models.ForeignKey(
        "Delivery", null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    #: What it is about (CM-05); the label stays when the type is deleted.
    type = models.ForeignKey(
        "MessageType", null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    #: Of outgoing ones: what it was begun from.
    template = models.ForeignKey(
        "Template", null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    user = models.ForeignKey("User", null=True, on_delete=models.SET_NULL, db_index=False)
    is_read = models.BooleanField(default=False)
    #: The thread it belongs to; null = none yet, or a mail of the system.
    conversation = models.ForeignKey(
        "Conversation", null=True, on_delete=models.SET_NULL, related_name="messages", db_index=False
    )
    #: When it was written or came in: INTERNALDATE of the mailbox, else the moment it was taken.
    at = models.DateTimeField(null=True)
    from_name = models.CharField(max_length=200, blank=True)
    #: Ids without angle brackets, as they stand in the header (RFC 5322 section 3.6.4), at most 50.
    in_reply_to = models.CharField(max_length=255, blank=True)
    references = ArrayField(models.CharField(max_length=255), default=list)
    #: The first words, in one line.
    snippet = models.CharField(max_length=200, blank=True)
    size_bytes = models.PositiveIntegerField(default=0)
    #: {"name", "type", "size_bytes"} each, in the order of the parts.
    files = models.JSONField(default=list)
    #: RFC 3834: nobody wrote it.
    is_automatic = models.BooleanField(default=False)
    #: Who asks to be told that it was read (RFC 8098 section 2.1); "" = nobody.
    receipt_to = models.CharField(max_length=254, blank=True)
    #: "" = not decided, sent, ignored, refused (may not be answered).
    receipt_state = models.CharField(max_length=8, blank=True)
    record = models.ForeignKey(
        "Record", null=True, on_delete=models.SET_NULL, related_name="messages", db_index=False
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            # What came in: all of it, and that of one mailbox among many (not by workspace too: that is the first's).
            models.Index(
                fields=["workspace", "-created_at", "-id"],
                name="message_newest",
                condition=models.Q(direction="in"),
            ),
            models.Index(
                fields=["account", "-created_at", "-id"],
                name="message_came",
                condition=models.Q(direction="in"),
            ),
            models.Index(fields=["conversation", "at"], name="message_thread"),
            # Not that of the key, which would bring a second one along for LIKE.
            models.Index(fields=["raw"], name="message_raw"),
            models.Index(
                fields=["delivery"], name="message_delivery", condition=models.Q(delivery__isnull=False)
            ),
            models.Index(fields=["type"], name="message_type", condition=models.Q(type__isnull=False)),
            models.Index(fields=["record"], name="message_record", condition=models.Q(record__isnull=False)),
            # The archive: what people and programs sent one by one.
            models.Index(
                fields=["workspace", "-created_at", "-id"],
                name="message_sent",
                condition=models.Q(direction="out", purpose="single"),
            ),
            models.Index(
                fields=["workspace", "user", "-created_at", "-id"],
                name="message_sent_by",
                condition=models.Q(direction="out", purpose="single"),
            ),
            models.Index(
                fields=["workspace", "message_id"], name="message_by_id", condition=~models.Q(message_id="")
            ),
            models.Index(
                fields=["workspace", "in_reply_to"],
                name="message_answers",
                condition=~models.Q(in_reply_to=""),
            ),
            models.Index(
                fields=["workspace", "account"],
                name="message_unread",
                condition=models.Q(direction="in", is_read=False),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "user", "send_key"],
                condition=~models.Q(send_key=""),
                name="message_send_once",
            )
        ]
