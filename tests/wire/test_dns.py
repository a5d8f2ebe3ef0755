"""Questions to a name server of our own, which also lies, loops and keeps silent."""

import time

import pytest

from postroom.mail.dns_records import Answer, Question, proof
from postroom.mail.spf import spf
from postroom.testing.dns import GARBAGE, REFUSED, SERVFAIL, SILENT, name_server
from postroom.wire.dns import Resolver, drive


@pytest.fixture
def zone():
    with name_server() as server:
        yield server


@pytest.fixture
def resolver(zone):
    return Resolver([zone.address], question_s=1.0)


def test_records_of_every_kind_are_read(zone, resolver):
    zone.txt("firm.example", "v=spf1 -all", "other")
    zone.records["firm.example", "MX"] = ["10 mail.firm.example.", "20 Back.firm.example."]
    zone.records["firm.example", "A"] = ["192.0.2.7"]
    zone.records["firm.example", "AAAA"] = ["2001:db8::1"]
    assert set(resolver.ask(Question("TXT", "firm.example")).values) == {"v=spf1 -all", "other"}
    assert set(resolver.ask(Question("MX", "firm.example")).values) == {
        "10 mail.firm.example.",
        "20 Back.firm.example.",
    }
    assert resolver.ask(Question("A", "firm.example")) == Answer("found", ("192.0.2.7",))
    assert resolver.ask(Question("AAAA", "firm.example")).values == ("2001:db8::1",)


def test_no_name_and_no_such_record_are_missing(zone, resolver):
    zone.records["firm.example", "A"] = ["192.0.2.7"]
    assert resolver.ask(Question("TXT", "nobody.example")).state == "missing"
    assert resolver.ask(Question("TXT", "firm.example")).state == "missing"


def test_an_alias_is_followed(zone, resolver):
    zone.records["_postroom.firm.example", "CNAME"] = ["proof.provider.example."]
    zone.txt("proof.provider.example", "token")
    assert resolver.ask(Question("TXT", "_postroom.firm.example")).values == ("token",)


def test_a_record_longer_than_a_datagram_is_read_over_tcp(zone, resolver):
    zone.txt("firm.example", "x" * 4096)
    assert resolver.ask(Question("TXT", "firm.example")).values == ("x" * 4096,)


def test_an_answer_beyond_all_measure_is_none(zone, resolver):
    zone.txt("firm.example", *(f"{n:03}" + "x" * 1000 for n in range(40)))
    assert resolver.ask(Question("TXT", "firm.example")) == Answer("unreachable", reason="too_long")


def test_a_loop_of_aliases_ends(zone, resolver):
    zone.records["a.example", "CNAME"] = ["b.example."]
    zone.records["b.example", "CNAME"] = ["a.example."]
    begun = time.monotonic()
    answer = resolver.ask(Question("TXT", "a.example"))
    assert answer.state == "unreachable"
    assert time.monotonic() - begun < 3


@pytest.mark.parametrize("way", [SILENT, SERVFAIL, REFUSED, GARBAGE])
def test_a_server_that_does_not_do_its_work_is_unreachable(zone, resolver, way):
    zone.records["firm.example", "*"] = way
    begun = time.monotonic()
    answer = resolver.ask(Question("TXT", "firm.example"))
    assert answer.state == "unreachable"
    assert answer.reason
    assert time.monotonic() - begun < 3


def test_no_server_at_all_is_unreachable():
    with name_server() as gone:
        address = gone.address
    assert Resolver([address], question_s=1.0).ask(Question("TXT", "firm.example")).state == "unreachable"


@pytest.mark.parametrize(
    "name", ["a" * 64 + ".example", "a." * 130 + "example", "a..example", "\udcff.example", ""]
)
def test_a_name_that_is_none_does_no_harm(resolver, name):
    assert resolver.ask(Question("TXT", name)).state in ("unreachable", "missing")


def test_odd_bytes_are_read_as_text(zone, resolver):
    zone.records["firm.example", "TXT"] = ['"\\255\\254\\000\\010evil"']
    assert resolver.ask(Question("TXT", "firm.example")).values == ("\ufffd\ufffd\0\nevil",)


def test_all_of_a_check_ends_in_time(zone, resolver):
    zone.txt("firm.example", "v=spf1 " + " ".join(f"include:s{n}.example" for n in range(9)) + " -all")
    for n in range(9):
        zone.records[f"s{n}.example", "*"] = SILENT
    begun = time.monotonic()
    finding = drive(spf("firm.example", []), resolver, within_s=1.5)
    assert finding.state == "unreachable"
    assert time.monotonic() - begun < 4


def test_the_same_question_is_asked_once(zone, resolver):
    zone.txt("_postroom.firm.example", "token")

    def twice():
        first = yield from proof("firm.example", "token")
        second = yield from proof("firm.example", "token")
        return first, second

    first, second = drive(twice(), resolver, within_s=5)
    assert first == second
    assert first.state == "ok"
    assert len(zone.asked) == 1
