"""One row per recipient, and the shards in which rows are sent. States: docs/message-states.md."""

from django.contrib.postgres.fields import ArrayField
from django.db import models


class DeliveryState(models.TextChoices):
    QUEUED = "queued"
    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    SKIPPED = "skipped"


class Arrival(models.TextChoices):
    UNKNOWN = "unknown"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"
    DELAYED = "delayed"
    BOUNCED = "bounced"


class Reading(models.TextChoices):
    NONE = "none"
    DISPLAYED = "displayed"
    DELETED_UNREAD = "deleted_unread"
    AUTOMATIC = "automatic"
    HEURISTIC = "heuristic"


class Delivery(models.Model):
    """One message to one recipient: state, time, the server's own words. The id is in the token."""

    workspace = models.ForeignKey("Workspace", on_delete=models.CASCADE, db_index=False, db_constraint=False)
    #: Either a campaign's row, or that of a single message.
    campaign = models.ForeignKey(
        "Campaign", null=True, on_delete=models.CASCADE, db_index=False, db_constraint=False
    )
    message = models.ForeignKey(
        "Message",
        null=True,
        on_delete=models.CASCADE,
        db_index=False,
        db_constraint=False,
        related_name="deliveries",
    )
    #: 1.. within the campaign.
    position = models.PositiveIntegerField(default=0)
    contact = models.ForeignKey(
        "Contact", null=True, on_delete=models.SET_NULL, db_index=False, db_constraint=False
    )
    address = models.CharField(max_length=254)
    canonical = models.CharField(max_length=254)
    #: The contact's own address where a detail took its place (SA-11); suppressed is who is suppressed by either.
    primary_canonical = models.CharField(max_length=254, null=True)
    name = models.CharField(max_length=400, blank=True)
    #: The merge values the template uses, as frozen.
    fields = models.JSONField(default=dict)

    state = models.CharField(max_length=10, default=DeliveryState.QUEUED)
    #: = state when that is failed, deferred, uncertain or skipped, else null. Indexed instead of `state`, so that an
    #: accepted row (nearly all) touches no index.
    trouble = models.CharField(max_length=10, null=True)
    #: Why skipped (skip order of the glossary), or the bounce reason of a failure.
    reason = models.CharField(max_length=40, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    queued_at = models.DateTimeField(null=True)
    retry_at = models.DateTimeField(null=True)
    #: When `state` was reached.
    state_at = models.DateTimeField(null=True)
    #: The deciding reply.
    code = models.PositiveSmallIntegerField(default=0)
    words = models.TextField(blank=True)
    bounce_class = models.CharField(max_length=16, blank=True)
    dsn_requested = models.BooleanField(default=False)
    #: Earlier tries: [{"at", "kind", "stage", "code", "words"}], and what a person decided.
    tries = models.JSONField(default=list)
    #: The retry shard in which it waits for another try; 0 = none (then its range shard, while it is queued).
    retry_shard = models.BigIntegerField(default=0)

    arrival = models.CharField(max_length=10, default=Arrival.UNKNOWN)
    arrival_at = models.DateTimeField(null=True)
    reading = models.CharField(max_length=16, default=Reading.NONE)
    reading_at = models.DateTimeField(null=True)
    unsubscribed_at = models.DateTimeField(null=True)
    replied_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["campaign", "position"], name="delivery_position"),
            models.Index(
                fields=["campaign", "trouble", "position"],
                name="delivery_trouble",
                condition=models.Q(trouble__isnull=False),
            ),
            # Reports change these, sending does not.
            models.Index(
                fields=["campaign", "arrival", "position"],
                name="delivery_arrival",
                condition=~models.Q(arrival="unknown"),
            ),
            models.Index(
                fields=["campaign", "reading", "position"],
                name="delivery_reading",
                condition=~models.Q(reading="none"),
            ),
            models.Index(
                fields=["campaign", "position"],
                name="delivery_replied",
                condition=models.Q(replied_at__isnull=False),
            ),
            models.Index(
                fields=["campaign", "position"],
                name="delivery_unsubscribed",
                condition=models.Q(unsubscribed_at__isnull=False),
            ),
            models.Index(fields=["workspace", "canonical"], name="delivery_address"),
            models.Index(
                fields=["message"], name="delivery_message", condition=models.Q(message__isnull=False)
            ),
            models.Index(fields=["contact"], name="delivery_contact"),
            # Not found by way of the person: searched in by themselves.
            models.Index(
                fields=["campaign", "position"],
                name="delivery_loose",
                condition=models.Q(campaign__isnull=False)
                & (models.Q(contact__isnull=True) | models.Q(primary_canonical__isnull=False)),
            ),
            models.Index(
                fields=["campaign", "retry_at"],
                name="delivery_due",
                condition=models.Q(retry_at__isnull=False),
            ),
        ]


class Shard(models.Model):
    """A piece of work claimed whole: a range of positions, or (retry shard) a list of delivery ids.

    mark: how many rows of it may have touched a socket. On disk before the first byte of any of them.
    epoch: grows at each claim; every write of a worker carries it.
    """

    workspace = models.ForeignKey("Workspace", on_delete=models.CASCADE)
    account = models.ForeignKey("Account", on_delete=models.CASCADE)
    campaign = models.ForeignKey("Campaign", null=True, on_delete=models.CASCADE)
    first = models.PositiveIntegerField(default=0)
    size = models.PositiveIntegerField()
    delivery_ids = ArrayField(models.BigIntegerField(), null=True)
    mark = models.PositiveIntegerField(default=0)
    epoch = models.PositiveIntegerField(default=0)
    #: Grows with each recorded mini-batch: a commit whose answer was lost is recognised and not done twice.
    step = models.PositiveIntegerField(default=0)
    worker = models.CharField(max_length=80, blank=True)
    lease_until = models.DateTimeField(null=True)
    #: Not claimed before.
    ready_at = models.DateTimeField()
    is_done = models.BooleanField(default=False)
    # Figures of the rows last decided here; written with the outcomes.
    accepted = models.IntegerField(default=0)
    failed = models.IntegerField(default=0)
    deferred = models.IntegerField(default=0)
    uncertain = models.IntegerField(default=0)
    skipped = models.IntegerField(default=0)

    class Meta:
        indexes = [
            models.Index(fields=["ready_at"], name="shard_open", condition=models.Q(is_done=False)),
            models.Index(fields=["campaign"], name="shard_campaign"),
        ]


class CampaignFigures(models.Model):
    """What came back, counted with the rows it changed; in several rows so that reports do not queue up."""

    campaign = models.ForeignKey("Campaign", on_delete=models.CASCADE)
    lane = models.PositiveSmallIntegerField()
    accepted = models.IntegerField(default=0)
    failed = models.IntegerField(default=0)
    deferred = models.IntegerField(default=0)
    uncertain = models.IntegerField(default=0)
    skipped = models.IntegerField(default=0)
    delivered = models.IntegerField(default=0)
    relayed = models.IntegerField(default=0)
    expanded = models.IntegerField(default=0)
    delayed = models.IntegerField(default=0)
    bounced = models.IntegerField(default=0)
    displayed = models.IntegerField(default=0)
    deleted_unread = models.IntegerField(default=0)
    automatic = models.IntegerField(default=0)
    heuristic = models.IntegerField(default=0)
    unsubscribed = models.IntegerField(default=0)
    replied = models.IntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "lane"], name="figures_once")]


class CampaignPace(models.Model):
    """How many were decided in a slice of ten seconds, by one delivery process: the source of rate and time left."""

    campaign = models.ForeignKey("Campaign", on_delete=models.CASCADE)
    worker = models.CharField(max_length=80)
    slice_at = models.DateTimeField()
    decided = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "slice_at", "worker"], name="campaign_pace_once")
        ]


class SendingMinute(models.Model):
    """What one delivery process decided for an account in one minute, and in which shards: the way from a time to its
    rows, of which no index knows (an index on `state_at` would cost each accepted row a write of its own).
    """

    account = models.ForeignKey("Account", on_delete=models.CASCADE, db_index=False)
    worker = models.CharField(max_length=80)
    #: Its beginning.
    minute_at = models.DateTimeField()
    accepted = models.PositiveIntegerField(default=0)
    deferred = models.PositiveIntegerField(default=0)
    #: And uncertain.
    failed = models.PositiveIntegerField(default=0)
    shards = ArrayField(models.BigIntegerField(), default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "minute_at", "worker"], name="sending_minute_once")
        ]


class Worker(models.Model):
    """A delivery process that is alive."""

    name = models.CharField(max_length=80, primary_key=True)
    started_at = models.DateTimeField()
    seen_until = models.DateTimeField()
