"""The list of accounts as its page and the API ask for it: search, filters, order, pages (SA-30 to 32, CM-32 to 36)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from postroom.errors import InputError
from postroom.mail.fold import fold, sort_key
from postroom.models.account import Account, AccountKind, Protocol
from postroom.queries.account import (
    AccountRow,
    account_rows,
    accounts_editable_by,
    accounts_visible_to,
)
from postroom.queries.viewer import Viewer

#: Accounts on a page.
SIZE = 50
KINDS = {"marketing": AccountKind.PLATFORM, "own": AccountKind.OWN}
SORTS = ("name", "-name", "address", "-address", "created", "-created")
_PORT = re.compile(r"(?:(smtp|imap):)?([0-9]{1,5})", re.IGNORECASE)


@dataclass(frozen=True)
class AccountFilter:
    """All that is given must hold (AND). Words are contained, accents and case aside.

    q: in name or address. kind: "", marketing, own. owner: user id or "". smtp, imap: in the server's name.
    login: in either login. port: `993`, or `smtp:587` of one side; exact. integration, legacy (POP3): "", yes, no.
    Servers, logins, ports and protocols are looked up only where the viewer may change the account: others are not
    told them.
    """

    q: str = ""
    kind: str = ""
    owner: str = ""
    name: str = ""
    address: str = ""
    smtp: str = ""
    imap: str = ""
    login: str = ""
    port: str = ""
    integration: str = ""
    legacy: str = ""
    sort: str = "name"

    @property
    def narrows(self) -> bool:
        """Whether more than the kind and the search is asked for."""
        return any(
            getattr(self, field.name) for field in fields(self) if field.name not in ("q", "kind", "sort")
        )


@dataclass(frozen=True)
class AccountPage:
    """rows: of this page. counts: all, marketing and own with everything else as it is."""

    rows: list[AccountRow]
    page: Page[int]
    counts: dict[str, int]
    #: Accounts the viewer sees at all.
    everything: int
    #: POP3 accounts of old among those the viewer may change.
    legacy: int


def account_page(viewer: Viewer, asked: AccountFilter, page: int | str = 1) -> AccountPage:
    """Raises InputError naming the filter that cannot be understood."""
    seen = accounts_visible_to(viewer)
    lean = seen.filter(_narrowed(viewer, asked)).select_related(None).order_by()
    found = [
        row for row in lean.values("id", "name", "address", "kind", "created_at") if _has_words(row, asked)
    ]
    counts = {"all": len(found)} | {
        word: sum(row["kind"] == kind for row in found) for word, kind in KINDS.items()
    }
    kind = KINDS.get(asked.kind)
    ids = [row["id"] for row in _sorted([row for row in found if kind in (None, row["kind"])], asked.sort)]
    here = Paginator(ids, SIZE).get_page(page)
    legacy = seen.filter(accounts_editable_by(viewer), protocol=Protocol.POP3).count()
    return AccountPage(_rows(viewer, seen, list(here)), here, counts, seen.count(), legacy)


def _rows(viewer: Viewer, seen: "QuerySet[Account]", ids: list[int]) -> list[AccountRow]:
    accounts = {account.id: account for account in seen.filter(id__in=ids).prefetch_related("collectors")}
    return account_rows(viewer, [accounts[number] for number in ids if number in accounts])


def _narrowed(viewer: Viewer, asked: AccountFilter) -> Q:
    if asked.kind and asked.kind not in KINDS:
        raise InputError(_("Choose marketing or own."), field="kind")
    if asked.integration not in ("", "yes", "no"):
        raise InputError(_("Choose yes or no."), field="integration")
    if asked.sort not in SORTS:
        raise InputError(_("This order is not known."), field="sort")
    chosen = Q()
    if asked.owner:
        if not (asked.owner.isdecimal() and len(asked.owner) < 18):
            raise InputError(_("There is no such person in this workspace."), field="owner")
        chosen &= Q(owner_id=int(asked.owner))
    if asked.integration:
        chosen &= Q(integration=asked.integration == "yes")
    told = Q()
    if asked.legacy not in ("", "yes", "no"):
        raise InputError(_("Choose yes or no."), field="legacy")
    if asked.legacy:
        told &= Q(protocol=Protocol.POP3) if asked.legacy == "yes" else ~Q(protocol=Protocol.POP3)
    if asked.smtp:
        told &= Q(smtp_host__icontains=asked.smtp)
    if asked.imap:
        told &= Q(imap_host__icontains=asked.imap)
    if asked.login:
        told &= Q(smtp_login__icontains=asked.login) | Q(imap_login__icontains=asked.login)
    if asked.port:
        told &= _port(asked.port)
    return chosen & told & accounts_editable_by(viewer) if told else chosen


def _port(text: str) -> Q:
    match = _PORT.fullmatch(text.strip())
    if match is None:
        raise InputError(_("Write a port as 993 or smtp:587."), field="port")
    side, number = (match[1] or "").lower(), int(match[2])
    smtp, imap = Q(smtp_port=number) & ~Q(smtp_host=""), Q(imap_port=number) & ~Q(imap_host="")
    return {"smtp": smtp, "imap": imap}.get(side, smtp | imap)


def _has_words(row: Mapping[str, Any], asked: AccountFilter) -> bool:
    name, address = fold(row["name"]), fold(row["address"])
    return (
        all(word in name or word in address for word in fold(asked.q).split())
        and fold(asked.name.strip()) in name
        and fold(asked.address.strip()) in address
    )


def _sorted(rows: Sequence[Mapping[str, Any]], sort: str) -> list[Mapping[str, Any]]:
    keys = {
        "name": lambda row: (sort_key(row["name"]).encode(), row["id"]),
        "address": lambda row: (fold(row["address"]), row["id"]),
        "created": lambda row: (row["created_at"], row["id"]),
    }
    return sorted(rows, key=keys[sort.lstrip("-")], reverse=sort.startswith("-"))
