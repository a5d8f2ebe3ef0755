"""The instance, its workspaces (one firm each), and who belongs to them."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from postroom.models.profile import Visibility
from postroom.models.secret import SecretField


class Instance(models.Model):
    """The one row about this installation (id 1)."""

    url = models.CharField(max_length=200, blank=True)
    allow_private_hosts = models.BooleanField(default=False)
    # the relay of platform accounts; host "" = there is none
    relay_host = models.CharField(max_length=253, blank=True)
    relay_port = models.PositiveIntegerField(default=25)
    relay_security = models.CharField(max_length=10, default="starttls")
    relay_login = models.CharField(max_length=254, blank=True)
    relay_password = SecretField(blank=True)
    relay_verify_certificate = models.BooleanField(default=True)
    #: Campaigns sent at the same time on this installation; 0 = no limit (PI-01).
    parallel_runs = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)


#: What runs when it is opened; the large mail services refuse nearly the same ones.
_RUNS = (
    "ade adp apk appx appxbundle bat cab chm cmd com cpl dll dmg ex ex_ exe hta ins isp iso jar js jse lib lnk "
    "mde msc msi msix msixbundle msp mst nsh pif ps1 scr sct shb sys vb vbe vbs vhd vxd wsc wsf wsh xll"
)


def blocked_by_default() -> list[str]:
    return _RUNS.split()


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
    #: What new lists and templates are where a person chose no place of their own (GW-04).
    default_visibility = models.CharField(
        max_length=10, choices=Visibility.choices, default=Visibility.WORKSPACE
    )
    #: shared, personal or both (SX-05)
    suppression_policy = models.CharField(max_length=8, default="both")
    #: Endings of files, lower case and without the dot, that are attached to no message (CM-47).
    blocked_files = ArrayField(models.CharField(max_length=20), default=blocked_by_default, blank=True)
    #: Outsiders whom a manager adds to a group are asked first (EG-19).
    confirm_members = models.BooleanField(default=False)
    # set by the administrator of the instance (GW-07); 0 = no limit
    seats = models.PositiveIntegerField(default=0)
    parallel_runs = models.PositiveIntegerField(default=0)
    parallel_runs_each = models.PositiveIntegerField(default=0)  # of one person
    per_minute = models.PositiveIntegerField(default=0)
    per_hour = models.PositiveIntegerField(default=0)
    per_day = models.PositiveIntegerField(default=0)
    #: Platform accounts of workspaces with at most so many contacts are approved at once (SA-13); 0 = never.
    approve_below = models.PositiveIntegerField(default=0)
    #: Lines of the mailer's log are kept so many days (CM-51).
    log_days = models.PositiveSmallIntegerField(default=90)
    version = models.PositiveIntegerField(default=1)
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
    #: Switched off here. Who is switched off everywhere cannot sign in (User.is_active).
    is_active = models.BooleanField(default=True)
    #: When they last opened a page here; kept to the minute.
    seen_at = models.DateTimeField(null=True, blank=True)
    # working location (GW-06): where new things land; "" = as the workspace says
    place = models.CharField(max_length=10, choices=Visibility.choices, default="", blank=True)
    place_profile = models.ForeignKey(
        "Profile", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
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
        indexes = [
            models.Index(fields=["workspace", "noun", "noun_id"], name="audit_noun"),
            models.Index(fields=["workspace", "-id"], name="audit_newest"),
        ]
