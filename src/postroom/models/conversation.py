"""What a team talks over with one correspondent: mails in a thread, who sees to it, notes that stay in the house."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models


class ConversationState(models.TextChoices):
    OPEN = "open"
    #: For an answer from outside.
    WAITING = "waiting"
    DONE = "done"


class Conversation(models.Model):
    """Seen by whoever may read its account (May.VIEW). The figures are kept with each mail that joins or leaves."""

    # Each mail that joins changes `last_at`, and with it every index that holds the row: so there are few, most of them
    # of the rows alone that have the key. Users, accounts, campaigns and types are never deleted.
    workspace = models.ForeignKey("Workspace", on_delete=models.CASCADE, db_index=False)
    account = models.ForeignKey(
        "Account", null=True, on_delete=models.SET_NULL, related_name="conversations", db_index=False
    )
    subject = models.TextField(blank=True)
    #: `subject` without Re:, Odp: and the like, folded: threads are proposed by it, never joined.
    topic = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=8, choices=ConversationState.choices, default=ConversationState.OPEN)
    assignee = models.ForeignKey(
        "User", null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    #: Who gave it to the assignee and when; a notice stands on their pages until they open it (told_at).
    assigned_by = models.ForeignKey(
        "User", null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    assigned_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)
    type = models.ForeignKey(
        "MessageType", null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    record = models.ForeignKey(
        "Record", null=True, on_delete=models.SET_NULL, related_name="conversations", db_index=False
    )
    campaign = models.ForeignKey(
        "Campaign", null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    #: Who it is with: the first address that is not ours.
    person_address = models.CharField(max_length=254, blank=True)
    person_name = models.CharField(max_length=200, blank=True)
    snippet = models.CharField(max_length=200, blank=True)
    message_count = models.PositiveIntegerField(default=0)
    unread_count = models.PositiveIntegerField(default=0)
    #: Of the newest mail.
    last_at = models.DateTimeField()
    last_direction = models.CharField(max_length=3, default="in")
    #: Where it went by a person's hand; it is shown no more itself.
    merged_into = models.ForeignKey(
        "Conversation", null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["workspace", "account", "state", "-last_at"], name="conversation_shelf"),
            models.Index(
                fields=["workspace", "assignee", "state", "-last_at"],
                name="conversation_mine",
                condition=models.Q(assignee__isnull=False),
            ),
            models.Index(fields=["workspace", "state", "-last_at"], name="conversation_newest"),
            models.Index(fields=["workspace", "person_address"], name="conversation_person"),
            models.Index(
                fields=["record"], name="conversation_record", condition=models.Q(record__isnull=False)
            ),
            models.Index(
                fields=["merged_into"],
                name="conversation_merged",
                condition=models.Q(merged_into__isnull=False),
            ),
        ]


class Note(models.Model):
    """Words of a colleague on a conversation; they never leave the house."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="notes")
    user = models.ForeignKey("User", null=True, on_delete=models.SET_NULL, related_name="+")
    text = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True)


class Presence(models.Model):
    """Who has a conversation open now, and whether they are answering it."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="present")
    user = models.ForeignKey("User", on_delete=models.CASCADE, related_name="+")
    seen_at = models.DateTimeField()
    is_writing = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["conversation", "user"], name="presence_once")]


class PictureTrust(models.Model):
    """A sender whose pictures from elsewhere this person always has fetched, while the sender is proven."""

    workspace = models.ForeignKey("Workspace", on_delete=models.CASCADE)
    user = models.ForeignKey("User", on_delete=models.CASCADE, related_name="+")
    #: Canonical.
    address = models.CharField(max_length=254)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "user", "address"], name="picture_trust_once")
        ]


class MessageWords(models.Model):
    """What a mail is found by: its words folded (no accents, lower case), in the database's plain search vector."""

    message = models.OneToOneField(
        "Message", primary_key=True, on_delete=models.CASCADE, related_name="words"
    )
    workspace_id = models.BigIntegerField()
    account_id = models.BigIntegerField(null=True)
    #: The same as the mail's: it is searched by conversations.
    conversation_id = models.BigIntegerField(null=True)
    at = models.DateTimeField()
    #: The words of mail/words.py as they are: array_to_tsvector, no parser of the database.
    vector = SearchVectorField()

    class Meta:
        indexes = [
            GinIndex(fields=["vector"], name="message_words_gin"),
            models.Index(fields=["conversation_id"], name="message_words_conversation"),
        ]
