"""The SMTP client against servers of every behaviour: each file in dialogs/ is one conversation.

Above the line `--` stands what is sent and what must become of it, below it the server's script (testing/peer.py);
`hello A, B` there is a greeting and an EHLO that lists A and B.

    server: timeout_s=0.4                 values of Server
    pool:   connections=2 wait_s=0.3 one_by_one=yes linger_s=0.5 idle_close_s=0.2
    parcels: 2                            that many plain ones, or
    parcel: notify=SUCCESS body_bytes=99  one with these values
    outcome: 1 deferred rcpt 450 wide dsn "words"
    req: RC-01                            it is the acceptance check of this row
    trouble: NOT_TAKING                   the code of a connection that could not be opened
"""

import asyncio
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvloop

from postroom.errors import WireError
from postroom.mail.reply import Outcome
from postroom.testing.peer import Peer
from postroom.wire.courier import Parcel
from postroom.wire.smtp import Security, Server, SmtpCourier

DIALOGS = Path(__file__).parent / "dialogs"


def _cases() -> Iterator[Any]:
    for path in sorted(DIALOGS.glob("*.dialog")):
        ids = re.findall(r"^req: (.+)$", path.read_text(), re.MULTILINE)
        yield pytest.param(path, id=path.stem, marks=[pytest.mark.req(*words.split()) for words in ids])


# The delivery process runs on uvloop, probes on asyncio's own loop.
@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
@pytest.mark.parametrize("path", list(_cases()))
def test_a_dialogue_goes_as_written(path: Path, loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    header, script = path.read_text().split("\n--\n")
    wanted = Wanted(header)
    with Peer(_expanded(script)) as peer, asyncio.Runner(loop_factory=loop) as runner:
        seen, trouble = runner.run(_play(wanted, peer.port))
    assert [_line(number, seen[number]) for number in sorted(seen)] == wanted.outcomes
    for number, words in wanted.words.items():
        assert words in seen[number].reply.text
    assert trouble == wanted.trouble
    bodies = [b"".join(parcel.segments) for parcel in wanted.parcels]
    for message in peer.messages:
        assert message.replace(b"\r\n..", b"\r\n.") in bodies


class Wanted:
    """The upper half of a dialogue."""

    def __init__(self, header: str) -> None:
        self.server: dict[str, Any] = {"timeout_s": 5.0, "answer_timeout_s": 5.0}
        self.pool: dict[str, float] = {"connections": 1, "wait_s": 6.0, "linger_s": 0.0, "idle_close_s": 30.0}
        self.one_by_one = False
        self.parcels: list[Parcel] = []
        self.outcomes: list[str] = []
        self.words: dict[int, str] = {}
        self.trouble: list[str] = []
        for line in header.splitlines():
            word, _, rest = line.partition(":")
            if not line.startswith(("#", "req:")):
                getattr(self, f"_{word.strip()}")(rest.strip())

    def _server(self, rest: str) -> None:
        self.server |= {name: float(value) for name, value in _pairs(rest)}
        if "messages_per_connection" in self.server:
            self.server["messages_per_connection"] = int(self.server["messages_per_connection"])

    def _pool(self, rest: str) -> None:
        for name, value in _pairs(rest):
            if name == "one_by_one":
                self.one_by_one = True
            else:
                self.pool[name] = float(value)

    def _parcels(self, rest: str) -> None:
        for _ in range(int(rest)):
            self._parcel("")

    def _parcel(self, rest: str) -> None:
        key = len(self.parcels) + 1
        given: dict[str, Any] = {"recipient": f"user{key}@example.org"} | dict(_pairs(rest))
        filler = b"x" * 70 + b"\r\n.dot\r\n"
        text = filler * (int(given.pop("body_bytes", 200)) // len(filler) + 1)
        head = b"Subject: number %d\r\n\r\n" % key
        for flag in ("smtputf8", "eight_bit"):
            given[flag] = given.get(flag) == "yes"
        given["recipient"] = given["recipient"].replace("\\r\\n", "\r\n")
        size = len(head) + len(text)
        self.parcels.append(Parcel(key, "bounce@firm.example", segments=(head, text), size=size, **given))

    def _outcome(self, rest: str) -> None:
        found = re.fullmatch(r'(\d+ [^"]*?)\s*(?:"(.*)")?', rest)
        assert found, rest
        self.outcomes.append(found[1])
        if found[2]:
            self.words[int(found[1].split()[0])] = found[2].replace("\\n", "\n")

    def _trouble(self, rest: str) -> None:
        self.trouble.append(rest)


async def _play(wanted: Wanted, port: int) -> tuple[dict[int, Outcome], list[str]]:
    server = Server("127.0.0.1", port, Security.NONE, authenticate=False, allow_private=True, **wanted.server)
    trouble: list[WireError] = []
    courier = SmtpCourier(
        server,
        connections=int(wanted.pool["connections"]),
        idle_close_s=wanted.pool["idle_close_s"],
        on_trouble=trouble.append,
    )
    seen: dict[int, Outcome] = {}

    def known(parcel: Parcel, outcome: Outcome) -> None:
        assert parcel.key not in seen, "an outcome came twice"
        seen[parcel.key] = outcome

    batches = [[parcel] for parcel in wanted.parcels] if wanted.one_by_one else [wanted.parcels]
    for batch in batches:
        await courier.run_batch(batch, known, wait_s=wanted.pool["wait_s"])
        await asyncio.sleep(wanted.pool.get("pause_s", 0))
    await asyncio.sleep(wanted.pool["linger_s"])
    await courier.close(wait_s=5)
    assert courier.open_connections == 0
    return seen, [error.code for error in trouble]


def _line(number: int, outcome: Outcome) -> str:
    line = f"{number} {outcome.kind} {outcome.stage} {outcome.reply.code}"
    return line + " wide" * outcome.account_wide + " dsn" * outcome.dsn_requested


def _pairs(text: str) -> list[tuple[str, str]]:
    return [
        (name, value) for name, _, value in (word.partition("=") for word in shlex.split(text, posix=False))
    ]


def _expanded(script: str) -> Iterator[str]:
    for line in script.splitlines():
        if line.startswith("hello"):
            listed = ["peer.example", *(word.strip() for word in line[5:].split(",") if word.strip())]
            yield from ("S: 220 peer.example ESMTP", "C: EHLO localhost")
            yield from (f"S: 250-{word}" for word in listed[:-1])
            yield f"S: 250 {listed[-1]}"
        else:
            yield line
