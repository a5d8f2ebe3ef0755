"""The counting server, in front of the real SMTP client and as a process."""

import asyncio
import json
import subprocess
import sys
from collections import Counter

import pytest

from postroom.mail.reply import OutcomeKind
from postroom.practice.control import control_ask
from postroom.testing.counting import Manners, counting
from postroom.wire.courier import Parcel
from postroom.wire.server import Security, Server
from postroom.wire.smtp import SmtpCourier

BODY = (b"Subject: x\r\n\r\n", b".leading dot\r\n" + b"text\r\n" * 100)


def parcels(*addresses: str) -> list[Parcel]:
    size = sum(map(len, BODY))
    return [Parcel(key, "b@r.example", address, BODY, size) for key, address in enumerate(addresses)]


def send(port: int, *addresses: str, connections: int = 4) -> dict[str, OutcomeKind]:
    """The outcome of each address; what was never begun is tried until it is."""
    found: dict[str, OutcomeKind] = {}

    async def run() -> None:
        server = Server("127.0.0.1", port, Security.NONE, authenticate=False, allow_private=True)
        courier = SmtpCourier(server, connections=connections)
        left = parcels(*addresses)
        for _ in range(20):
            unsent: list[Parcel] = []

            def note(parcel, outcome):
                if outcome.kind is OutcomeKind.UNSENT:
                    unsent.append(parcel)  # noqa: B023
                else:
                    found[parcel.recipient] = outcome.kind

            await courier.run_batch(left, note, wait_s=20)
            left = unsent
            if not left:
                break
        await courier.close()

    asyncio.run(asyncio.wait_for(run(), 60))
    return found


def test_every_copy_is_counted_for_its_recipient():
    addresses = [f"u{number % 90}@f.example" for number in range(100)]
    with counting() as (desk, port):
        send(port, *addresses)
        assert desk.copies == Counter(addresses)
        assert desk.summary()["duplicates"] == 10
        assert desk.last == b"".join(BODY)
        assert desk.reset()["accepted"] == 100
        assert desk.summary()["accepted"] == 0


def test_it_refuses_and_delays_as_told():
    manners = Manners(refuse="^no", tempfail="^busy", once="^grey")
    with counting(manners) as (desk, port):
        assert send(port, "no@f.pl", "busy@f.pl", "grey@f.pl", "yes@f.pl") == {
            "no@f.pl": OutcomeKind.FAILED,
            "busy@f.pl": OutcomeKind.DEFERRED,
            "grey@f.pl": OutcomeKind.DEFERRED,
            "yes@f.pl": OutcomeKind.ACCEPTED,
        }
        assert send(port, "busy@f.pl", "grey@f.pl") == {
            "busy@f.pl": OutcomeKind.DEFERRED,
            "grey@f.pl": OutcomeKind.ACCEPTED,
        }
        assert (desk.copies, desk.refused) == ({"grey@f.pl": 1, "yes@f.pl": 1}, {"no@f.pl": 1})


@pytest.mark.parametrize("connections", [1, 4])
def test_what_it_drops_is_in_doubt_and_what_it_cuts_before_is_not(connections):
    addresses = [f"u{number}@f.example" for number in range(200)]
    with counting(Manners(drop=0.1, drop_data=0.1, seed=3)) as (desk, port):
        found = send(port, *addresses, connections=connections)
        unsure = {address for address, kind in found.items() if kind is OutcomeKind.UNCERTAIN}
        taken = {address for address, kind in found.items() if kind is OutcomeKind.ACCEPTED}
        assert unsure == desk.unanswered
        assert len(unsure) > 5
        assert taken == desk.copies.keys() - unsure
        assert max(desk.copies.values()) == 1


def test_as_a_process_it_tells_its_ports_and_answers_questions():
    command = [sys.executable, "-m", "bench.counting", "--refuse", "^no", "--delay", "0.01"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        ports = json.loads(process.stdout.readline())
        send(ports["port"], "yes@f.pl", "no@f.pl")
        control = ("127.0.0.1", ports["control"])
        known = control_ask(control, "everything")
        assert (known["copies"], known["refused_addresses"]) == ({"yes@f.pl": 1}, {"no@f.pl": 1})
        assert control_ask(control, "reset")["accepted"] == 1
        assert control_ask(control, "summary")["accepted"] == 0
        assert "error" in control_ask(control, "nonsense")
    finally:
        process.terminate()
        process.communicate(timeout=20)
    assert process.returncode == 0
