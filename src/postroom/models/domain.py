"""Domains of a workspace: what proves them, their signing keys, and the addresses in them."""

from django.db import models

from postroom.models.secret import SecretField


class ProvedBy(models.TextChoices):
    NONE = ""
    #: The token stood in DNS.
    DNS = "dns"
    #: The administrator's word, where DNS is private.
    WORD = "word"


class Domain(models.Model):
    """A name after the @-sign. Many workspaces may add one; one of them proves it."""

    workspace = models.ForeignKey("Workspace", on_delete=models.CASCADE, related_name="domains")
    #: Lower case, A-labels (RFC 5890), no dot at the end.
    name = models.CharField(max_length=253)
    #: What the TXT record at _postroom.NAME holds.
    token = models.CharField(max_length=80)
    proved_at = models.DateTimeField(null=True)
    proved_by = models.CharField(max_length=4, choices=ProvedBy.choices, default=ProvedBy.NONE, blank=True)
    #: {"proof" | "spf" | "dmarc" | "mx" | "bounce": mail.dns_records.Finding.to_json()} of the last check.
    checks = models.JSONField(default=dict, blank=True)
    checked_at = models.DateTimeField(null=True)
    created_by = models.ForeignKey("User", null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "name"], name="domain_once"),
            models.UniqueConstraint(
                fields=["name"], condition=models.Q(proved_at__isnull=False), name="domain_proved_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class DomainCheck(models.Model):
    """A look into DNS asked for by a page, done by a daemon."""

    domain = models.ForeignKey(Domain, on_delete=models.CASCADE, related_name="asked")
    state = models.CharField(max_length=8, default="waiting")  # waiting, running, done
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["domain"], condition=models.Q(state="waiting"), name="domain_check_waits_once"
            )
        ]


class DkimKey(models.Model):
    """A signing key (RFC 6376). Its private half is wiped when it retires; the record stays for mail on its way."""

    class State(models.TextChoices):
        #: Made, not used yet: its record is to be published.
        NEXT = "next"
        ACTIVE = "active"
        RETIRED = "retired"

    domain = models.ForeignKey(Domain, on_delete=models.CASCADE, related_name="keys")
    selector = models.CharField(max_length=63)
    algorithm = models.CharField(max_length=8, default="rsa2048")
    #: PEM, PKCS 8.
    private_key = SecretField(blank=True)
    #: What stands behind p= in the record.
    public_key = models.TextField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.NEXT)
    #: Of the record in DNS, as last looked: mail.dns_records.Finding.to_json().
    seen = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    #: First seen in DNS, or said to be there.
    published_at = models.DateTimeField(null=True)
    retired_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["domain", "selector"], name="dkim_selector_once"),
            models.UniqueConstraint(
                fields=["domain"], condition=models.Q(state="active"), name="dkim_active_once"
            ),
            models.UniqueConstraint(
                fields=["domain"], condition=models.Q(state="next"), name="dkim_next_once"
            ),
        ]


class AddressKind(models.TextChoices):
    #: Of a person who signs in here.
    USER = "user"
    #: Of a mail account.
    ACCOUNT = "account"
    #: Another name of a person or an account.
    ALIAS = "alias"
    #: Known from the firm's mail server.
    IMPORTED = "imported"


class LocalAddress(models.Model):
    """An address that exists in one of our domains. Mailboxes are elsewhere."""

    workspace = models.ForeignKey("Workspace", on_delete=models.CASCADE, related_name="local_addresses")
    domain = models.ForeignKey(Domain, on_delete=models.CASCADE, related_name="addresses")
    #: In its canonical form (mail/address.py).
    address = models.CharField(max_length=254)
    kind = models.CharField(max_length=8, choices=AddressKind.choices)
    user = models.ForeignKey("User", null=True, on_delete=models.CASCADE, related_name="local_addresses")
    account = models.ForeignKey(
        "Account", null=True, on_delete=models.CASCADE, related_name="local_addresses"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "address"], name="local_address_once")]
