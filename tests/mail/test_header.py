"""Headers: what is written comes back through Python's own parser, and no line break gets in."""

import email
import email.policy
import re
from datetime import UTC, datetime, timedelta, timezone
from email.header import decode_header, make_header

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postroom.errors import InputError
from postroom.mail import header

printable = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp", "Zs"), include_characters=" "), max_size=300
)
LONG_CYRILLIC = "Уважаеми клиенти, каним Ви на пролетния семинар за счетоводители в София и Пловдив " * 4
LONG_POLISH = "Zażółć gęślą jaźń – zaproszenie na szkolenie, które odbędzie się w najbliższy czwartek w Łodzi"


def parsed(lines: str):
    return email.message_from_bytes(lines.encode() + b"\r\nbody\r\n", policy=email.policy.default)


def decoded_phrase(lines: str) -> str:
    """The display name. Not by policy.default: in Python 3.11 it puts a blank between two encoded words of a phrase."""
    phrase = lines.removeprefix("To:").rpartition("jan@firm.pl")[0].strip(" <\r\n").replace("\r\n ", " ")
    if phrase.startswith('"'):
        return re.sub(r"\\(.)", r"\1", phrase[1:-1])
    return str(make_header(decode_header(phrase)))


def well_formed(lines: str) -> bool:
    found = lines.split("\r\n")
    return (
        found[-1] == ""
        and all(
            0 < len(line.encode()) <= 998 and "\n" not in line and "\r" not in line for line in found[:-1]
        )
        and all(line[0] == " " and line.strip() for line in found[1:-1])
    )


@pytest.mark.parametrize(
    "subject", [LONG_CYRILLIC, LONG_POLISH, "Hello", "=?utf-8?q?no?=", "a" * 70, "a" * 2000, "x  y " * 40]
)
def test_a_subject_comes_back_as_it_was(subject):
    lines = header.unstructured("Subject", subject)
    assert well_formed(lines)
    assert lines.isascii()
    message = parsed(lines)
    assert message["subject"] == subject.strip()
    assert not message["subject"].defects


@pytest.mark.parametrize("subject", [LONG_CYRILLIC, LONG_POLISH])
def test_no_line_of_an_encoded_subject_is_longer_than_76(subject):
    assert max(map(len, header.unstructured("Subject", subject).split("\r\n"))) <= 76


def test_the_shorter_of_the_two_encodings_is_taken():
    assert "=?utf-8?q?" in header.unstructured("Subject", "Zaproszenie na szkolenie w Łodzi")
    assert "=?utf-8?b?" in header.unstructured("Subject", LONG_CYRILLIC)


def test_line_breaks_in_a_subject_become_blanks():
    lines = header.unstructured("Subject", "Hello\r\nBcc: all@firm.pl\x00\n\n there")
    assert lines == "Subject: Hello Bcc: all@firm.pl there\r\n"


@settings(max_examples=300, deadline=None)
@given(printable)
def test_any_printable_subject_comes_back(subject):
    lines = header.unstructured("Subject", subject)
    assert well_formed(lines)
    assert (parsed(lines)["subject"] or "") == header.one_line(subject)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_no_text_can_make_a_second_header(subject):
    message = parsed(header.unstructured("Subject", subject))
    assert message.keys() == ["Subject"]


@settings(max_examples=200, deadline=None)
@given(printable)
def test_any_display_name_comes_back_or_is_refused(name):
    lines = header.mailboxes("To", [(name, "jan@firm.pl")])
    assert well_formed(lines)
    [box] = parsed(lines)["to"].addresses
    assert box.addr_spec == "jan@firm.pl"
    assert decoded_phrase(lines) == name.strip()


@pytest.mark.parametrize("name", ["Jan\nBcc: x@y.pl", "Jan\r", "a\x00b", "a\u2028b", "a\x85b"])
def test_a_display_name_with_a_line_break_is_refused(name):
    with pytest.raises(InputError):
        header.mailboxes("From", [(name, "jan@firm.pl")])


def test_many_recipients_are_folded_between_them():
    boxes = [("Łukasz Żółć " * n, f"person{n}@firm.example") for n in range(8)]
    lines = header.mailboxes("To", boxes)
    assert well_formed(lines)
    found = parsed(lines)["to"].addresses
    assert [box.addr_spec for box in found] == [address for _, address in boxes]
    assert [box.display_name.replace(" ", "") for box in found] == [
        name.replace(" ", "") for name, _ in boxes
    ]


def test_a_local_part_of_other_letters_is_written_as_it_is():
    assert header.mailboxes("To", [("", "żółć@firma.pl")]) == "To: żółć@firma.pl\r\n"


@pytest.mark.parametrize(
    "name", ["zażółć.pdf", "a.pdf", "offer 2026.pdf", 'quo"te\\.pdf', "дълго име " * 20 + ".pdf", "a" * 200]
)
def test_a_file_name_comes_back(name):
    lines = header.with_parameters("Content-Disposition", "attachment", [("filename", name)])
    assert well_formed(lines)
    assert max(map(len, lines.split("\r\n"))) <= 78
    assert parsed(lines).get_filename() == name


@pytest.mark.parametrize("item", ["a\r\nBcc: x", "ż", "x" * 2000])
def test_a_structured_item_must_be_one_short_ascii_line(item):
    with pytest.raises(InputError):
        header.structured("List-Unsubscribe", [item])


def test_a_header_name_cannot_hold_a_colon_or_a_break():
    for name in ("Subject: x\r\nBcc", "a b", "", "ż"):
        with pytest.raises(InputError):
            header.unstructured(name, "x")


def test_a_date_carries_its_zone():
    assert (
        header.date("Date", datetime(2026, 3, 1, 9, 5, 7, tzinfo=UTC))
        == "Date: Sun, 01 Mar 2026 09:05:07 +0000\r\n"
    )
    west = timezone(timedelta(hours=-3, minutes=-30))
    assert header.date("Date", datetime(2026, 3, 1, 9, 5, 7, tzinfo=west)).endswith(" 09:05:07 -0330\r\n")
    with pytest.raises(ValueError, match="zone"):
        header.date("Date", datetime(2026, 3, 1))  # noqa: DTZ001
