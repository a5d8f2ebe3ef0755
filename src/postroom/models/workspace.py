"""The instance, its workspaces (one firm each), and who belongs to them."""

from django.db import models


class Instance(models.Model):
    """The one row about this installation (id 1)."""

    url = models.CharField(max_length=200, blank=True)
    allow_private_hosts = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)


class Workspace(models.Model):
    name = models.CharField(max_length=120)
    language = models.CharField(max_length=5, default="en")
    time_zone = models.CharField(max_length=64, default="Europe/Warsaw")
    #: Host of return paths (the bounce domain); "" = returns go to the account's own address.
    bounce_host = models.CharField(max_length=253, blank=True)
    notice_account = models.ForeignKey(
        "Account", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    allow_clear_text_login = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"


class Membership(models.Model):
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey("User", on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.MEMBER)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "user"], name="membership_once")]


class AuditLine(models.Model):
    """Who changed what."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    user = models.ForeignKey("User", null=True, on_delete=models.SET_NULL)
    at = models.DateTimeField(auto_now_add=True)
    verb = models.CharField(max_length=60)
    noun = models.CharField(max_length=40)
    noun_id = models.BigIntegerField(null=True)
    details = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["workspace", "noun", "noun_id"], name="audit_noun")]
