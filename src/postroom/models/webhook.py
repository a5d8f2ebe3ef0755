"""Calls to other systems: what happened to a message, signed, tried again until it was heard."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from postroom.models.secret import SecretField


class Webhook(models.Model):
    workspace = models.ForeignKey("Workspace", on_delete=models.CASCADE, related_name="webhooks")
    url = models.CharField(max_length=500)
    #: Signs each call (HMAC-SHA256).
    secret = SecretField()
    #: Which of queries/webhook.py's names; empty = all.
    events = ArrayField(models.CharField(max_length=30), default=list)
    is_on = models.BooleanField(default=True)
    #: Why it was switched off by itself.
    error = models.TextField(blank=True)
    created_by = models.ForeignKey("User", null=True, on_delete=models.SET_NULL, related_name="+")
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)


class WebhookCall(models.Model):
    """One thing to tell one webhook. The id is told too: what is heard twice is known by it."""

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="calls")
    event = models.CharField(max_length=30)
    body = models.JSONField()
    tries = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    code = models.PositiveSmallIntegerField(default=0)
    words = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["next_at"], name="webhook_call_due", condition=models.Q(done_at__isnull=True)
            )
        ]
