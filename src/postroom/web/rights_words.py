"""Rights in plain words, in the groups of the profiles page."""

from django.utils.translation import gettext_lazy as _

from postroom.models.profile import Right

#: (heading, ((right, what it lets its people do), ...)). A test proves that no right is missing.
GROUPS = (
    (
        _("Mailings"),
        (
            (Right.CAMPAIGNS_SEND, _("Make, start, pause and cancel campaigns")),
            (Right.TEMPLATES_EDIT, _("Make templates, and change those they may change")),
            (Right.TYPES_MANAGE, _("Make, rename and delete message types")),
        ),
    ),
    (
        _("Contacts"),
        (
            (Right.CONTACTS_EDIT, _("Add, change, import and delete people; make lists")),
            (Right.CONTACTS_EXPORT, _("Take people out of the house as a file")),
            (Right.SUPPRESSIONS_EDIT, _("Put addresses on the shared suppression list and take them off")),
            (Right.SUPPRESSIONS_EXPORT, _("Take the suppression list out of the house as a file")),
            (Right.EXCLUSIONS_EDIT, _("Make exclusion sets")),
        ),
    ),
    (
        _("Mail accounts and domains"),
        (
            (Right.ACCOUNTS_ADD, _("Connect mail accounts of their own")),
            (Right.ACCOUNTS_MANAGE, _("See and change every mail account, give it another owner")),
            (Right.ACCOUNTS_APPROVE, _("Let accounts on the firm's own server send")),
            (Right.DOMAINS_MANAGE, _("Add and prove domains, hold their keys")),
            (Right.GROUPS_MANAGE, _("Make and change e-mail groups")),
        ),
    ),
    (
        _("The workspace"),
        (
            (Right.USERS_MANAGE, _("Invite people, switch them off, give profiles")),
            (Right.LOG_VIEW, _("Read the mailer's log and the audit trail")),
            (Right.TOKENS_ADD, _("Make API tokens for other programs")),
            (Right.WORKSPACE_MANAGE, _("Change what concerns the whole firm: policies, limits, its name")),
        ),
    ),
)

#: How far the archive reaches: (value, word, what it means).
ARCHIVES = (
    ("own", _("Their own"), _("What they sent themselves")),
    (
        "team",
        _("Their team's"),
        _("Also what those sent who have this profile too, but from no private account"),
    ),
    ("all", _("Everybody's"), _("Every message and campaign of the workspace they may look into")),
)

#: Roles: (value, word, what it means).
ROLES = (
    ("member", _("Member"), _("May do what the profiles below allow")),
    ("admin", _("Administrator"), _("May do everything but see to owners")),
    ("owner", _("Owner"), _("May do everything")),
)


def role_word(role: str) -> str:
    return next((str(word) for value, word, _means in ROLES if value == role), role)
