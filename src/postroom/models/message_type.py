"""Message types: what a mail is about, in the firm's own words (CM-05)."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from postroom.models.profile import Shared


def _everyone() -> list[str]:
    return ["view", "use"]


class MessageType(Shared):
    """Deleted ones stay as rows: old mails keep the label (CM-08)."""

    NOUN = "type"

    workspace = models.ForeignKey("Workspace", on_delete=models.CASCADE, related_name="message_types")
    name = models.CharField(max_length=120)
    created_by = models.ForeignKey("User", null=True, on_delete=models.SET_NULL, related_name="+")
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True)

    everyone = ArrayField(models.CharField(max_length=6), default=_everyone)

    def __str__(self) -> str:
        return self.name
