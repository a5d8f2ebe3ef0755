"""E-mail groups: one address, every member (FEATURES 1.8), and what became of each posting."""

from django.contrib.postgres.fields import ArrayField
from django.db import models


class WhoMayPost(models.TextChoices):
    ANYONE = "anyone"
    MEMBERS = "members"
    NAMED = "named"
    #: Anyone, but a moderator looks at it first.
    APPROVED = "approved"


class Group(models.Model):
    """A virtual address whose mail is copied to its members. The eight options keep the names of the API (EG-15)."""

    workspace = models.ForeignKey("Workspace", on_delete=models.CASCADE, related_name="groups")
    domain = models.ForeignKey("Domain", on_delete=models.CASCADE, related_name="groups")
    #: The part before the @-sign, as typed.
    name = models.CharField(max_length=64)
    #: name@domain in its canonical form (mail/address.py).
    address = models.CharField(max_length=254)
    real_name = models.CharField(max_length=120, blank=True)
    description = models.TextField(blank=True)
    #: Through which mail account the copies leave; null = the instance's own relay.
    account = models.ForeignKey("Account", null=True, on_delete=models.SET_NULL, related_name="+")

    set_reply_to = models.BooleanField(default=True)
    expand = models.BooleanField(default=True)
    remove_author = models.BooleanField(default=True)
    reject_automatic = models.BooleanField(default=True)
    remove_to_and_cc = models.BooleanField(default=True)
    email_disabled = models.BooleanField(default=False)
    #: "Report delivery to group" (EG-11).
    final_delivery = models.BooleanField(default=False)
    signal_disabled = models.BooleanField(default=False)

    include_external_author = models.BooleanField(default=True)
    verify_to_cc = models.BooleanField(default=False)
    who_may_post = models.CharField(max_length=8, choices=WhoMayPost.choices, default=WhoMayPost.ANYONE)
    #: Bytes of a posting; 0 = the instance's limit.
    size_max = models.PositiveIntegerField(default=0)
    #: Members read older postings here.
    archive = models.BooleanField(default=True)

    created_by = models.ForeignKey("User", null=True, on_delete=models.SET_NULL, related_name="+")
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True)
    #: After its end the address is nobody's until then (EG-22).
    quarantined_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["address"], condition=models.Q(deleted_at=None), name="group_address_once"
            )
        ]

    def __str__(self) -> str:
        return self.address


class GroupMember(models.Model):
    """One of the members. subgroup or local_address say what kind it is; neither = an external address."""

    class State(models.TextChoices):
        ACTIVE = "active"
        #: Its mail came back again and again; managers were told.
        PAUSED = "paused"
        #: An outsider who was asked and has not said yes yet.
        UNCONFIRMED = "unconfirmed"

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="members")
    #: Canonical; of a sub-group its address.
    address = models.CharField(max_length=254)
    name = models.CharField(max_length=200, blank=True)
    subgroup = models.ForeignKey(Group, null=True, on_delete=models.CASCADE, related_name="parents")
    local_address = models.ForeignKey(
        "LocalAddress", null=True, on_delete=models.CASCADE, related_name="group_members"
    )
    state = models.CharField(max_length=11, choices=State.choices, default=State.ACTIVE)
    state_words = models.TextField(blank=True)
    failures = models.PositiveSmallIntegerField(default=0)
    #: Of an outsider who is asked first: when last, and when the answer came.
    asked_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    added_by = models.ForeignKey("User", null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["group", "address"], name="group_member_once")]


class GroupPerson(models.Model):
    """A manager (is told of failures, decides on held postings) or, by address, somebody who may post."""

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="people")
    user = models.ForeignKey("User", null=True, on_delete=models.CASCADE, related_name="+")
    #: Canonical; of who may post.
    address = models.CharField(max_length=254, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["group", "user", "address"], nulls_distinct=False, name="group_person_once"
            )
        ]


class PostingState(models.TextChoices):
    #: Stored, members not worked out yet.
    TAKEN = "taken"
    HELD = "held"
    SENT = "sent"
    #: A moderator's no, or nobody to send it to; `reason` says.
    DROPPED = "dropped"
    #: During the SMTP dialogue: only a line in the log, without its bytes.
    REFUSED = "refused"


class Posting(models.Model):
    """One mail to one group, and what its author asked to be told (RFC 3461). Copies are deliveries of `message`."""

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="postings")
    state = models.CharField(max_length=8, choices=PostingState.choices, default=PostingState.TAKEN)
    #: Why refused, held or dropped: a code of mail/posting.py.
    reason = models.CharField(max_length=40, blank=True)
    raw = models.ForeignKey("Blob", null=True, on_delete=models.PROTECT)
    message = models.OneToOneField("Message", null=True, on_delete=models.SET_NULL, related_name="posting")
    envelope_from = models.CharField(max_length=254, blank=True)
    author = models.CharField(max_length=254, blank=True)
    author_name = models.CharField(max_length=200, blank=True)
    subject = models.TextField(blank=True)
    #: Its Message-ID without angle brackets; the first posting of its thread, by References to kept postings (EG-04).
    msgid = models.CharField(max_length=255, blank=True)
    first = models.ForeignKey("Posting", null=True, on_delete=models.SET_NULL, related_name="+")
    #: Of a first posting by somebody outside: stays in Reply-To of the whole thread.
    outside_author = models.CharField(max_length=254, blank=True)
    size_bytes = models.PositiveIntegerField(default=0)
    # RFC 3461: what the author's side asked for the group's address.
    notify = models.CharField(max_length=40, blank=True)
    orcpt = models.CharField(max_length=500, blank=True)
    envid = models.CharField(max_length=100, blank=True)
    ret = models.CharField(max_length=4, blank=True)
    #: Options of the group as they were when it was taken (EG-18), and what the rules found out: queries/posting.py.
    options = models.JSONField(default=dict)
    #: Who handed it over, for the trace: "mail.example.org ([192.0.2.1])".
    peer = models.CharField(max_length=300, blank=True)
    #: All recipients of the SMTP transaction (EG-13, VerifyToCc).
    recipients = ArrayField(models.CharField(max_length=254), default=list)
    #: The group through which it came here, where that keeps us as one of its recipients (EG-08).
    parent = models.ForeignKey("Posting", null=True, on_delete=models.SET_NULL, related_name="children")
    #: Header fields of ours that every copy begins with, and the octets [begin, end) of `raw` that copies leave out:
    #: so the mail itself is stored once.
    front = models.TextField(blank=True)
    cuts = ArrayField(models.PositiveIntegerField(), default=list)
    decided_by = models.ForeignKey("User", null=True, on_delete=models.SET_NULL, related_name="+")
    decided_at = models.DateTimeField(null=True)
    taken_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["group", "-id"], name="posting_newest"),
            models.Index(fields=["msgid"], name="posting_msgid", condition=~models.Q(msgid="")),
            models.Index(fields=["id"], name="posting_open", condition=models.Q(state="taken")),
        ]


class PostingNews(models.Model):
    """What became of one copy and is to be told to somebody (EG-11), once for each `action` of RFC 3464."""

    delivery = models.ForeignKey("Delivery", on_delete=models.CASCADE, related_name="+", db_constraint=False)
    posting = models.ForeignKey(Posting, on_delete=models.CASCADE, related_name="news")
    action = models.CharField(max_length=9)
    told_at = models.DateTimeField(null=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["delivery", "action"], name="posting_news_once")]
        indexes = [
            models.Index(fields=["id"], name="posting_news_open", condition=models.Q(told_at=None)),
        ]
