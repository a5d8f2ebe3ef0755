"""What is needed to take back what a person has just deleted."""

from django.db import models


class UndoStep(models.Model):
    """Kept for an hour at most; `rows` are the values of what is gone, as its action wrote them."""

    workspace = models.ForeignKey("Workspace", on_delete=models.CASCADE)
    user = models.ForeignKey("User", null=True, on_delete=models.CASCADE)
    #: What put them there: contacts, list_members, list, suppressions, template.
    noun = models.CharField(max_length=20)
    rows = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
