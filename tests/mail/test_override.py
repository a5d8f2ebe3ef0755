"""Another sender or addressee for each contact (SA-08, SA-11)."""

import pytest

from postroom.mail.override import Overrides, effective

BOTH = Overrides("agent_email", "agent", "invoice_email", "invoice_name", frozenset({"firm.example"}))


def of(**values):
    return effective(BOTH, values)


def test_each_detail_stands_for_itself():
    found = of(agent_email="Ann@Firm.example", agent="Ann Nowak")
    assert (found.from_address, found.from_name) == ("Ann@firm.example", "Ann Nowak")
    assert (of(agent="Ann Nowak").from_address, of(agent="Ann Nowak").from_name) == ("", "Ann Nowak")
    assert not of(agent="Ann Nowak").from_fallback


@pytest.mark.parametrize(
    "evil",
    [
        "ann@firm.example\r\nBcc: x@y.example",
        "ann@firm.example\n",
        "not an address",
        "ann@other.example",
        "a@firm.example, b@firm.example",
        "x" * 400 + "@firm.example",
        "\x00@firm.example",
    ],
)
def test_a_sender_that_cannot_be_used_falls_back_and_is_counted(evil):
    found = of(agent_email=evil)
    assert (found.from_address, found.from_fallback) == ("", True)


@pytest.mark.parametrize("evil", ["Boss <boss@firm.example>", "Ann\r\nBcc: x@y", "x" * 300])
def test_a_name_that_could_be_an_address_or_a_header_falls_back(evil):
    assert (of(agent=evil).from_name, of(agent=evil).from_fallback) == ("", True)


def test_a_missing_or_invalid_addressee_is_counted_and_the_contact_gets_it():
    assert of().to_fallback
    assert of(invoice_email="rubbish").to_fallback
    found = of(invoice_email="Books@Żółw.example", invoice_name="Księgowość")
    assert not found.to_fallback
    assert found.to_canonical == "books@xn--w-uga1v8h.example"
    assert found.to_name == "Księgowość"


def test_what_is_not_overridden_costs_nothing():
    assert Overrides().keys == ()
    assert effective(Overrides(), {"agent": "Ann"}) == effective(Overrides(), {})
