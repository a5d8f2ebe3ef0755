"""Messages being written: kept while typing, one person's own."""

from django.db import models


class Draft(models.Model):
    """A message before it is sent, as typed. `message` is set once it was sent, and not for a second time.

    html holds marked blocks (mail/blocks.py): templates, a signature and what is quoted.
    """

    workspace = models.ForeignKey("Workspace", on_delete=models.CASCADE)
    user = models.ForeignKey("User", on_delete=models.CASCADE)
    account = models.ForeignKey("Account", null=True, on_delete=models.SET_NULL, related_name="+")
    to = models.TextField(blank=True)
    cc = models.TextField(blank=True)
    bcc = models.TextField(blank=True)
    subject = models.TextField(blank=True)
    html = models.TextField(blank=True)
    #: The plain text part; "" = made from html.
    text = models.TextField(blank=True)
    type = models.ForeignKey("MessageType", null=True, on_delete=models.SET_NULL, related_name="+")
    #: Shown to colleagues who have the conversation open: somebody answers already.
    conversation = models.ForeignKey(
        "Conversation", null=True, on_delete=models.SET_NULL, related_name="drafts"
    )
    record = models.ForeignKey("Record", null=True, on_delete=models.SET_NULL, related_name="+")
    #: Who was chosen from the lists and not typed: {canonical address: {"kind": user, contact or record, "id"}}.
    picked = models.JSONField(default=dict)
    #: Not before; null = at once.
    send_at = models.DateTimeField(null=True)
    #: What is answered or passed on.
    in_reply_to = models.ForeignKey("Message", null=True, on_delete=models.SET_NULL, related_name="+")
    #: Ids in angle brackets for In-Reply-To and References (blanks between), "" for a message that answers nothing.
    reply_id = models.TextField(blank=True)
    references = models.TextField(blank=True)
    #: The template put in last.
    template = models.ForeignKey("Template", null=True, on_delete=models.SET_NULL, related_name="+")
    #: The default template's block as it was put in; "" = there is none.
    inserted = models.TextField(blank=True)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    message = models.OneToOneField("Message", null=True, on_delete=models.SET_NULL, related_name="draft")
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["user", "-updated_at"], name="draft_newest")]


class DraftFile(models.Model):
    draft = models.ForeignKey(Draft, on_delete=models.CASCADE, related_name="files")
    blob = models.ForeignKey("Blob", on_delete=models.PROTECT)
    name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=120)


class Upload(models.Model):
    """A file on its way into a draft, in pieces: what has come lies in a file of its own until it is whole."""

    draft = models.ForeignKey(Draft, on_delete=models.CASCADE, related_name="uploads")
    name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=120)
    size_bytes = models.BigIntegerField()
    #: Bytes that have come.
    offset = models.BigIntegerField(default=0)
    #: What the browser knows the file by: the same file chosen again goes on where it stopped.
    mark = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["draft", "mark"], name="upload_once")]


class Signature(models.Model):
    """What stands below one's letters: from one account, or (account null) from each that has none of its own."""

    workspace = models.ForeignKey("Workspace", on_delete=models.CASCADE)
    user = models.ForeignKey("User", on_delete=models.CASCADE)
    account = models.ForeignKey("Account", null=True, on_delete=models.CASCADE)
    html = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "user", "account"], nulls_distinct=False, name="signature_once"
            )
        ]
