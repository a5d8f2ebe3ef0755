"""Tests of account settings: claimed by the sync daemon, filled stage by stage, ended without secrets (CM-28)."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from postroom.actions.account_letter import letter_of
from postroom.actions.account_probe import LIFE, fingerprint, proof_of, sides_ok
from postroom.actions.account_tag import tag_letter
from postroom.errors import HostError
from postroom.models.account import Account, AccountStatus, Probe
from postroom.models.workspace import Instance

#: A test has 30 s; one that still runs after this was left by a daemon that ended.
LEFT = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class ProbeOrder:
    """A test to be done.

    form: the values with their secrets, passwords of stored accounts filled in.
    letter: (mail_from, recipient, raw) of the test message, or None; tag: of the one to a tagged address.
    """

    probe_id: int
    form: dict[str, Any] = field(repr=False)
    allow_private: bool
    allow_clear_text_login: bool
    letter: tuple[str, str, bytes] | None = None
    tag: tuple[str, str, bytes] | None = None


@transaction.atomic
def probes_claim(*, most: int) -> list[ProbeOrder]:
    """Take at most `most` of the waiting tests, oldest first."""
    waiting = Probe.objects.select_for_update(skip_locked=True, of=("self",)).filter(state="waiting")
    probes = list(waiting.select_related("workspace", "user").defer("form").order_by("id")[:most])
    if not probes:
        return []
    Probe.objects.filter(id__in=[probe.id for probe in probes]).update(state="running")
    allow_private = Instance.objects.filter(id=1, allow_private_hosts=True).exists()
    orders = []
    for probe in probes:
        try:
            form = json.loads(probe.form or "{}")
        except HostError:  # stored with another key: it ends without a result
            Probe.objects.filter(id=probe.id).update(state="done", form="", ended_at=Now())
            continue
        orders.append(
            ProbeOrder(
                probe_id=probe.id,
                form=form,
                allow_private=allow_private or bool(form.get("relay")),
                allow_clear_text_login=probe.workspace.allow_clear_text_login,
                letter=letter_of(probe, form),
                tag=tag_letter(probe, form),
            )
        )
    return orders


def probe_tell(*, probe_id: int, result: dict[str, Any]) -> bool:
    """Write how far it is. False when the test is no longer wanted (cancelled, expired)."""
    return bool(Probe.objects.filter(id=probe_id, state="running").update(result=result))


@transaction.atomic
def probe_end(*, probe_id: int, result: dict[str, Any]) -> None:
    """The result, and the secrets gone. What was found of settings as they are stored becomes the account's (CM-30)."""
    ended = Probe.objects.filter(id=probe_id, state="running").update(
        state="done", result=result, form="", ended_at=Now()
    )
    probe = Probe.objects.select_related("account").filter(id=probe_id).first()
    if not ended or probe is None or probe.account_id is None:
        return
    account = Account.objects.select_for_update().filter(id=probe.account_id, deleted_at=None).first()
    if account is None or fingerprint(account) != probe.fingerprint:
        return
    proof = proof_of(probe)
    account.last_test = proof.last_test
    fields = ["last_test"]
    if (result.get("smtp") or {}).get("ok"):
        account.capabilities = proof.capabilities
        fields.append("capabilities")
    if sides_ok(result) and account.status in (AccountStatus.UNTESTED, AccountStatus.FAILING):
        account.status, account.status_reason, account.status_since = AccountStatus.OK, "", timezone.now()
        fields += ["status", "status_reason", "status_since"]
    if (result.get("tag") or {}).get("code") == "refused":
        account.plus_tag = False
        fields.append("plus_tag")
    account.save(update_fields=fields)


def probes_wipe() -> int:
    """Remove tests past their life, and end those that a daemon left; how many were removed."""
    Probe.objects.filter(state="running", created_at__lt=Now() - LEFT).update(
        state="done", form="", ended_at=Now()
    )
    removed, _ = Probe.objects.filter(created_at__lt=Now() - LIFE).delete()
    return removed
