"""Requests by mail: what our own List-Unsubscribe makes a mail program send."""

from urllib.parse import unquote

import pytest

from postroom.mail.envelope import ReturnPlan
from postroom.mail.recognise import recognise
from postroom.mail.report import Kind
from postroom.mail.token import token_make

TOKEN = token_make(7, b"k" * 32)


def test_the_mail_that_our_list_unsubscribe_asks_for_is_a_request():
    plan = ReturnPlan(bounce_host="", account_address="news@office.example")
    address, _, subject = plan.unsubscribe_mailto(TOKEN).partition("?subject=")
    raw = f"From: a@box.example\r\nTo: {address}\r\nSubject: {unquote(subject)}\r\n\r\n\r\n".encode()
    assert recognise(raw).kind == Kind.UNSUBSCRIBE
    assert TOKEN in recognise(raw).subject


@pytest.mark.parametrize("subject", [f"Why {TOKEN}?", f"unsubscribe my brother {TOKEN}", TOKEN])
def test_a_token_alone_asks_for_nothing(subject):
    raw = f"From: a@box.example\r\nTo: news@office.example\r\nSubject: {subject}\r\n\r\nHi\r\n".encode()
    assert recognise(raw).kind != Kind.UNSUBSCRIBE
