"""Calls to other systems: what happened to a message, signed, tried again until it was heard."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from postroom.models.secret import SecretField


class Webhook(models.Model):
    workspace = models.ForeignKey("Workspace", on_delete=models.CASCADE, related_name="webhooks")
    url = models.CharField(max_length=500)
    #: Signs each call (HMAC-SHA256).
    secret = SecretField()
    #: The one before, with which each call is signed too until then: a receiver changes in its own time.
    old_secret = SecretField(blank=True)
    old_secret_until = models.DateTimeField(null=True)
    #: Which of queries/webhook.py's names; empty = all of single messages, none of campaigns.
    events = ArrayField(models.CharField(max_length=30), default=list)
    is_on = models.BooleanField(default=True)
    #: Why it was switched off by itself.
    error = models.TextField(blank=True)
    #: Since when no call was taken; None = the last one was, or there was none.
    failing_since = models.DateTimeField(null=True)
    #: Not called before: nobody answered there.
    rests_until = models.DateTimeField(null=True)
    created_by = models.ForeignKey("User", null=True, on_delete=models.SET_NULL, related_name="+")
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)


class WebhookCall(models.Model):
    """One thing to tell one webhook. The id is told too: what is heard twice is known by it."""

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="calls", db_index=False)
    event = models.CharField(max_length=30)
    body = models.JSONField()
    tries = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField()
    #: Tried in vain for days, or its webhook is gone to rest.
    is_given_up = models.BooleanField(default=False)
    #: Taken by the receiver, or given up.
    done_at = models.DateTimeField(null=True)
    #: What the receiver answered last; 0 = it did not.
    code = models.PositiveSmallIntegerField(default=0)
    words = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["webhook", "-id"], name="webhook_call_newest"),
            models.Index(
                fields=["webhook", "next_at"],
                name="webhook_call_due",
                condition=models.Q(done_at__isnull=True),
            ),
        ]
