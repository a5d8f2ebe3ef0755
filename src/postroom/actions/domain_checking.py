"""Checks of domains: claimed by the sync daemon, which asks DNS. What it finds proves domains and puts keys to use."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from postroom.actions.domain import prove
from postroom.actions.domain_key import key_activate
from postroom.errors import Conflict
from postroom.mail.dns_records import Finding, State
from postroom.models.domain import DkimKey, Domain, DomainCheck, ProvedBy
from postroom.models.workspace import AuditLine
from postroom.queries.domain import bounce_host_below, sending_hosts

#: A check has 30 s; one that still runs after this was left by a daemon that ended.
LEFT = timedelta(minutes=2)
#: Proved domains are looked at by themselves that often.
EVERY = timedelta(hours=24)
#: Ended checks and the rows of retired keys are kept so long.
KEPT = timedelta(days=1)
KEYS_KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class DomainOrder:
    """A domain to be looked at. keys: (id, selector, what stands behind p=)."""

    check_id: int
    name: str
    token: str
    keys: tuple[tuple[int, str, str], ...]
    bounce_host: str
    servers: tuple[str, ...]


@transaction.atomic
def checks_claim(*, most: int) -> list[DomainOrder]:
    """Take at most `most` of the waiting checks, oldest first."""
    waiting = DomainCheck.objects.select_for_update(skip_locked=True, of=("self",)).filter(state="waiting")
    checks = list(waiting.select_related("domain__workspace").order_by("id")[: max(0, most)])
    if not checks:
        return []
    DomainCheck.objects.filter(id__in=[check.id for check in checks]).update(state="running")
    servers = tuple(sending_hosts())
    orders = []
    for check in checks:
        domain = check.domain
        keys = domain.keys.exclude(state=DkimKey.State.RETIRED).values_list("id", "selector", "public_key")
        orders.append(
            DomainOrder(
                check_id=check.id,
                name=domain.name,
                token=domain.token,
                keys=tuple(keys),
                bounce_host=bounce_host_below(domain),
                servers=servers,
            )
        )
    return orders


@transaction.atomic
def check_end(*, check_id: int, findings: Mapping[str, Finding], keys: Mapping[int, Finding]) -> None:
    """Keep what was found. The proof seen for the first time proves the domain; a waiting key seen is used."""
    if not DomainCheck.objects.filter(id=check_id, state="running").update(state="done", ended_at=Now()):
        return
    domain = Domain.objects.select_for_update().get(asked__id=check_id)
    found = dict(findings)
    if domain.proved_at is None and found["proof"].state is State.OK:
        try:
            prove(domain, ProvedBy.DNS)
            _note(domain, "proved")
        except Conflict:
            found["proof"] = Finding(State.WRONG, "proof_taken")
    domain.checks = {name: finding.to_json() for name, finding in found.items()}
    domain.checked_at = timezone.now()
    domain.save(update_fields=["checks", "checked_at"])
    for key in domain.keys.filter(id__in=keys):
        key.seen = keys[key.id].to_json()
        key.save(update_fields=["seen"])
        if key.state == DkimKey.State.NEXT and keys[key.id].state is State.OK and domain.proved_at:
            key_activate(key)
            _note(domain, "began to sign with", selector=key.selector)


def _note(domain: Domain, verb: str, **details: str) -> None:
    AuditLine.objects.create(
        workspace_id=domain.workspace_id,
        verb=verb,
        noun="domain",
        noun_id=domain.id,
        details={"name": domain.name, **details},
    )


@transaction.atomic
def checks_sweep() -> None:
    """End checks that a daemon left, forget old ones, ask for the daily look at proved domains."""
    now = timezone.now()
    DomainCheck.objects.filter(state="running", created_at__lt=now - LEFT).update(state="done", ended_at=now)
    DomainCheck.objects.filter(state="done", ended_at__lt=now - KEPT).delete()
    DkimKey.objects.filter(state=DkimKey.State.RETIRED, retired_at__lt=now - KEYS_KEPT).delete()
    due = Domain.objects.filter(
        Q(checked_at=None) | Q(checked_at__lt=now - EVERY), proved_at__isnull=False
    ).exclude(asked__state__in=("waiting", "running"))
    DomainCheck.objects.bulk_create(
        [DomainCheck(domain=domain) for domain in due[:50]], ignore_conflicts=True
    )
