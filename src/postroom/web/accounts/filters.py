"""The filters of the list of accounts, as they stand in the address, and the chips that take them away."""

from collections.abc import Sequence
from dataclasses import fields

from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from postroom.models.user import User
from postroom.queries.account_list import SORTS, AccountFilter

LABELS: dict[str, Promise] = {
    "owner": gettext_lazy("Owner"),
    "name": gettext_lazy("Name"),
    "address": gettext_lazy("E-mail address"),
    "smtp": gettext_lazy("SMTP server"),
    "imap": gettext_lazy("IMAP server"),
    "login": gettext_lazy("User"),
    "port": gettext_lazy("Port"),
    "integration": gettext_lazy("For other programs"),
    "legacy": gettext_lazy("Old POP3 accounts"),
}


def filter_of(query: QueryDict) -> AccountFilter:
    """An order that is not known is the usual one: addresses are kept for years."""
    values = {field.name: query.get(field.name, "").strip()[:200] for field in fields(AccountFilter)}
    if values["sort"] not in SORTS:
        values["sort"] = "name"
    return AccountFilter(**values)


def chips_of(asked: AccountFilter, people: Sequence[User]) -> list[tuple[str, str, str]]:
    """(parameter, label, value as people read it) of every filter that is set."""
    names = {str(user.id): str(user) for user in people}
    words = {"yes": _("yes"), "no": _("no")}
    found = []
    for parameter, label in LABELS.items():
        value = getattr(asked, parameter)
        if value:
            shown = names.get(value, value) if parameter == "owner" else words.get(value, value)
            found.append((parameter, str(label), shown))
    return found
