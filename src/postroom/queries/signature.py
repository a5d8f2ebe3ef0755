"""What stands below one's letters."""

from postroom.models.account import Account
from postroom.models.draft import Signature
from postroom.queries.account import accounts_usable_by
from postroom.queries.viewer import Viewer


def signature_of(viewer: Viewer, account_id: int | None) -> str:
    """HTML or plain lines: the one for this account, else the one for all; "" without any."""
    own = Signature.objects.filter(workspace=viewer.workspace, user=viewer.user)
    rows: dict[int | None, str] = dict(own.values_list("account_id", "html"))
    return rows.get(account_id) or rows.get(None) or ""


def signatures_of(viewer: Viewer) -> list[tuple[Account | None, str]]:
    """(account, what is set): first the one for all (None), then each account one may send from."""
    own = Signature.objects.filter(workspace=viewer.workspace, user=viewer.user)
    rows: dict[int | None, str] = dict(own.values_list("account_id", "html"))
    return [(None, rows.get(None, "")), *((one, rows.get(one.id, "")) for one in accounts_usable_by(viewer))]
