"""What a mail that people read says of itself."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postroom.mail import mime
from postroom.mail.letter import File, Person, letter_of, letter_read

MAIL = """\
Return-Path: <Anna@firma.example>
From: =?utf-8?Q?Anna_Nowak-Wi=C5=9Bniewska?= <Anna@Firma.Example>
To: Biuro <biuro@example.org>, "Kowalski, Jan" <jan@example.org>,
 office: ola@example.org;, jan@example.net (Jan K.)
Cc: ela@example.org
Subject: =?utf-8?Q?Re:_Oferta_na_dostaw=C4=99_?=
 =?utf-8?Q?krzese=C5=82?=
Date: Mon, 16 Nov 2026 09:12:30 +0100
Message-ID: <20261116.1234@firma.example>
In-Reply-To: Your mail of Friday <abc.def@example.org>
References: <abc.1@example.org>
 <abc.def@example.org>
Disposition-Notification-To: Anna <anna@firma.example>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="outer"

--outer
Content-Type: multipart/alternative; boundary="inner"

--inner
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

> Czy macie krzes=C5=82a?

Dzie=C5=84 dobry,
tak.

--inner
Content-Type: text/html; charset=utf-8

<p>Dzień dobry, <img src="cid:logo"></p>
--inner--
--outer
Content-Type: image/png; name=logo.png
Content-ID: <logo>
Content-Transfer-Encoding: base64

AAAA
--outer
Content-Type: application/pdf; name="=?utf-8?Q?oferta.pdf?="
Content-Disposition: attachment; filename*0*=utf-8''oferta%20krzese%C5%82;
 filename*1=".pdf"
Content-Transfer-Encoding: base64

QUJDRA==
--outer
Content-Type: message/rfc822

Subject: inner

hello
--outer--
"""


def test_a_mail_tells_who_to_whom_when_and_what() -> None:
    read = letter_read(MAIL.replace("\n", "\r\n").encode())
    assert (read.from_name, read.from_address) == ("Anna Nowak-Wiśniewska", "Anna@firma.example")
    assert read.to == (
        Person("Biuro", "biuro@example.org"),
        Person("Kowalski, Jan", "jan@example.org"),
        Person("", "ola@example.org"),
        Person("Jan K.", "jan@example.net"),
    )
    assert read.cc == (Person("", "ela@example.org"),)
    assert read.subject == "Re: Oferta na dostawę krzeseł"
    assert read.date == datetime(2026, 11, 16, 8, 12, 30, tzinfo=UTC)
    assert read.message_id == "20261116.1234@firma.example"
    assert read.in_reply_to == "abc.def@example.org"
    assert read.references == ("abc.1@example.org", "abc.def@example.org")
    assert read.receipt_to == "anna@firma.example"
    assert read.return_path == "Anna@firma.example"
    assert not read.is_automatic


def test_the_first_words_are_no_quotation_and_the_text_is_whole() -> None:
    read = letter_read(MAIL.encode())
    assert read.snippet == "Dzień dobry, tak."
    assert read.text.startswith("> Czy macie krzesła?\n")


def test_files_are_what_a_person_would_open() -> None:
    read = letter_read(MAIL.encode())
    assert read.files == (
        File("oferta krzeseł.pdf", "application/pdf", 4, 3),
        File("message.eml", "message/rfc822", 21, 4),
    )
    parts = mime.read(MAIL.encode(), mime.WHOLE).parts
    assert [parts[file.part].content_type for file in read.files] == ["application/pdf", "message/rfc822"]


def test_a_name_of_a_file_cannot_lead_elsewhere_or_turn_around() -> None:
    mail = MAIL.replace("oferta%20krzese%C5%82", "..%2F..%2Fetc%2F%E2%80%AEgpj.exe%00")
    assert letter_read(mail.encode()).files[0].name == "gpj.exe.pdf"


def test_text_without_a_charset_is_read_in_the_likeliest() -> None:
    words = "Zażółć gęślą jaźń, proszę o wycenę: łóżko i krzesło."
    for told in (
        b"",
        b"Content-Type: text/plain; charset=x-klingon\r\n",
        b"Content-Type: text/plain; charset=utf-8\r\n",
    ):
        read = letter_read(told + b"Subject: x\r\n\r\n" + words.encode("cp1250"))
        assert read.snippet == words


def test_html_alone_is_read_as_text() -> None:
    read = letter_read(b"Content-Type: text/html\r\n\r\n<style>p{}</style><p>Hello</p><p>there</p>")
    assert read.snippet == "Hello there"
    assert read.files == ()


def test_ten_thousand_people_in_copy_hide_neither_the_rest_nor_each_other() -> None:
    people = ",\r\n ".join(f'"P, {number}" <p{number}@example.org>' for number in range(10_000))
    read = letter_read(f"Cc: {people}\r\nContent-Type: text/html\r\nSubject: x\r\n\r\n<p>Hi</p>".encode())
    assert len(read.cc) == 10_000
    assert read.cc[-1] == Person("P, 9999", "p9999@example.org")
    assert (read.subject, read.snippet) == ("x", "Hi")


def test_references_keep_the_first_and_the_newest() -> None:
    ids = " ".join(f"<{number}@x>" for number in range(200))
    read = letter_read(f"References: {ids}\r\n\r\n".encode())
    assert read.references == ("0@x", *(f"{number}@x" for number in range(151, 200)))


@pytest.mark.parametrize(
    ("head", "name", "address"),
    [
        ("", "", ""),
        ("From:", "", ""),
        ("From: <>", "", ""),
        ("From: Anna", "Anna", ""),
        ("From: undisclosed-recipients:;", "", ""),
        ("From: a@B.Example", "", "a@b.example"),
        ('From: "a@b.example" <a@b.example>', "", "a@b.example"),
        ("From: a b@c.example <evil@x.example>", "a b@c.example", "evil@x.example"),
        ("From: =?x-none?B?AAAA?= <a@b.example>", "", "a@b.example"),
    ],
)
def test_odd_writers_are_named_as_far_as_they_name_themselves(head: str, name: str, address: str) -> None:
    read = letter_read(f"{head}\r\nSubject: s\r\n\r\n".encode())
    assert (read.from_name, read.from_address) == (name, address)


@pytest.mark.parametrize(
    "date", ["", "soon", "Mon, 99 Nov 2026", "Fri, 31 Dec 9999 23:59:59 -1200", "1 Jan 0123 00:00"]
)
def test_a_date_that_is_none_is_none(date: str) -> None:
    assert letter_read(f"Date: {date}\r\n\r\n".encode()).date is None


def test_what_a_program_wrote_says_so() -> None:
    assert letter_read(b"Auto-Submitted: auto-generated\r\n\r\n").is_automatic
    assert letter_read(b"Subject: Out of office: urlop\r\n\r\n").is_automatic
    assert not letter_read(b"Auto-Submitted: no\r\n\r\n").is_automatic


_BITS = st.sampled_from(
    [
        *(line.encode() + b"\r\n" for line in MAIL.splitlines()),
        *(
            b"\r\n",
            b"\0",
            b"\xff\xfe",
            b'"',
            b"(",
            b"<",
            b"--",
            b"\xed\xa0\x80",
            b": ",
            b";",
            b"=?utf-7?Q?+2AA-?=",
        ),
        *(b"From: ", b"Content-Type: text/plain; charset=utf-7\r\n\r\n+2AA-", b"Date: ", b"x" * 300),
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.binary(max_size=400), st.lists(_BITS, max_size=40).map(b"".join)))
def test_whatever_the_bytes_it_reads_and_what_it_reads_can_be_stored(raw: bytes) -> None:
    read = letter_of(mime.read(raw, mime.WHOLE))
    people = [one for person in (*read.to, *read.cc, *read.reply_to) for one in person]
    names = [name for file in read.files for name in (file.name, file.content_type)]
    texts = (
        *(read.message_id, read.in_reply_to, *read.references, read.subject, read.from_name, read.snippet),
        *(read.from_address, read.text, read.receipt_to, read.return_path, *people, *names),
    )
    assert all("\0" not in text for text in texts)
    assert all(text.encode("utf-8") is not None for text in texts)  # raises on a lone surrogate
    assert len(read.snippet) <= 200
    assert all(len(one) <= 255 for one in (read.message_id, read.in_reply_to, *read.references))
    assert all(file.size_bytes >= 0 for file in read.files)


@pytest.mark.parametrize(
    "raw",
    [b"From: " + b"(" * 200_000, b"To: " + b'"' * 200_000, b"Cc: " + b"<" * 200_000 + b"\r\n\r\n"],
    ids=["comments", "quotes", "angles"],
)
def test_a_hostile_header_costs_a_bounded_time(raw: bytes) -> None:
    assert letter_read(raw).subject == ""
