"""Mail accounts, the reading side of them, probes of their settings, and the hold on their limits."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from postroom.models.profile import Shared, Visibility
from postroom.models.secret import SecretField


class Security(models.TextChoices):
    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


class AccountStatus(models.TextChoices):
    UNTESTED = "untested"
    OK = "ok"
    FAILING = "failing"
    PAUSED = "paused"


class AccountKind(models.TextChoices):
    OWN = "own"
    PLATFORM = "platform"


class Approval(models.TextChoices):
    """The operator's word on a platform account (SA-13); "" for an own one."""

    NONE = ""
    DRAFT = "draft"
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    SUSPENDED = "suspended"


class Protocol(models.TextChoices):
    IMAP = "imap"
    #: Legacy only (CM-02): the reading side's host, port, security and login are then those of the POP3 server.
    POP3 = "pop3"


class ProxyKind(models.TextChoices):
    NONE = ""
    SOCKS5 = "socks5"
    HTTP = "http"


#: Logins refused in a row after which reading switches itself off: a server locks who goes on (CM-54).
REFUSALS = 3


def _everyone() -> list[str]:
    return ["use"]


class Account(Shared):
    """A mail account: SMTP side always, IMAP side (its mailbox) optional (`imap_host` empty = none).

    kind "platform": sent through the instance's relay, signed by us; its own SMTP fields stay empty.
    visibility "workspace" is the switch "sharing" of SA-24; `Share.may` view = read, use = send, edit = manage (CM-27).
    """

    NOUN = "account"
    OWNER = "owner"
    visibility = models.CharField(max_length=10, choices=Visibility.choices, default=Visibility.PRIVATE)
    everyone = ArrayField(models.CharField(max_length=6), default=_everyone)
    kind = models.CharField(max_length=10, choices=AccountKind.choices, default=AccountKind.OWN)

    workspace = models.ForeignKey("Workspace", on_delete=models.CASCADE, related_name="accounts")
    owner = models.ForeignKey("User", null=True, on_delete=models.SET_NULL, related_name="accounts")
    name = models.CharField(max_length=120)
    address = models.CharField(max_length=254)
    #: "Name of this mailbox": From display name on sent mail (CM-22).
    display_name = models.CharField(max_length=120, blank=True)
    reply_to_address = models.CharField(max_length=254, blank=True)
    reply_to_name = models.CharField(max_length=120, blank=True)

    # overrides (SA-07, SA-11): keys of contact fields; kept but not used while the switch is off
    override_from = models.BooleanField(default=False)
    override_from_address = models.CharField(max_length=60, blank=True)
    override_from_name = models.CharField(max_length=60, blank=True)
    override_to = models.BooleanField(default=False)
    override_to_address = models.CharField(max_length=60, blank=True)
    override_to_name = models.CharField(max_length=60, blank=True)

    approval = models.CharField(max_length=10, choices=Approval.choices, default=Approval.NONE, blank=True)
    approval_reason = models.TextField(blank=True)
    approval_by = models.ForeignKey("User", null=True, on_delete=models.SET_NULL, related_name="+")
    approval_at = models.DateTimeField(null=True)
    #: Who asked for the approval last; neither they nor the owner give it.
    submitted_by = models.ForeignKey("User", null=True, on_delete=models.SET_NULL, related_name="+")
    submitted_at = models.DateTimeField(null=True)

    #: Used by the API, processes and notices; not in a person's sender list unless also granted (CM-26).
    integration = models.BooleanField(default=False)
    type_in = models.ForeignKey("MessageType", null=True, on_delete=models.SET_NULL, related_name="+")
    type_out = models.ForeignKey("MessageType", null=True, on_delete=models.SET_NULL, related_name="+")

    proxy_kind = models.CharField(max_length=6, choices=ProxyKind.choices, default=ProxyKind.NONE, blank=True)
    proxy_host = models.CharField(max_length=253, blank=True)
    proxy_port = models.PositiveIntegerField(default=1080)
    proxy_login = models.CharField(max_length=254, blank=True)
    proxy_password = SecretField(blank=True)

    protocol = models.CharField(max_length=4, choices=Protocol.choices, default=Protocol.IMAP)
    #: Was a POP3 account once: never again (CM-04).
    pop3_locked = models.BooleanField(default=False)
    #: Mails that were read by POP3 stay in the mailbox (CM-03).
    pop3_leave = models.BooleanField(default=True)

    smtp_host = models.CharField(max_length=253, blank=True)
    smtp_port = models.PositiveIntegerField(default=587)
    smtp_security = models.CharField(max_length=10, choices=Security.choices, default=Security.STARTTLS)
    smtp_authenticate = models.BooleanField(default=True)
    smtp_login = models.CharField(max_length=254, blank=True)
    smtp_password = SecretField(blank=True)

    imap_host = models.CharField(max_length=253, blank=True)
    imap_port = models.PositiveIntegerField(default=993)
    imap_security = models.CharField(max_length=10, choices=Security.choices, default=Security.TLS)
    imap_login = models.CharField(max_length=254, blank=True)
    imap_password = SecretField(blank=True)
    #: The SMTP side signs in with the IMAP side's user and password (CM-23).
    smtp_same_as_imap = models.BooleanField(default=False)

    #: All folders are read and answered from here; otherwise only the inbox is, for what comes back.
    is_mailbox = models.BooleanField(default=False)
    #: Files a copy of each single mail it sends in the folder for sent mail.
    keep_sent = models.BooleanField(default=True)
    #: A catch-all mailbox: mail in it to the address of a group is a posting, for firms whose MX stays as it is.
    takes_groups = models.BooleanField(default=False)

    verify_certificate = models.BooleanField(default=True)
    #: Who typed the stored passwords: only on their word do they go to another server. None = the owner.
    secrets_by = models.ForeignKey("User", null=True, on_delete=models.SET_NULL, related_name="+")

    # limits; 0 = none
    per_minute = models.PositiveIntegerField(default=0)
    per_hour = models.PositiveIntegerField(default=0)
    per_day = models.PositiveIntegerField(default=0)
    #: At most `per_span` in any `span_minutes`: providers count in 2 or 12 hours too.
    per_span = models.PositiveIntegerField(default=0)
    span_minutes = models.PositiveIntegerField(default=0)
    #: After so many messages the account rests for `pause_s` seconds.
    pause_every = models.PositiveIntegerField(default=0)
    pause_s = models.PositiveIntegerField(default=0)
    connections = models.PositiveIntegerField(default=4)
    messages_per_connection = models.PositiveIntegerField(default=0)

    status = models.CharField(max_length=10, choices=AccountStatus.choices, default=AccountStatus.UNTESTED)
    status_reason = models.TextField(blank=True)
    status_since = models.DateTimeField(null=True)
    #: Not used before this moment (421, throttling, dead server).
    paused_until = models.DateTimeField(null=True)
    #: Troubles in a row that paused it; back to 0 with the first accepted message.
    troubles = models.PositiveSmallIntegerField(default=0)
    #: The last finished probe: {"at", "smtp": ProbeSide, "imap": ProbeSide}.
    last_test = models.JSONField(default=dict, blank=True)
    #: {"dsn", "eight_bit", "smtputf8", "size"} as last seen in EHLO.
    capabilities = models.JSONField(default=dict, blank=True)
    plus_tag = models.BooleanField(default=False)
    #: The account's server adds a DKIM signature; a condition of one-click unsubscribing (RFC 8058 section 4).
    signs_dkim = models.BooleanField(default=False)

    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["workspace", "name"], name="account_name")]

    def __str__(self) -> str:
        return self.name


class Collector(models.Model):
    """The reading side of an account: which folder is read, how far, and how it went (BC-01, BC-03)."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="collectors")
    folder = models.CharField(max_length=255, default="INBOX")
    #: What the folder is for (RFC 6154): inbox, sent, drafts, junk, trash, archive; "" = another.
    role = models.CharField(max_length=8, blank=True)
    #: As shown to people: decoded, without the way to it.
    title = models.CharField(max_length=255, blank=True)
    #: CONDSTORE (RFC 7162): flags changed after this are new to us; 0 = the server has none.
    modseq = models.BigIntegerField(default=0)
    message_count = models.PositiveIntegerField(default=0)
    #: No longer on the server.
    gone_at = models.DateTimeField(null=True)
    #: Who last switched the reading on or off, and when.
    switched_by = models.ForeignKey("User", null=True, on_delete=models.SET_NULL, related_name="+")
    switched_at = models.DateTimeField(null=True)
    is_on = models.BooleanField(default=True)
    #: Of an account's other folders: chosen to be read with the first one.
    is_wanted = models.BooleanField(default=True)
    interval_s = models.PositiveIntegerField(default=900)
    use_idle = models.BooleanField(default=True)
    uidvalidity = models.BigIntegerField(default=0)
    #: The last UID taken; everything above is new.
    last_uid = models.BigIntegerField(default=0)
    #: The first reading passes over what arrived long before this moment: a mailbox may hold years of mail.
    take_from = models.DateTimeField(default=timezone.now)
    last_ok_at = models.DateTimeField(null=True)
    last_new = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)
    error_code = models.CharField(max_length=40, blank=True)
    error_since = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)
    next_run_at = models.DateTimeField(null=True)
    #: Logins refused in a row (CM-54); only a reading that went well, or the switch, clears it.
    refusals = models.PositiveSmallIntegerField(default=0)
    #: The name of who was told that it switched itself off; "" = nobody could be.
    told_to = models.CharField(max_length=200, blank=True)
    #: When somebody last asked for it to be read now; not begun while next_run_at is null.
    asked_at = models.DateTimeField(null=True)
    #: Since when it is being read: so many mails of so many. Null = it is not, or waits for mail.
    begun_at = models.DateTimeField(null=True)
    taken = models.PositiveIntegerField(default=0)
    to_take = models.PositiveIntegerField(default=0)
    #: Mails taken on that day of the workspace's time zone.
    day = models.DateField(null=True)
    day_new = models.PositiveIntegerField(default=0)
    #: Lease (BC-07): who reads it now, until when on the database's clock.
    holder = models.CharField(max_length=80, blank=True)
    lease_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "folder"], name="collector_once")]


class PopMail(models.Model):
    """A mail that lay in the mailbox of a POP3 account, by the server's lasting name for it (RFC 1939 UIDL).

    Kept for good: after the change to IMAP its mails are known by message_id (CM-04).
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE)
    uidl = models.CharField(max_length=255)
    #: Runs upwards within the account; the `uid` of its Event.
    number = models.BigIntegerField()
    #: See mail/identity.py; "" = passed over unread.
    message_id = models.CharField(max_length=255, blank=True)
    #: None = passed over: it was there long before the account was.
    taken_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "uidl"], name="pop_mail_once"),
            models.UniqueConstraint(fields=["account", "number"], name="pop_mail_number_once"),
        ]
        indexes = [models.Index(fields=["account", "message_id"], name="pop_mail_message_id")]


class Probe(models.Model):
    """A test of account settings asked for by a page, done by a daemon (CM-28). Lives at most ten minutes."""

    workspace = models.ForeignKey("Workspace", on_delete=models.CASCADE)
    user = models.ForeignKey("User", on_delete=models.CASCADE)
    account = models.ForeignKey(Account, null=True, on_delete=models.CASCADE)
    #: JSON of the form's values with the secrets; emptied when the probe ends.
    form = SecretField(blank=True)
    state = models.CharField(max_length=10, default="waiting")  # waiting, running, done, cancelled
    #: Digest of the tested settings: tells whether an account's stored ones are these (actions/account_probe.py).
    fingerprint = models.CharField(max_length=64, blank=True)
    #: {"smtp": ProbeSide.to_json(), "imap": ...}, filled stage by stage.
    result = models.JSONField(default=dict)
    #: Whom a test message goes to when sending works (SA-27): the login address of `user`; "" = none is sent.
    letter_to = models.CharField(max_length=254, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)


class Discovery(models.Model):
    """A search for the servers of an address, asked for by a page. Lives at most ten minutes."""

    workspace = models.ForeignKey("Workspace", on_delete=models.CASCADE)
    user = models.ForeignKey("User", on_delete=models.CASCADE)
    address = models.CharField(max_length=254)
    state = models.CharField(max_length=8, default="waiting")  # waiting, running, done
    #: mail.discovery.Discovered.to_json()
    result = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)


class LimitBucket(models.Model):
    """Tokens handed out in one slice of one window of an account: the memory of its sliding windows."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE)
    window_s = models.PositiveIntegerField()
    slice_at = models.BigIntegerField()  # number of the slice since the epoch (slice = window / 60)
    taken = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "window_s", "slice_at"], name="limit_slice_once")
        ]


class WorkspaceBucket(models.Model):
    """The same of a whole workspace."""

    workspace = models.ForeignKey("Workspace", on_delete=models.CASCADE)
    window_s = models.PositiveIntegerField()
    slice_at = models.BigIntegerField()
    taken = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "window_s", "slice_at"], name="workspace_slice_once")
        ]


class AccountRest(models.Model):
    """Messages an account sent since its last pause; it rests until `until`."""

    account = models.OneToOneField(Account, primary_key=True, on_delete=models.CASCADE)
    sent = models.PositiveIntegerField(default=0)
    until = models.DateTimeField(null=True)


class ConnectionLease(models.Model):
    """One delivery process's hold on some of an account's connections."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE)
    worker = models.CharField(max_length=80)
    wanted = models.PositiveIntegerField(default=0)
    held = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "worker"], name="connection_lease_once")]
