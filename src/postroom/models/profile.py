"""Rights: profiles of users, what is shared with whom, invitations and API tokens."""

from enum import StrEnum

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower


class Right(StrEnum):
    """What a profile lets its people do in the workspace. Owners and admins may do everything."""

    #: Make, start, pause and cancel campaigns.
    CAMPAIGNS_SEND = "campaigns.send"
    #: Add, change, import and delete people; make lists.
    CONTACTS_EDIT = "contacts.edit"
    #: Take people out of the house as a file.
    CONTACTS_EXPORT = "contacts.export"
    #: Make templates; change those one owns or was given.
    TEMPLATES_EDIT = "templates.edit"
    #: Make, rename and delete message types.
    TYPES_MANAGE = "types.manage"
    #: Put addresses on the shared suppression list and take them off.
    SUPPRESSIONS_EDIT = "suppressions.edit"
    #: Take the suppression list out of the house as a file.
    SUPPRESSIONS_EXPORT = "suppressions.export"
    #: Make exclusion sets.
    EXCLUSIONS_EDIT = "exclusions.edit"
    #: Make mail accounts of one's own.
    ACCOUNTS_ADD = "accounts.add"
    #: See and change every mail account, give it another owner.
    ACCOUNTS_MANAGE = "accounts.manage"
    #: Let accounts on the firm's own server send.
    ACCOUNTS_APPROVE = "accounts.approve"
    #: Add and prove domains, hold their keys.
    DOMAINS_MANAGE = "domains.manage"
    #: Invite people, switch them off, give profiles.
    USERS_MANAGE = "users.manage"
    #: Make and change e-mail groups.
    GROUPS_MANAGE = "groups.manage"
    #: Read the mailer's log and the audit trail.
    LOG_VIEW = "log.view"
    #: Make API tokens.
    TOKENS_ADD = "tokens.add"
    #: Change what concerns the whole firm: policies, limits, its name.
    WORKSPACE_MANAGE = "workspace.manage"


#: What a new workspace's first profile ("Office") may do.
OFFICE_RIGHTS = (
    Right.CAMPAIGNS_SEND,
    Right.CONTACTS_EDIT,
    Right.CONTACTS_EXPORT,
    Right.TEMPLATES_EDIT,
    Right.SUPPRESSIONS_EDIT,
    Right.SUPPRESSIONS_EXPORT,
    Right.EXCLUSIONS_EDIT,
    Right.ACCOUNTS_ADD,
    Right.TOKENS_ADD,
)


class ArchiveScope(models.TextChoices):
    """Whose sent mail is found in the archive (AR-01), from the narrowest."""

    OWN = "own"
    #: Also of those with whom one shares a profile, but for mail from another person's private account.
    TEAM = "team"
    ALL = "all"


class Profile(models.Model):
    """A named group of users with rights; types, templates, lists and accounts are made available to it."""

    workspace = models.ForeignKey("Workspace", on_delete=models.CASCADE, related_name="profiles")
    name = models.CharField(max_length=120)
    rights = ArrayField(models.CharField(max_length=30), default=list)
    #: People who join get it without being asked.
    is_default = models.BooleanField(default=False)
    archive_scope = models.CharField(max_length=4, choices=ArchiveScope.choices, default=ArchiveScope.TEAM)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint("workspace", Lower("name"), name="profile_name_once")]

    def __str__(self) -> str:
        return self.name


class ProfileMember(models.Model):
    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey("User", on_delete=models.CASCADE, related_name="profile_members")
    #: Whose default template this person gets (CM-11).
    is_primary = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["profile", "user"], name="profile_member_once")]


class Visibility(models.TextChoices):
    PRIVATE = "private"
    PROFILES = "profiles"
    WORKSPACE = "workspace"


class May(StrEnum):
    """What may be done with one thing (GW-04)."""

    #: See what is in it; of an account: read its mailbox.
    VIEW = "view"
    EDIT = "edit"
    #: Send with it: to a list, from an account, by a template, with an exclusion set.
    USE = "use"
    EXPORT = "export"


class Shared(models.Model):
    """What can be private or shared. `NOUN` names it in `Share`, `OWNER` is the field of the person whose it is."""

    NOUN = ""
    OWNER = "created_by"

    visibility = models.CharField(max_length=10, choices=Visibility.choices, default=Visibility.WORKSPACE)
    #: What everybody of the workspace may, where visibility is "workspace".
    everyone = ArrayField(models.CharField(max_length=6), default=list)

    class Meta:
        abstract = True


class Share(models.Model):
    """One thing given to one profile or one person; what exactly is in `may`. Ignored while the thing is private."""

    workspace = models.ForeignKey("Workspace", on_delete=models.CASCADE)
    #: list, template, type, account, campaign, exclusion
    noun = models.CharField(max_length=12)
    noun_id = models.BigIntegerField()
    profile = models.ForeignKey(Profile, null=True, blank=True, on_delete=models.CASCADE)
    user = models.ForeignKey("User", null=True, blank=True, on_delete=models.CASCADE)
    may = ArrayField(models.CharField(max_length=6), default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["noun", "noun_id", "profile", "user"], nulls_distinct=False, name="share_once"
            ),
            models.CheckConstraint(
                condition=models.Q(profile__isnull=True) ^ models.Q(user__isnull=True), name="share_to_one"
            ),
        ]
        indexes = [models.Index(fields=["workspace", "noun", "noun_id"], name="share_noun")]


class Invitation(models.Model):
    """A person asked to join. The link's secret is kept as a digest; it works once, until `expires_at`."""

    workspace = models.ForeignKey("Workspace", on_delete=models.CASCADE, related_name="invitations")
    email = models.CharField(max_length=254)
    role = models.CharField(max_length=10, default="member")
    profile_ids = ArrayField(models.BigIntegerField(), default=list)
    digest = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey("User", null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)


class ApiToken(models.Model):
    """A key for other programs: acts as its person, never beyond its scopes. Kept as a digest."""

    workspace = models.ForeignKey("Workspace", on_delete=models.CASCADE)
    user = models.ForeignKey("User", on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=120)
    digest = models.CharField(max_length=64, unique=True)
    #: What people recognise it by: its first characters.
    prefix = models.CharField(max_length=12)
    #: Words of queries/rights.py: SCOPES.
    scopes = ArrayField(models.CharField(max_length=30), default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)


class TokenCalls(models.Model):
    """How many requests came with a token in the minute it was last used in. Unlogged: nothing is lost with it."""

    token = models.OneToOneField(ApiToken, primary_key=True, on_delete=models.CASCADE, related_name="+")
    #: Whole minutes since 1970, by the clock of the database.
    minute = models.BigIntegerField()
    calls = models.IntegerField()
