"""Messages a minute as a picture: drawn here, so that it needs no script; the same in words beside it."""

from dataclasses import dataclass

from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from postroom.queries.status import STEP_MINUTES, Minutes

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 720, 130, 38, 10, 18
_STEPS = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Chart:
    """accepted, deferred: points of a line; area: of the ground below; marks of both axes: (place, word)."""

    accepted: str
    deferred: str
    area: str
    rows: list[tuple[float, str]]
    columns: list[tuple[float, str]]
    words: str
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    bottom: int = HEIGHT - BOTTOM


def chart(minutes: Minutes) -> Chart:
    top = _top(max([*minutes.accepted, *minutes.deferred, 0]))
    count = max(1, len(minutes.at) - 1)

    def x(index: int) -> float:
        return round(LEFT + (WIDTH - LEFT - 4) * index / count, 1)

    def y(value: float) -> float:
        return round(HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * value / top, 1)

    def line(values: list[float]) -> str:
        return " ".join(f"{x(n)},{y(value)}" for n, value in enumerate(values))

    columns = [
        (x(n), date_format(at.replace(minute=at.minute // 30 * 30), "H:i"))
        for n, at in enumerate(minutes.at)
        if at.minute % 30 < STEP_MINUTES and 2 <= n <= len(minutes.at) - 3
    ]
    floor = HEIGHT - BOTTOM
    accepted = line(minutes.accepted)
    return Chart(
        accepted=accepted,
        deferred=line(minutes.deferred),
        area=f"{x(0)},{floor} {accepted} {x(len(minutes.at) - 1)},{floor}",
        rows=[(y(value), number_format(value)) for value in (0, _half(top), top)],
        columns=columns,
        words=_words(minutes),
    )


def _half(top: int) -> float:
    return top // 2 if top % 2 == 0 else top / 2


def _top(most: float) -> int:
    """The round figure at or above it: 1, 2, 5, 10, 20, 50, ..."""
    scale = 1
    while True:
        for step in _STEPS:
            if step * scale >= most and step * scale >= 2:
                return step * scale
        scale *= 10


def _words(minutes: Minutes) -> str:
    since = date_format(minutes.at[0], "H:i") if minutes.at else ""
    if not any(minutes.accepted) and not any(minutes.deferred):
        return _("No message since %(since)s") % {"since": since}
    most = max(minutes.accepted)
    at = minutes.at[minutes.accepted.index(most)]
    values = {
        "since": since,
        "most": number_format(round(most, 1)),
        "at": date_format(timezone.localtime(at), "H:i"),
        "deferred": number_format(round(max(minutes.deferred), 1)),
    }
    return (
        _(
            "Messages a minute since %(since)s: accepted at most %(most)s at %(at)s, deferred at most %(deferred)s"
        )
        % values
    )
