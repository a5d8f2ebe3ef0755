"""Envelopes of Outlook: the files inside are named and handed out, whatever else is in them or wrong with them."""

import base64
import struct
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postroom.mail import reading, tnef
from postroom.mail.letter import letter_read

BEGINS, TITLE, DATA, PROPERTIES, CODEPAGE = 0x00069002, 0x00018010, 0x0006800F, 0x00069005, 0x00069007


def envelope(*attributes):
    """(number, bytes) of each as MS-OXTNEF section 2.1.3.1 lays them out."""
    body = b"".join(
        struct.pack("<BII", 2, number, len(data)) + data + struct.pack("<H", sum(data) % 65536)
        for number, data in attributes
    )
    return struct.pack("<IH", 0x223E9F78, 7) + body


def properties(*found):
    """(type, number, value) of each; a named one has a number from 0x8000."""
    made = struct.pack("<I", len(found))
    for kind, number, value in found:
        made += struct.pack("<HH", kind, number)
        if number >= 0x8000:
            name = "Farbe".encode("utf-16-le")
            made += b"g" * 16 + struct.pack("<II", 1, len(name)) + name + b"\0" * (-len(name) % 4)
        if kind in (0x1E, 0x1F, 0x0D, 0x102):
            made += struct.pack("<II", 1, len(value)) + value + b"\0" * (-len(value) % 4)
        else:
            made += value
    return made


def file(title, data, *more):
    return [(BEGINS, b"\0" * 14), (TITLE, title), (DATA, data), *more]


LONG = (
    PROPERTIES,
    properties(
        (0x1F, 0x3707, "Zażółć ofertę.pdf\0".encode("utf-16-le")), (0x1E, 0x370E, b"Application/PDF\0")
    ),
)


def test_files_are_named_as_their_writer_named_them_and_come_out_as_they_went_in():
    raw = envelope(
        (0x00089006, b"\0\0\1\0"),
        (CODEPAGE, struct.pack("<II", 1250, 0)),
        *file(b"ZA\xaf\xf3LC~1.PDF\0", b"%PDF-1.4", LONG),
        *file("cennik żółty.xls\0".encode("cp1250"), b"\xd0\xcf"),
    )
    found, is_whole = tnef.files_in(raw)
    assert is_whole
    assert [(one.name, one.content_type, one.data) for one in found] == [
        ("Zażółć ofertę.pdf", "application/pdf", b"%PDF-1.4"),
        ("cennik żółty.xls", "", b"\xd0\xcf"),
    ]


def test_properties_of_every_shape_are_passed_over():
    shapes = properties(
        (0x03, 0x0E20, b"\1\0\0\0"),
        (0x0B, 0x7FFE, b"\1\0\0\0"),
        (0x40, 0x3007, b"\0" * 8),
        (0x48, 0x0FF9, b"\0" * 16),
        (0x1003, 0x0001, struct.pack("<III", 2, 1, 2)),
        (0x1F, 0x8001, "rot\0".encode("utf-16-le")),
        (0x102, 0x3701, b"what it holds"),
        (0x1E, 0x3704, b"SHORT.TXT\0"),
    )
    (one,), is_whole = tnef.files_in(envelope((BEGINS, b""), (PROPERTIES, shapes)))
    assert (one.name, one.data, is_whole) == ("SHORT.TXT", b"what it holds", True)


def test_a_message_in_the_envelope_gives_its_files_and_depth_has_an_end():
    inner = envelope(*file(b"inner.txt\0", b"deep"))
    for _ in range(2):
        inner = envelope((BEGINS, b""), (PROPERTIES, properties((0x0D, 0x3701, b"i" * 16 + inner))))
    assert [one.name for one in tnef.files_in(inner)[0]] == ["inner.txt"]
    for _ in range(5):
        inner = envelope((BEGINS, b""), (PROPERTIES, properties((0x0D, 0x3701, b"i" * 16 + inner))))
    assert tnef.files_in(inner)[0] == []


def test_what_is_cut_keeps_the_files_before_and_says_that_it_is_not_whole():
    raw = envelope(*file(b"first.txt\0", b"one"), *file(b"second.txt\0", b"two" * 100))
    found, is_whole = tnef.files_in(raw[:-50])
    assert [one.data for one in found] == [b"one", b""]
    assert not is_whole
    assert tnef.files_in(b"") == tnef.files_in(b"PK\3\4") == ([], False)


@pytest.mark.parametrize(
    "name", [b"..\\..\\evil.exe\0", b"\0", b"a\0b.exe\0", "‮fdp.exe\0".encode(), b"x" * 9000]
)
def test_a_name_leads_nowhere_else(name):
    ((one,), _) = tnef.files_in(envelope(*file(name, b"x")))
    assert one.name
    assert not set(one.name) & set("/\\\0\u202e")
    assert len(one.name) <= 120


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=600), st.integers(0, 400), st.binary(min_size=1, max_size=6))
def test_nothing_raises_whatever_stands_in_it(noise, at, bent):
    good = envelope(*file(b"a.txt\0", b"abc", LONG), *file(b"b.txt\0", b"def"))
    for raw in (noise, good[:6] + noise, good[:at] + bent + good[at + len(bent) :], good[:at]):
        for one in tnef.files_in(raw)[0]:
            assert one.name


def test_many_thousand_attachments_take_no_time():
    begun = time.perf_counter()
    found, is_whole = tnef.files_in(envelope(*[(BEGINS, b""), (TITLE, b"a\0")] * 100_000))
    assert len(found) <= 200
    assert not is_whole
    assert time.perf_counter() - begun < 2


def mail_with(packed):
    coded = base64.encodebytes(packed).replace(b"\n", b"\r\n")
    return (
        b'From: a@x.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n'
        b"Content-Type: text/plain\r\n\r\nSee the files.\r\n--b\r\n"
        b"Content-Type: application/ms-tnef; name=winmail.dat\r\nContent-Transfer-Encoding: base64\r\n"
        b"Content-Disposition: attachment; filename=winmail.dat\r\n\r\n" + coded + b"--b--\r\n"
    )


def test_a_mail_shows_the_files_instead_of_the_envelope_and_hands_them_out():
    png = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
    raw = mail_with(
        envelope(*file(b"plan.png\0", png), *file(b"setup.exe\0", b"MZ"), *file(b"note.txt\0", b"hi"))
    )
    shown = reading.read(raw).files
    assert [(one.name, one.is_viewable, one.is_risky, one.is_winmail) for one in shown] == [
        ("plan.png", True, False, False),
        ("setup.exe", False, True, False),
        ("note.txt", True, False, False),
    ]
    assert [reading.part(raw, one.number)[1] for one in shown] == [png, b"MZ", b"hi"]
    assert reading.part(raw, shown[-1].number + 1000) is None


def test_a_mail_is_found_by_the_names_of_the_files_in_the_envelope():
    packed = envelope(*file(b"oferta.pdf\0", b"one"), *file("zamówienie.xlsx\0".encode("cp1252"), b"three"))
    listed = letter_read(mail_with(packed)).files
    assert [(one.name, one.size_bytes) for one in listed] == [("oferta.pdf", 3), ("zamówienie.xlsx", 5)]
    cut = letter_read(mail_with(packed[:-2])).files
    assert [one.name for one in cut][:2] == ["winmail.dat", "oferta.pdf"]
    (alone,) = letter_read(mail_with(b"no envelope at all")).files
    assert alone.name == "winmail.dat"


def test_an_envelope_that_is_cut_stays_beside_its_files_and_one_without_files_says_so():
    packed = envelope(*file(b"a.txt\0", b"one"), *file(b"b.txt\0", b"two"))
    kept = reading.read(mail_with(packed[:-2])).files
    assert [(one.name, one.is_winmail) for one in kept] == [
        ("winmail.dat", True),
        ("a.txt", False),
        ("b.txt", False),
    ]
    (alone,) = reading.read(mail_with(envelope((0x00089006, b"\0\0\1\0")))).files
    assert (alone.is_winmail, alone.is_hollow) == (True, True)
