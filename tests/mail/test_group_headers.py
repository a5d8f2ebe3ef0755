"""What copies begin with, what gives way, and which signatures hold; reports of our own, read back by our reader."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.errors import PostroomError
from postroom.mail.dsn_make import About, Said, report_make
from postroom.mail.group_headers import Letterhead, fronted, oversigned, signature_survives, without
from postroom.mail.letterhead import head_of
from postroom.mail.recognise import recognise

AT = datetime(2026, 11, 22, 10, tzinfo=UTC)
RAW = b"From: Anna <anna@far.example>\r\nReply-To: x@far.example\r\nSubject: Hi\r\n there\r\n\r\nText\r\n"


def paper(**more) -> Letterhead:
    values = {
        "address": "sales@firm.example",
        "name": "Sales",
        "loop_token": "a" * 20,
        "host": "firm.example",
        "trace": "mx.far.example ([192.0.2.1])",
        "number": 7,
        "at": AT,
        "author": ("Anna", "anna@far.example"),
    }
    return Letterhead(**{**values, **more})


def signed(names: str, domain: str = "far.example") -> bytes:
    return f"DKIM-Signature: v=1; a=rsa-sha256; d={domain}; s=x; h={names};\r\n bh=x; b=y\r\n".encode() + RAW


def test_without_a_wish_nothing_is_cut_and_only_our_fields_stand_in_front():
    made = fronted(head_of(RAW), paper())
    assert made.cuts == []
    assert [line.partition(":")[0] for line in made.front.split("\r\n") if line[:1] not in ("", " ")] == [
        "Received",
        "X-Postroom-Loop",
        "List-Id",
        "List-Post",
    ]
    assert head_of(made.front.encode() + b"\r\n").first("list-id") == "Sales <sales.firm.example>"


def test_a_reply_to_is_replaced_and_kept_and_nothing_else_moves():
    made = fronted(head_of(RAW), paper(reply_to=(("Sales", "sales@firm.example"),)))
    assert without(RAW, made.cuts) == RAW.replace(b"Reply-To: x@far.example\r\n", b"")
    assert "X-Original-Reply-To: x@far.example\r\n" in made.front
    assert "Reply-To: Sales <sales@firm.example>\r\n" in made.front


@pytest.mark.parametrize(
    ("names", "survives"),
    [
        ("from:subject:date", True),
        ("from:subject:reply-to", False),
        ("from:from:subject", True),
        ("from:list-id", True),  # then List-Id is left out
        ("from:received", False),
    ],
)
def test_a_signature_holds_unless_what_it_names_changes(names, survives):
    head = head_of(signed(names))
    wanted = paper(reply_to=(("Sales", "sales@firm.example"),))
    assert signature_survives(head, "far.example", wanted) is survives
    assert signature_survives(head, "other.example", wanted) is None


def test_a_list_field_that_the_author_signed_as_absent_is_left_out():
    head = head_of(signed("from:list-id:list-unsubscribe", "mail.far.example"))
    assert oversigned(head, "far.example") == {"list-id", "list-unsubscribe"}
    assert "List-Id" not in fronted(head, paper()).front
    assert "List-Post" in fronted(head, paper()).front


@given(st.binary(max_size=400))
def test_any_octets_are_read_and_the_rest_is_kept(raw):
    head = head_of(raw)
    assert 0 <= head.size <= len(raw)
    assert all(0 <= one.begin < one.end <= head.size for one in head.fields)
    _ = head.msgid, head.references, head.authors, head.subject
    try:
        made = fronted(head, paper(reply_to=(("", "sales@firm.example"),), rewrite=True))
    except PostroomError:
        return
    assert without(raw, made.cuts).endswith(raw[head.size :])


@pytest.mark.req("EG-11")
@pytest.mark.parametrize("action", ["failed", "delayed", "delivered", "relayed", "expanded"])
@pytest.mark.parametrize("ret", ["FULL", "HDRS", ""])
def test_a_report_of_ours_is_what_it_says(action, ret):
    about = About(RAW, "anna@far.example", "order+7", "sales@firm.example", ret, AT)
    status = {"failed": "5.1.1", "delayed": "4.4.1"}.get(action, "2.0.0")
    raw = report_make(
        about,
        [Said("jan@firm.example", action, status, "550 5.1.1 no such user" if action == "failed" else "")],
        host="firm.example",
        header_from="postmaster@firm.example",
        message_id="1@firm.example",
        at=AT,
    )
    seen = recognise(raw)
    (report,) = seen.reports
    kind = "failure" if action == "failed" else action
    assert (seen.kind, report.action, report.recipient) == (kind, action, "jan@firm.example")
    assert (report.status, report.envelope_id) == (status, "order+7")
    assert (b"message/rfc822" in raw) == (ret == "FULL" and action == "failed")
    assert raw.isascii()
