"""Marked blocks of a typed message, and what an answer takes from what it answers."""

import pytest

from postroom.mail import mime
from postroom.mail.address import parse_many
from postroom.mail.answer import (
    answer_ids,
    answer_people,
    answer_subject,
    files_of,
    forward_subject,
    people_of,
    typed,
)
from postroom.mail.blocks import (
    CURSOR,
    DEFAULT,
    QUOTE,
    SIGNATURE,
    TEMPLATE,
    block,
    first_block,
    is_same,
    open_fields,
    own_words,
    put_in,
    sent_html,
    swapped,
)


def test_marks_are_never_sent_and_typed_lines_become_paragraphs():
    written = f"Good day\nAnn\n\nmore\n\n{block(TEMPLATE, '<p>Yours</p>')}\n\n{block(QUOTE, '<p>old</p>')}\n"
    assert sent_html(written) == "<p>Good day<br>\nAnn</p>\n<p>more</p>\n<p>Yours</p>\n<p>old</p>"
    assert sent_html("lost <!-- /template --> mark") == "<p>lost  mark</p>"
    assert sent_html("") == ""


def test_swapping_changes_the_block_and_nothing_around_it():
    written = f"above\n{block(DEFAULT, 'old')}\n{block(TEMPLATE, 'by hand')}\nbelow"
    new = block(TEMPLATE, "new")
    assert swapped(written, DEFAULT, new) == f"above\n{new}\n{block(TEMPLATE, 'by hand')}\nbelow"
    assert swapped("typed", DEFAULT, new) == "typed"


def test_a_template_goes_where_the_cursor_is():
    new = block(TEMPLATE, "new")
    assert put_in("typed", new) == f"{new}\n\ntyped"
    assert put_in(f"one\n{CURSOR}\ntwo", new) == f"one\n{new}\ntwo"
    assert put_in(f"{CURSOR}{CURSOR}two", new) == f"{new}\ntwo"


def test_a_block_the_editor_wrote_anew_reads_the_same_and_a_changed_one_does_not():
    assert is_same("Good day\n\nAnn", "<p>Good day</p><p>Ann</p>")
    assert is_same("<p>Alder &amp; Pike</p>", "<p>Alder &amp; Pike</p>\n")
    assert not is_same("<p>Good day</p>", "<p>Good evening</p>")


def test_a_signature_and_a_quoted_text_are_no_words_of_ones_own():
    around = f"{block(SIGNATURE, 'Ann')}\n{block(QUOTE, '<p>old</p>')}"
    assert not own_words(f"<p></p>\n{around}")
    assert own_words(f"<p>Yes</p>{around}")
    assert own_words(block(DEFAULT, "Good day") + around)


def test_what_is_put_into_a_block_cannot_close_it():
    assert first_block(block(QUOTE, "a<!-- /quote -->b"), QUOTE) == "ab"


def test_open_fields_are_those_of_templates_only():
    written = f"{{{{ typed }}}} {block(TEMPLATE, '{{ name }} {{ name }} {% if x %}')} {block(QUOTE, '{{ quoted }}')}"
    written += block(DEFAULT, "{{ name }}")
    assert open_fields(written) == ["{{ name }}", "{% if x %}"]


@pytest.mark.parametrize(
    ("subject", "answer"),
    [
        ("Prices", "Re: Prices"),
        ("RE: Re[2]: Odp: Prices", "Re: Prices"),
        ("", "Re:"),
        ("Regards", "Re: Regards"),
    ],
)
def test_re_stands_once(subject, answer):
    assert answer_subject(subject) == answer


def test_forwarding_says_so_once():
    assert forward_subject("Fwd: FW: Prices") == "Fwd: Prices"


LETTER = (
    b'From: =?utf-8?q?Nowak=2C_Jan?= <jan@x.example>\r\nReply-To: "Office; sales" <office@x.example>\r\n'
    b"To: sales@alderpike.example, Ewa <ewa@x.example>, broken@\r\nCc: OFFICE@x.example, ewa@x.example\r\n"
    b"Message-ID: <3@x>\r\nReferences: <1@x> <2@x>\r\nSubject: Hi\r\n"
)


def test_an_answer_goes_to_reply_to_and_to_all_without_oneself_and_each_once():
    read = mime.read(LETTER + b"\r\nHello")
    own = {"sales@alderpike.example"}
    assert answer_people(read, own, to_all=False) == ('"Office; sales" <office@x.example>', "")
    to, cc = answer_people(read, own, to_all=True)
    assert parse_many(to) == [("Office; sales", "office@x.example", "")]
    assert cc == "Ewa <ewa@x.example>"
    assert people_of(read, "from") == [("Nowak, Jan", "jan@x.example")]
    assert parse_many(typed("Nowak, Jan", "jan@x.example")) == [("Nowak, Jan", "jan@x.example", "")]


def test_references_are_those_of_the_message_and_its_own_id():
    assert answer_ids(mime.read(LETTER + b"\r\n")) == ("<3@x>", ("<1@x>", "<2@x>", "<3@x>"))
    only = b"Message-ID: <2@x>\r\nIn-Reply-To: <1@x>\r\n\r\n"
    assert answer_ids(mime.read(only)) == ("<2@x>", ("<1@x>", "<2@x>"))
    assert answer_ids(mime.read(b"Subject: x\r\n\r\n")) == ("", ())
    many = b"Message-ID: <m@x>\r\nReferences: " + b" ".join(b"<%d@x>" % n for n in range(99)) + b"\r\n\r\n"
    ids = answer_ids(mime.read(many))[1]
    assert (len(ids), ids[0], ids[-1]) == (20, "<0@x>", "<m@x>")


def test_files_come_whole_with_their_names_and_a_message_inside_is_one():
    data = bytes(range(256)) * 8000  # more than the tolerant reader looks at
    import base64

    raw = (
        b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nHello\r\n'
        b"--b\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n"
        b"Content-Disposition: attachment; filename*=utf-8''za%C5%BC.pdf\r\n\r\n"
        + base64.encodebytes(data)
        + b"\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\nContent-Type: image/png\r\n\r\nx\r\n--b--\r\n"
    )
    pdf, inner = files_of(raw)
    assert pdf == ("zaż.pdf", "application/pdf", data)
    assert inner[:2] == ("message.eml", "application/octet-stream")
    assert b"Subject: in" in inner[2]


def test_a_mail_of_a_thousand_layers_is_not_taken_apart():
    raw = b"".join(
        b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n) for n in range(2000)
    )
    assert files_of(raw) in (None, [])
