"""One's own signature: for all accounts, or for one of them."""

from django.db import transaction
from django.utils.translation import gettext as _

from postroom.errors import InputError
from postroom.mail.blocks import without_marks
from postroom.mail.html import sanitise
from postroom.models.draft import Signature
from postroom.queries.signature import signatures_of
from postroom.queries.viewer import Viewer

SIGNATURE_MAX = 20_000


@transaction.atomic
def signatures_save(*, viewer: Viewer, texts: dict[int | None, str]) -> None:
    """texts: by account (None = all), HTML or plain lines; "" takes one away. Accounts one may not use are passed over.

    Raises InputError.
    """
    allowed = {account.id if account else None for account, _html in signatures_of(viewer)}
    for account_id, typed in texts.items():
        if account_id not in allowed:
            continue
        if len(typed) > SIGNATURE_MAX:
            raise InputError(_("A signature has at most 20,000 characters."), field="signature")
        clean = without_marks(typed.replace("\r\n", "\n")).strip()
        html = sanitise(clean, remote=True).strip() if "<" in clean else clean
        own = Signature.objects.filter(workspace=viewer.workspace, user=viewer.user)
        found = own.filter(account=None) if account_id is None else own.filter(account=account_id)
        if not html:
            found.delete()
        elif not found.update(html=html):
            Signature.objects.create(
                workspace=viewer.workspace, user=viewer.user, account_id=account_id, html=html
            )
