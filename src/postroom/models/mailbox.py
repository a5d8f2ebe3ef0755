"""Mails as they lie in the folders of an account's mailbox, and what is to be changed there."""

from django.db import models


class Placement(models.Model):
    """One mail in one folder: identity is (account, folder, UIDVALIDITY, UID). A mail may lie in several."""

    folder = models.ForeignKey(
        "Collector", on_delete=models.CASCADE, related_name="placements", db_index=False
    )
    uidvalidity = models.BigIntegerField()
    uid = models.BigIntegerField()
    message = models.ForeignKey("Message", on_delete=models.CASCADE, related_name="placements")
    # Flags as the server last said (RFC 9051 section 2.3.2).
    is_seen = models.BooleanField(default=False)
    is_answered = models.BooleanField(default=False)
    is_flagged = models.BooleanField(default=False)
    #: $MDNSent (RFC 3503): a receipt was sent by some program.
    is_receipt_sent = models.BooleanField(default=False)
    #: No longer in the folder.
    gone_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["folder", "uidvalidity", "uid"], name="placement_once")
        ]


class MailboxChange(models.Model):
    """What a person did here and the server is still to be told. Done in order; kept a week as a trace."""

    account = models.ForeignKey("Account", on_delete=models.CASCADE, related_name="mailbox_changes")
    #: seen, unseen, answered, flagged, unflagged, receipt_sent, move, delete, append (the copy in the Sent folder)
    action = models.CharField(max_length=12)
    placement = models.ForeignKey(Placement, null=True, on_delete=models.CASCADE, related_name="changes")
    #: append: the mail that was sent.
    message = models.ForeignKey("Message", null=True, on_delete=models.CASCADE, related_name="+")
    #: move: where to.
    folder = models.ForeignKey("Collector", null=True, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey("User", null=True, on_delete=models.SET_NULL, related_name="+")
    tries = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["account", "id"], name="mailbox_change_open", condition=models.Q(done_at__isnull=True)
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["message"], name="mailbox_append_once", condition=models.Q(action="append")
            )
        ]
