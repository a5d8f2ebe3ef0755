"""Watching the demo's campaign, and comparing what our rows say with what the post office did. Not a command itself."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from postroom.errors import HostError
from postroom.practice.control import control_ask

if TYPE_CHECKING:
    from postroom.actions.demo import Demo
    from postroom.queries.demo import Row

At = tuple[str, int]

STATES = ("accepted", "failed", "deferred", "uncertain", "skipped")
_BAR = 30
_TICK_S = 0.2
_SAY_S = 2.0
_STUCK_S = 20.0

#: What went back, as the post office calls it; our word for it; whether one of our rows shows it.
_RETURNS: tuple[tuple[str, str, "Callable[[Row], bool]"], ...] = (
    ("delivered", "delivered", lambda row: row.arrival == "delivered"),
    ("relayed", "relayed", lambda row: row.arrival == "relayed"),
    ("expanded", "expanded", lambda row: row.arrival == "expanded"),
    ("failed", "bounced", lambda row: row.arrival == "bounced"),
    ("read", "read", lambda row: row.reading == "displayed"),
    ("unsubscribe", "unsubscribed", lambda row: row.unsubscribed),
    ("reply", "replied", lambda row: row.replied),
    ("vacation", "vacation notes", lambda row: row.answered),
)


def say(words: str) -> None:
    sys.stderr.write(words + "\n")
    sys.stderr.flush()


def complaints(log: Path) -> list[str]:
    """The last lines of a log that are warnings or worse."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return [line for line in lines if line and '"level": "info"' not in line][-20:]


@dataclass
class Result:
    """figures: the JSON of DESIGN section 7; more: what only the table shows; wrong: a sentence each."""

    figures: dict[str, Any]
    more: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def table(self) -> str:
        shown = {**self.figures, **self.more}
        lines = [f"{shown['recipients']} recipients in {shown['seconds']} s, "]
        lines[0] += f"sent at {shown['messages_per_second']} messages/s"
        for title, names in (
            ("What the server said", STATES),
            ("What came back", ("delivered", "relayed", "expanded", "bounced", "read", "vacation notes")),
            ("What people did", ("unsubscribed", "replied")),
            ("Compared with the post office", ("lost", "duplicates")),
        ):
            lines += ["", title, *(f"  {name:<16}{shown[name]:>8}" for name in names)]
        return "\n".join(lines)


class Progress:
    """A bar on a terminal, now and then a line elsewhere."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._last = ""
        self._said_at = 0.0
        self._moved_at = time.monotonic()

    def show(self, title: str, done: int, total: int, more: str) -> None:
        text = f"{title:<12}{done:>7} of {total}  {more}"
        if not total or text == self._last:
            return
        self._last, self._moved_at = text, time.monotonic()
        if self._is_terminal:
            full = round(done / total * _BAR)
            sys.stderr.write(f"\r\033[K[{'#' * full}{'.' * (_BAR - full)}] {text}")
            sys.stderr.flush()
        elif self._moved_at - self._said_at > _SAY_S or done == total:
            say(text)
            self._said_at = self._moved_at

    def stuck(self, words: str) -> None:
        """Say what is open when nothing has moved for a while."""
        if time.monotonic() - self._moved_at > _STUCK_S:
            self._moved_at = time.monotonic()
            say(f"Nothing has moved for {_STUCK_S:.0f} s: {words}.")

    def end(self) -> None:
        if self._is_terminal:
            sys.stderr.write("\n")


def watch(demo: "Demo", control: At, most_s: float) -> Result:
    """Start the campaign and follow it until nothing is open on either side, or `most_s` are over."""
    from postroom.actions.demo import demo_start
    from postroom.queries.demo import demo_rows

    begun = time.monotonic()
    demo_start(demo)
    try:
        late = not _follow(demo, control, begun + most_s)
        known = control_ask(control, "everything", timeout_s=60)
    except OSError as error:
        raise HostError(f"The practice post office does not answer any more: {error}.") from error
    result = compare(demo_rows(demo.campaign_id), known, time.monotonic() - begun)
    if late:
        result.wrong.insert(0, f"After {most_s:.0f} s the run was not over.")
    return result


def _follow(demo: "Demo", control: At, until: float) -> bool:
    """True when all is done."""
    from django.db import Error as DatabaseError
    from django.db import connection

    from postroom.queries.campaign import campaign_visible_to, figures_of
    from postroom.queries.demo import demo_unread

    progress = Progress()
    while time.monotonic() < until:
        time.sleep(_TICK_S)
        post = control_ask(control, "summary")  # before our rows: what it has sent by now is among them
        try:
            campaign = campaign_visible_to(demo.viewer, demo.campaign_id)
            figures = figures_of([campaign])[campaign.id]
            unread = demo_unread()
        except DatabaseError as error:
            connection.close()
            progress.stuck(f"the database is away: {error}")
            continue
        back, words = sum(post["sent"].values()), f"{figures.accepted} accepted, {figures.failed} failed"
        if campaign.state != "finished":
            words += f", {figures.deferred} to try again; {back} came back"
            progress.show("Sending", figures.done, figures.total, words)
        else:
            progress.show("Coming back", back - unread, back + post["pending"], words)
            if not unread and not post["pending"]:
                progress.end()
                return True
        progress.stuck(
            f"{campaign.state}, {figures.queued} queued, {post['pending']} unsent, {unread} unread"
        )
    progress.end()
    return False


def compare(rows: "list[Row]", known: dict[str, Any], seconds: float) -> Result:
    """Our rows beside everything the post office knows; seconds: how long the run took."""
    copies, refused = known["copies"], known["refused_addresses"]
    states = {state: sum(row.state == state for row in rows) for state in STATES}
    explained = {row.address for row in rows if row.state in ("skipped", "deferred", "uncertain")}
    lost = [row.address for row in rows if not {row.address} & (copies.keys() | refused.keys() | explained)]
    counted = {word: sum(map(shows, rows)) for _, word, shows in _RETURNS}
    figures = {
        "recipients": len(rows),
        **states,
        **{word: counted[word] for word in ("delivered", "read", "bounced", "unsubscribed")},
        "lost": len(lost),
        "duplicates": known["duplicates"],
        "seconds": round(seconds, 1),
        "messages_per_second": known["first_tries_per_second"],
    }
    more = {word: counted[word] for word in ("relayed", "expanded", "replied", "vacation notes")}
    return Result(figures, more, list(_wrong(rows, known, figures, lost)))


def _wrong(rows: "list[Row]", known: dict[str, Any], figures: dict[str, Any], lost: list[str]) -> "list[str]":
    """Every difference between our rows and the post office's books."""
    found = []
    if sum(figures[state] for state in STATES) != figures["recipients"]:
        found.append("The states of the recipients do not add up to their number.")
    if lost:
        found.append(f"{len(lost)} recipients are lost, the first is {lost[0]}.")
    if known["duplicates"]:
        twice = next(address for address, count in known["copies"].items() if count > 1)
        found.append(f"{known['duplicates']} copies are too many, the first went to {twice}.")
    if known["not_taken"]:
        found.append(f"{known['not_taken']} answers were not taken: {known['refusals'][0]}.")
    ours = {row.address for row in rows if row.state == "accepted"}
    if strange := ours - known["copies"].keys():
        found.append(f"{len(strange)} rows say accepted and the post office never had them: {min(strange)}.")
    for theirs, word, shows in _RETURNS:
        said, shown = set(known["back"].get(theirs, ())), {row.address for row in rows if shows(row)}
        if said != shown:
            example = min(said ^ shown)
            found.append(
                f"The post office reported {len(said)} {word}, our rows show {len(shown)}: {example} differs."
            )
    return found
