"""The reading side of an account: its collector, switched on and off, set, run at once (CM-53, CM-55)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from postroom.actions.audit import audit
from postroom.actions.log import Note, log_note
from postroom.actions.notify import COLLECT, notify
from postroom.errors import Conflict, InputError, PostroomError, TooMany
from postroom.models.account import Account, Collector
from postroom.queries.account import account_to_edit, accounts_editable_by, accounts_visible_to, collector_of
from postroom.queries.viewer import Viewer


def collector_save(viewer: Viewer, account: Account, values: Mapping[str, Any]) -> None:
    """values: collector_on, collector_folder, collector_interval_s; without collector_on nothing is begun.

    Raises InputError, Conflict COLLECTOR_EXISTS.
    """
    collector = collector_of(account) if account.id else None
    wanted = values.get("collector_on")
    if collector is None:
        if wanted is None or not account.imap_host:
            return
        collector = Collector(account=account)
    if wanted is not None:
        collector.is_on = bool(wanted) and bool(account.imap_host)
    folder = str(values.get("collector_folder") or collector.folder).strip()
    if len(folder) > 255 or not folder.isprintable():
        raise InputError(_("This is no name of a folder."), field="collector_folder")
    interval = values.get("collector_interval_s") or collector.interval_s
    if not 60 <= int(interval) <= 86400:
        raise InputError(_("Between 1 and 1440 minutes."), field="collector_interval")
    if account.is_mailbox and collector.id:
        folder = collector.folder  # all of them are read
    if folder != collector.folder:
        collector.uidvalidity = collector.last_uid = 0
        Collector.objects.filter(account=account, folder=folder).delete()
    collector.folder, collector.interval_s = folder, int(interval)
    if collector.is_on:
        _not_read_twice(viewer, account, folder)
    collector.next_run_at = None
    collector.error, collector.error_code, collector.error_since, collector.failures = "", "", None, 0
    collector.refusals, collector.told_to = 0, ""
    collector.save()
    Collector.objects.filter(account=account).exclude(id=collector.id).update(is_on=collector.is_on)


def _not_read_twice(viewer: Viewer, account: Account, folder: str) -> None:
    """Of one mailbox there is one reader, whatever the account (BC-07); it is named to those who may see it."""
    others = Collector.objects.filter(
        is_on=True,
        folder=folder,
        account__imap_host__iexact=account.imap_host,
        account__imap_login=account.imap_login,
        account__deleted_at=None,
    ).exclude(account=account)
    other = others.select_related("account").order_by("id").first()
    if other is None:
        return
    words, details = _("This mailbox is read for another account already."), {}
    if accounts_visible_to(viewer).filter(id=other.account_id).exists():
        words = _("This mailbox is read for the account %(name)s already.") % {"name": other.account.name}
        details = {"account": other.account_id}
    raise Conflict(words, code="COLLECTOR_EXISTS", details=dict(details))


#: One mailbox is asked for at most that often, all of them at once at most that often (AR-03).
NOW_S, ALL_NOW_S = 5, 30


def account_collect_now(*, viewer: Viewer, account_id: int) -> None:
    """Have its mailbox read at once. Raises NotFound, NotAllowed; Conflict COLLECTOR_OFF; TooMany within NOW_S."""
    collector = collector_of(account_to_edit(viewer, account_id))
    if collector is None or not collector.is_on:
        raise Conflict(_("Reading is switched off for this account."), code="COLLECTOR_OFF")
    if not _ask([collector.id], NOW_S):
        raise TooMany(_("This mailbox was asked for a moment ago. Wait a few seconds."))


def reading_all_now(*, viewer: Viewer) -> int:
    """Have every mailbox read that the viewer may switch; how many. Raises TooMany when all were asked for lately."""
    found = Collector.objects.filter(
        _editable_by(viewer), account__deleted_at=None, is_on=True, gone_at=None
    ).exclude(account__imap_host="")
    first = found.order_by("account_id", "id").distinct("account_id").values_list("id", flat=True)
    ids = list(first)
    asked = _ask(ids, ALL_NOW_S)
    if ids and not asked:
        words = _("All mailboxes were asked for a moment ago. Wait %(n)s seconds.") % {"n": ALL_NOW_S}
        raise TooMany(words)
    return asked


def _editable_by(viewer: Viewer) -> Q:
    """`accounts_editable_by` for a query on collectors."""
    return Q(account__in=Account.objects.filter(accounts_editable_by(viewer)))


def _ask(ids: Sequence[int], pause_s: int) -> int:
    """Wake the sync daemon for those not asked for within `pause_s`; how many these are."""
    lately = timezone.now() - timedelta(seconds=pause_s)
    free = Collector.objects.filter(id__in=ids).exclude(asked_at__gt=lately)
    asked = list(free.values_list("id", flat=True))
    Collector.objects.filter(id__in=asked).update(asked_at=Now(), next_run_at=None)
    for collector_id in asked:
        notify(COLLECT, collector_id)
    return len(asked)


@transaction.atomic
def collector_switch(*, viewer: Viewer, account_id: int, on: bool) -> None:
    """Read the account's mailbox from now on, or no longer: all of its folders.

    What is known of it stays; a mail in hand is still taken. Raises NotFound; Conflict NO_MAILBOX without IMAP,
    COLLECTOR_EXISTS when another account reads it.
    """
    account = account_to_edit(viewer, account_id, lock=True)
    if on and not account.imap_host:
        raise Conflict(
            _("This account has no reading side yet: add its IMAP server first."), code="NO_MAILBOX"
        )
    collector_save(viewer, account, {"collector_on": on})
    mine = Collector.objects.filter(account=account, gone_at=None)
    mine.update(is_on=on, switched_by=viewer.user, switched_at=Now(), refusals=0, told_to="")
    audit(viewer, "switched reading on" if on else "switched reading off", "account", account.id)
    words = "Reading was switched on." if on else "Reading was switched off."
    log_note(Note(account.workspace_id, account.id, "in", "switch", f"{words[:-1]} by {viewer.user}."))
    ids = list(mine.order_by("id").values_list("id", flat=True))
    if on:
        _ask(ids[:1], 0)
    else:
        for collector_id in ids:
            notify(COLLECT, collector_id)


@dataclass(frozen=True, slots=True)
class Switched:
    """What became of one account of many. code: "" = done, else why not."""

    account_id: int
    code: str = ""
    message: str = ""


#: Accounts switched with one request.
SWITCH_MOST = 200


def readings_switch(*, viewer: Viewer, account_ids: Sequence[int], on: bool) -> list[Switched]:
    """`collector_switch` of several: each succeeds or fails by itself, in the order given. Raises InputError."""
    if len(account_ids) > SWITCH_MOST:
        words = _("At most %(n)s accounts at once.") % {"n": SWITCH_MOST}
        raise InputError(words, field="accounts")
    found = []
    for account_id in dict.fromkeys(account_ids):
        try:
            collector_switch(viewer=viewer, account_id=account_id, on=on)
        except PostroomError as error:
            found.append(Switched(account_id, error.code, error.message))
        else:
            found.append(Switched(account_id))
    return found
