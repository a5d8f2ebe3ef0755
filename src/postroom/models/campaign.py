"""One mailing to many."""

from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.db import models

from postroom.models.profile import Shared

if TYPE_CHECKING:
    from postroom.models.contact import ContactList


class CampaignState(models.TextChoices):
    DRAFT = "draft"
    SCHEDULED = "scheduled"
    FREEZING = "freezing"
    RUNNING = "running"
    WAITING_FOR_SLOT = "waiting_for_slot"
    PAUSED = "paused"
    NEEDS_ACCOUNT = "needs_account"
    CANCELLED = "cancelled"
    FINISHED = "finished"


def _everyone() -> list[str]:
    return ["view", "use", "edit", "export"]


class Campaign(Shared):
    """A mailing. Content is edited while `draft`; from `freezing` on it stays as it is."""

    NOUN = "campaign"
    everyone = ArrayField(models.CharField(max_length=6), default=_everyone)

    workspace = models.ForeignKey("Workspace", on_delete=models.CASCADE, related_name="campaigns")
    name = models.CharField(max_length=120)
    account = models.ForeignKey("Account", null=True, blank=True, on_delete=models.PROTECT)
    template = models.ForeignKey("Template", null=True, blank=True, on_delete=models.SET_NULL)
    #: What it is about (CM-05); the label stays when the type is deleted.
    type = models.ForeignKey(
        "MessageType", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    subject = models.TextField(blank=True)
    html = models.TextField(blank=True)
    text = models.TextField(blank=True)
    receipt_delivery = models.BooleanField(default=False)
    receipt_read = models.BooleanField(default=False)
    #: Add List-Unsubscribe (mailto, and https where allowed).
    unsubscribe_header = models.BooleanField(default=True)
    #: An empty merge value without fallback: "skip" the recipient (render_error) or send it "empty".
    on_missing = models.CharField(max_length=5, default="skip")
    #: What happens to doubt by itself: "ask" a person, or "resend".
    on_doubt = models.CharField(max_length=6, default="ask")
    lists: "models.ManyToManyField[ContactList, models.Model]" = models.ManyToManyField(
        "ContactList", blank=True
    )

    #: The campaign with which it is one mailing: an address in both gets one copy (PI-03).
    mailing = models.ForeignKey(
        "Campaign", null=True, blank=True, on_delete=models.SET_NULL, related_name="siblings"
    )

    state = models.CharField(max_length=16, choices=CampaignState.choices, default=CampaignState.DRAFT)
    reason = models.TextField(blank=True)
    until = models.DateTimeField(null=True)
    throttled = models.TextField(blank=True)
    #: Which merge fields are in delivery.fields.
    frozen_fields = models.JSONField(default=list)
    #: Recipients whose own sender, or addressee, could not be used (SA-08, SA-11).
    from_fallback = models.PositiveIntegerField(default=0)
    to_fallback = models.PositiveIntegerField(default=0)
    #: Who it is from where the account's address and name are not wanted; a contact's detail goes before (SA-08).
    sender_address = models.CharField(max_length=254, blank=True)
    sender_name = models.CharField(max_length=200, blank=True)
    #: The bytes of the first copy that was printed, as it went out.
    sample = models.ForeignKey("Blob", null=True, on_delete=models.PROTECT, related_name="+")
    #: Recipients frozen.
    total = models.PositiveIntegerField(default=0)
    started_by = models.ForeignKey("User", null=True, on_delete=models.SET_NULL, related_name="+")
    created_by = models.ForeignKey("User", null=True, on_delete=models.SET_NULL, related_name="+")
    #: The undo window: nothing leaves before.
    start_at = models.DateTimeField(null=True)
    #: Since when it waits for a slot; its place in the line.
    waits_since = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    version = models.PositiveIntegerField(default=1)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["workspace", "-id"], name="campaign_newest")]

    def __str__(self) -> str:
        return self.name


class Attachment(models.Model):
    """A file that goes with every message of a campaign."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="attachments")
    blob = models.ForeignKey("Blob", on_delete=models.PROTECT)
    name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=120)
