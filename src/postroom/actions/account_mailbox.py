"""Whether an account's mailbox is read and answered here: since which day, which folders (RETURNED_MAIL goal 22)."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from postroom.actions.audit import audit
from postroom.actions.notify import COLLECT, notify
from postroom.errors import Conflict, InputError, NotFound
from postroom.models.account import Account, Collector, Protocol
from postroom.models.mailbox import Placement
from postroom.queries.account import account_to_edit, collector_of
from postroom.queries.viewer import Viewer

#: Mail of so many days is brought in where nobody chose a day.
DAYS = 30


def mailbox_save(account: Account, values: Mapping[str, Any], *, was: bool) -> None:
    """values: mailbox_from, a day or its ISO text; mail that arrived since is brought in, "" = of the last DAYS.

    mailbox_folders: ids of the folders that are read, the first one always. was: whether its mailbox was read here
    before. Raises InputError.
    """
    if not account.is_mailbox:
        return
    if account.protocol != Protocol.IMAP:
        raise InputError(_("A mailbox can only be answered from over IMAP."), field="is_mailbox")
    collector = collector_of(account)
    if collector is None:
        collector = Collector.objects.create(account=account)
    if (chosen := values.get("mailbox_folders")) is not None:
        ids = {int(one) for one in chosen if str(one).isdecimal()} | {collector.id}
        others = Collector.objects.filter(account=account)
        others.filter(id__in=ids).update(is_wanted=True)
        others.exclude(id__in=ids).update(is_wanted=False)
    given = values.get("mailbox_from") or ""
    if was and not given:
        return
    begin = _day(given) if given else timezone.now() - timedelta(days=DAYS)
    if was and begin == collector.take_from:
        return
    # from its beginning again: what is known is known by its UID, so nothing comes twice
    Collector.objects.filter(account=account).update(
        take_from=begin, uidvalidity=0, last_uid=0, modseq=0, message_count=0, next_run_at=None
    )
    notify(COLLECT, collector.id)


def _day(given: Any) -> datetime:
    try:
        day = given if isinstance(given, date) else date.fromisoformat(str(given).strip())
    except ValueError:
        raise InputError(_("Write the day as year-month-day."), field="mailbox_from") from None
    if not 1990 <= day.year <= timezone.now().year:
        raise InputError(_("Choose a day that has been."), field="mailbox_from")
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def mailbox_changed(account: Account) -> None:
    """It is another mailbox now: what was read of the old one says nothing of it. Messages stay."""
    main = collector_of(account)
    Placement.objects.filter(folder__account=account).delete()
    if main is not None:
        Collector.objects.filter(account=account).exclude(id=main.id).delete()
        Collector.objects.filter(id=main.id).update(
            uidvalidity=0, last_uid=0, modseq=0, message_count=0, take_from=timezone.now()
        )


@transaction.atomic
def folder_want(*, viewer: Viewer, account_id: int, folder_id: int, is_wanted: bool) -> Collector:
    """Read one of its folders, or no longer. Raises NotFound, NotAllowed; Conflict for the one that is always read."""
    account = account_to_edit(viewer, account_id, lock=True)
    folder = Collector.objects.filter(account=account, id=folder_id, gone_at=None).first()
    if folder is None:
        raise NotFound(_("There is no such folder."))
    main = collector_of(account)
    if main is None or (folder.id == main.id and not is_wanted):
        raise Conflict(_("The inbox is always read."), code="INBOX")
    folder.is_wanted = is_wanted
    folder.save(update_fields=["is_wanted"])
    audit(viewer, "chose folders", "account", account.id, folder=folder.title or folder.folder)
    Collector.objects.filter(id=main.id).update(asked_at=timezone.now())
    notify(COLLECT, main.id)
    return folder
