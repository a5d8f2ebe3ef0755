"""The reading side of an account: its collector, switched on and off, set, run at once."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from postroom.actions.audit import audit
from postroom.actions.notify import COLLECT, notify
from postroom.errors import Conflict, InputError
from postroom.models.account import Account, Collector
from postroom.queries.account import account_to_edit, accounts_visible_to, collector_of
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
    if folder != collector.folder:
        collector.uidvalidity = collector.last_uid = 0
    collector.folder, collector.interval_s = folder, int(interval)
    if collector.is_on:
        _not_read_twice(viewer, account, folder)
    collector.next_run_at = None
    collector.error, collector.error_code, collector.error_since, collector.failures = "", "", None, 0
    collector.refusals, collector.told_to = 0, ""
    collector.save()


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


def account_collect_now(*, viewer: Viewer, account_id: int) -> None:
    """Have its mailbox read at once. Raises NotFound, NotAllowed; Conflict when reading is off."""
    collector = collector_of(account_to_edit(viewer, account_id))
    if collector is None or not collector.is_on:
        raise Conflict(_("Reading is switched off for this account."), code="COLLECTOR_OFF")
    notify(COLLECT, collector.id)


@transaction.atomic
def collector_switch(*, viewer: Viewer, account_id: int, on: bool) -> None:
    """Read the account's mailbox from now on, or no longer. Raises NotFound; Conflict NO_MAILBOX without IMAP."""
    account = account_to_edit(viewer, account_id, lock=True)
    if on and not account.imap_host:
        raise Conflict(
            _("This account has no reading side yet: add its IMAP server first."), code="NO_MAILBOX"
        )
    collector_save(viewer, account, {"collector_on": on})
    audit(viewer, "switched reading on" if on else "switched reading off", "account", account.id)
