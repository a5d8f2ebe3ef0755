"""Addresses we do not mail, and why."""

from django.db import models


class SuppressionForm(models.TextChoices):
    ADDRESS = "address"  # user@firm.pl
    DOMAIN = "domain"  # @firm.pl
    SUBDOMAINS = "subdomains"  # @*.firm.pl
    LOCAL = "local"  # name@


class SuppressionSource(models.TextChoices):
    MANUAL = "manual"
    UNSUBSCRIBE = "unsubscribe"
    COMPLAINT = "complaint"
    BOUNCE = "bounce"
    IMPORT = "import"


class Suppression(models.Model):
    """Every automatic block. `owner` set = personal; `contact_list` set = only mail to that list."""

    # No index of its own: the planner would take it for the check at dispatch instead of the one on (workspace, value).
    workspace = models.ForeignKey("Workspace", on_delete=models.CASCADE, db_index=False)
    form = models.CharField(max_length=10, choices=SuppressionForm.choices)
    #: address: canonical address; domain and subdomains: the bare domain; local: the local part. Lower case.
    value = models.CharField(max_length=254)
    owner = models.ForeignKey("User", null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    contact_list = models.ForeignKey("ContactList", null=True, blank=True, on_delete=models.CASCADE)
    source = models.CharField(max_length=12, choices=SuppressionSource.choices)
    why = models.TextField(blank=True)
    by = models.ForeignKey("User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    event = models.ForeignKey("Event", null=True, blank=True, on_delete=models.SET_NULL)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "value", "form", "owner", "contact_list", "source"],
                nulls_distinct=False,
                name="suppression_once",
            )
        ]
        indexes = [
            # Begins with what the check at dispatch never asks for, so that the planner does not take it there.
            models.Index(
                fields=["source", "workspace", "id"],
                name="suppression_listed",
                condition=models.Q(owner__isnull=True),
            ),
            models.Index(
                fields=["owner", "source", "id"],
                name="suppression_own",
                condition=models.Q(owner__isnull=False),
            ),
            models.Index(
                fields=["workspace"],
                name="suppression_subdomains",
                condition=models.Q(form="subdomains"),
            ),
        ]


class SuppressionImport(models.Model):
    """A file of entries brought in. `done` counts lines read; a job that is run again goes on after it."""

    workspace = models.ForeignKey("Workspace", on_delete=models.CASCADE)
    #: Whose personal entries they become; null = shared.
    owner = models.ForeignKey("User", null=True, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey("User", null=True, on_delete=models.SET_NULL, related_name="+")
    file = models.ForeignKey("Blob", on_delete=models.PROTECT)
    file_name = models.CharField(max_length=255)
    why = models.TextField(blank=True)
    #: running, done, failed
    state = models.CharField(max_length=10, default="running")
    lines = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    accepted = models.PositiveIntegerField(default=0)
    duplicates = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)


class SuppressionLineError(models.Model):
    """A line that could not be read, with the reason in words."""

    run = models.ForeignKey(SuppressionImport, on_delete=models.CASCADE, related_name="line_errors")
    line = models.PositiveIntegerField()
    text = models.CharField(max_length=100, blank=True)
    reason = models.CharField(max_length=300)
