"""Folders of mailboxes and where mails lie in them."""

from collections.abc import Collection

from postroom.models.account import Collector
from postroom.models.mailbox import Placement
from postroom.queries.account import account_visible_to
from postroom.queries.viewer import Viewer


def sent_folder(account_id: int) -> tuple[int, str] | None:
    """(id, name) of the folder an account's sent mail is filed in; None when its folders were not listed yet."""
    rows = Collector.objects.filter(account_id=account_id, role="sent", gone_at=None).order_by("-is_on", "id")
    return rows.values_list("id", "folder").first()


def folders_of(viewer: Viewer, account_id: int) -> list[Collector]:
    """The folders of an account: the one that is always read first. Raises NotFound."""
    account = account_visible_to(viewer, account_id)
    order = {"inbox": 0, "drafts": 1, "sent": 2, "archive": 3, "": 4, "junk": 5, "trash": 6}
    rows = list(Collector.objects.filter(account=account, gone_at=None))
    main = min((row.id for row in rows), default=0)
    return sorted(rows, key=lambda row: (row.id != main, order.get(row.role, 4), row.title or row.folder))


def placements_of(message_ids: Collection[int]) -> list[Placement]:
    """Where mails lie now. The caller has checked that the viewer may see them."""
    rows = Placement.objects.filter(message_id__in=message_ids, gone_at=None)
    return list(rows.select_related("folder").order_by("message_id", "id"))
