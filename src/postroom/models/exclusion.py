"""Sets of addresses and domains that are taken out of a mailing when somebody asks for it, and never by themselves."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from postroom.models.profile import Shared


class ExclusionSource(models.TextChoices):
    TEXT = "text"  # typed, pasted or uploaded
    URL = "url"  # read again on use
    FILE = "file"  # below POSTROOM_EXCLUSION_FOLDER, read again on use


def _everyone() -> list[str]:
    return ["view", "use", "edit", "export"]


class Exclusion(Shared):
    """A set. For `url` and `file` its entries are the copy of `read_at`."""

    NOUN = "exclusion"
    everyone = ArrayField(models.CharField(max_length=6), default=_everyone)

    workspace = models.ForeignKey("Workspace", on_delete=models.CASCADE, related_name="exclusions")
    name = models.CharField(max_length=120)
    source = models.CharField(max_length=4, choices=ExclusionSource.choices, default=ExclusionSource.TEXT)
    #: The address of a page, or the path below the folder.
    place = models.CharField(max_length=2000, blank=True)
    created_by = models.ForeignKey("User", null=True, on_delete=models.SET_NULL)
    version = models.PositiveIntegerField(default=1)
    #: Entries, kept with them; no page counts them.
    size = models.PositiveIntegerField(default=0)
    #: Lines of the last reading that were neither address nor domain, and the first of them: [[line, text]].
    refused = models.PositiveIntegerField(default=0)
    refused_lines = models.JSONField(default=list)
    #: Reading was asked for; null = nothing is being read.
    asked_at = models.DateTimeField(null=True)
    #: The last reading that worked.
    read_at = models.DateTimeField(null=True)
    #: Why the last reading did not work; "" = it did.
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class ExclusionEntry(models.Model):
    exclusion = models.ForeignKey(
        Exclusion, on_delete=models.CASCADE, related_name="entries", db_index=False, db_constraint=False
    )
    is_domain = models.BooleanField()
    #: Canonical address or bare domain, lower case.
    value = models.CharField(max_length=254)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["exclusion", "is_domain", "value"], name="exclusion_entry_once")
        ]


class CampaignExclusion(models.Model):
    """Sets applied to a draft in one step; the newest can be undone."""

    campaign = models.ForeignKey("Campaign", on_delete=models.CASCADE, related_name="exclusion_steps")
    #: [{"id", "name"}] as they were called then.
    sets = models.JSONField(default=list)
    #: People this step left out.
    people = models.PositiveIntegerField(default=0)
    #: The lists of the draft then, and the last member row of all: newer ones were not looked at.
    list_ids = ArrayField(models.BigIntegerField(), default=list)
    last_member = models.BigIntegerField(default=0)
    by = models.ForeignKey("User", null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(auto_now_add=True)


class CampaignOmission(models.Model):
    """A person on the lists of a draft who is left out of it."""

    step = models.ForeignKey(CampaignExclusion, on_delete=models.CASCADE, related_name="omissions")
    campaign = models.ForeignKey("Campaign", on_delete=models.CASCADE, db_index=False, db_constraint=False)
    contact = models.ForeignKey("Contact", on_delete=models.CASCADE, db_constraint=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "contact"], name="omission_once")]
