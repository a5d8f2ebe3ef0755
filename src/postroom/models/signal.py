"""Signals: short live messages to a group, shown on the open pages of its members and told to their other channels."""

from django.db import models

from postroom.models.secret import SecretField

#: Letters of one.
SIGNAL_MAX = 280


class Signal(models.Model):
    workspace = models.ForeignKey("Workspace", on_delete=models.CASCADE)
    group = models.ForeignKey("Group", on_delete=models.CASCADE, related_name="signals")
    user = models.ForeignKey("User", null=True, on_delete=models.SET_NULL, related_name="+")
    text = models.CharField(max_length=SIGNAL_MAX)
    sent_at = models.DateTimeField(auto_now_add=True)


class SignalCopy(models.Model):
    """For one person. Shown on their pages until they put it away."""

    signal = models.ForeignKey(Signal, on_delete=models.CASCADE, related_name="copies")
    user = models.ForeignKey("User", on_delete=models.CASCADE, related_name="+")
    seen_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["signal", "user"], name="signal_copy_once")]
        indexes = [
            models.Index(fields=["user", "signal"], name="signal_unseen", condition=models.Q(seen_at=None))
        ]


class ChannelKind(models.TextChoices):
    #: A browser that may show notices (RFC 8030): `address` is JSON {"endpoint", "p256dh", "auth"}.
    PUSH = "push"
    #: POST of JSON {"text", "group", "from"} to `address`.
    WEBHOOK = "webhook"
    #: The same in the form that Slack, Mattermost and Rocket.Chat take: {"text"}.
    CHAT = "chat"
    #: An address of the apprise package, of any service that it knows.
    APPRISE = "apprise"


class Channel(models.Model):
    """Where else a person is told of signals."""

    workspace = models.ForeignKey("Workspace", on_delete=models.CASCADE)
    user = models.ForeignKey("User", on_delete=models.CASCADE, related_name="channels")
    kind = models.CharField(max_length=8, choices=ChannelKind.choices)
    title = models.CharField(max_length=120, blank=True)
    #: Holds the right to write there, so it is kept like a password.
    address = SecretField()
    #: Digest of `address`, to know it again.
    mark = models.CharField(max_length=64)
    #: Refusals in a row; a browser that said that it is gone is deleted.
    failures = models.PositiveSmallIntegerField(default=0)
    words = models.TextField(blank=True)
    used_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "mark"], name="channel_once")]


class SignalSend(models.Model):
    """One signal through one channel: at most once, even when the job runs again."""

    signal = models.ForeignKey(Signal, on_delete=models.CASCADE, related_name="+")
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["signal", "channel"], name="signal_send_once")]
