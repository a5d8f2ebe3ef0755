"""Where in the inbox somebody is: which mailbox, which shelf, which words; all of it stands in the address."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from postroom.queries.conversation import SHELVES

_WORDS_MAX = 200


@dataclass(frozen=True)
class Place:
    """account: None = all mailboxes. before: where the page of the list begins, "" = at the newest."""

    account: int | None = None
    shelf: str = "open"
    find: str = ""
    before: str = ""

    @property
    def query(self) -> str:
        """For addresses: "?..." or "" """
        return self._query()

    @property
    def url(self) -> str:
        return reverse("messages") + self.query

    def with_shelf(self, shelf: str) -> str:
        return reverse("messages") + self._query(shelf=shelf, before="")

    def with_account(self, account: int | None) -> str:
        return reverse("messages") + self._query(account=account, before="", find="")

    def with_before(self, before: str) -> str:
        return reverse("messages") + self._query(before=before)

    def _query(self, **changes: str | int | None) -> str:
        values: dict[str, str | int | None] = {
            "account": self.account,
            "at": self.shelf,
            "q": self.find,
            "before": self.before,
        }
        values.update(
            {
                "at" if name == "shelf" else "q" if name == "find" else name: one
                for name, one in changes.items()
            }
        )
        usual = "all" if values["q"] else "open"
        kept = {name: one for name, one in values.items() if one and (name, one) != ("at", usual)}
        return f"?{urlencode(kept)}" if kept else ""


def place_of(request: HttpRequest) -> Place:
    """What the address says; nonsense in it is passed over. Words are looked for everywhere unless a shelf is named."""
    account = request.GET.get("account", "")
    find = request.GET.get("q", "").strip()[:_WORDS_MAX]
    shelf = request.GET.get("at", "all" if find else "open")
    return Place(
        account=int(account) if account.isascii() and account.isdecimal() and len(account) < 18 else None,
        shelf=shelf if shelf in SHELVES else "open",
        find=find,
        before=request.GET.get("before", "")[:60],
    )
