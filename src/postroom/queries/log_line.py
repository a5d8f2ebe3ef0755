"""What a line of the log is, where a page of it ends, and what is looked for."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _

from postroom.errors import InputError
from postroom.models.campaign import Campaign
from postroom.queries.masking import is_masked
from postroom.queries.viewer import Viewer

#: Of lines of the same moment the later kind comes first.
ORDER = ("delivery", "event", "log")
#: Of a line in a file, in this order. id: kind and number, as "delivery-7"; account: its address.
COLUMNS = (
    "time",
    "account",
    "direction",
    "stage",
    "level",
    "address",
    "message_id",
    "queue_id",
    "words",
    "duration_ms",
    "id",
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ends; the next begins after it. kind, number: "" and 0 = only the time counts."""

    at: datetime
    kind: str = ""
    number: int = 0

    def __str__(self) -> str:
        return f"{round(self.at.timestamp() * 1_000_000)}.{self.kind}.{self.number}"

    @classmethod
    def of(cls, text: str) -> "Place | None":
        """None for "". Raises InputError."""
        if not text:
            return None
        micro, _dot, rest = text.partition(".")
        kind, _dot, number = rest.partition(".")
        good = (
            micro.isascii() and micro.isdigit() and len(micro) < 18 and number.isascii() and number.isdigit()
        )
        if not good or kind not in ("", *ORDER) or len(number) > 18:
            raise InputError(
                _("This is no place in the list: give what `next` of an answer said."), field="at"
            )
        return cls(datetime.fromtimestamp(int(micro) / 1_000_000, UTC), kind, int(number))


@dataclass(frozen=True, slots=True)
class LogFilter:
    """find: an address, a Message-ID, a queue id or a token of ours; trouble: only what went wrong.

    since, until: aware.
    """

    find: str = ""
    trouble: bool = False
    account_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it is shown. kind: log, event, delivery; direction: out, in; level: info, warning, error.

    stage: of a delivery its state, of an event its kind, else where it happened. retry_at: of a deferred delivery.
    """

    at: datetime
    kind: str
    number: int
    account_id: int | None
    direction: str
    stage: str
    level: str
    address: str = ""
    words: str = ""
    message_id: str = ""
    queue_id: str = ""
    duration_ms: int | None = None
    retry_at: datetime | None = None
    campaign_id: int | None = None
    source: str = ""
    account: str = ""
    account_address: str = ""

    def to_json(self) -> dict[str, Any]:
        """The line as it stands in a file."""
        values = {
            **{name: getattr(self, name) for name in COLUMNS if hasattr(self, name)},
            "time": self.at.isoformat(timespec="microseconds"),
            "account": self.account_address,
            "id": f"{self.kind}-{self.number}",
        }
        return {name: values[name] for name in COLUMNS}

    @property
    def order(self) -> tuple[datetime, str, int]:
        return (self.at, self.kind, self.number)


@dataclass(frozen=True, slots=True)
class Some:
    """What a source found; floor: below this moment it did not look, None = it has nothing more."""

    lines: list[Line]
    floor: datetime | None = None


@dataclass(frozen=True, slots=True)
class Search:
    """A filter with everything looked up once. deliveries: ids found by `find`; None = nobody is looked for."""

    viewer: Viewer
    show: LogFilter
    #: Of those the viewer sees: (name, address).
    accounts: dict[int, tuple[str, str]]
    size: int
    after: Place | None
    address: str = ""
    words: tuple[str, ...] = ()
    deliveries: list[int] | None = None
    messages: list[int] = field(default_factory=list)
    #: Campaigns whose people are hidden from the viewer, as far as asked.
    hidden: dict[int, bool] = field(default_factory=dict)

    @property
    def everywhere(self) -> bool:
        return not self.show.find


def hides(search: Search, campaign_id: int | None) -> bool:
    if campaign_id is None or search.viewer.manages:
        return False
    if campaign_id not in search.hidden:
        campaign = Campaign.objects.filter(id=campaign_id).first()
        search.hidden[campaign_id] = is_masked(search.viewer, campaign)
    return search.hidden[campaign_id]
