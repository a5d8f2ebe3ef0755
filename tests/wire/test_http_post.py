"""Telling somebody something over HTTP: what is answered is handed back, and nobody is led elsewhere."""

import pytest

from postroom.errors import HostRefused, HostUnreachable, InputError, ProtocolBroken, WireTimeout
from postroom.wire.http import http_post
from tests.wire.test_http import page, serving


def post(port, path="/hook", **more):
    given = {
        "body": b'{"id":1}',
        "headers": {"X-Mark": "yes"},
        "allow_private": True,
        "timeout_s": 5.0,
        **more,
    }
    return http_post(f"http://127.0.0.1:{port}{path}", **given)


def test_the_headers_arrive_and_the_answer_comes_back():
    with serving(page(b"taken\r\n")) as (port, heard):
        assert post(port, "/hook?x=1") == (200, "OK taken")
    head = heard[0].partition(b"\r\n\r\n")[0]  # the body comes in a second piece
    assert head.startswith(b"POST /hook?x=1 HTTP/1.1\r\n")
    assert b"X-Mark: yes" in head
    assert b"Content-Length: 8" in head


def test_a_redirect_is_an_answer_and_is_not_followed():
    with serving(page(b"", b"Location: http://127.0.0.1:1/elsewhere", status=b"302 Found")) as (port, heard):
        assert post(port) == (302, "Found")
    assert len(heard) == 1


def test_a_private_address_is_not_told_anything():
    with serving(page(b"secret")) as (port, heard), pytest.raises((HostRefused, HostUnreachable)):
        post(port, allow_private=False)
    assert heard == []


def test_of_an_endless_answer_only_the_first_words_are_kept():
    with serving(page(b"x" * 100_000)) as (port, _):
        code, words = post(port)
    assert code == 200
    assert len(words) < 600


def test_one_who_trickles_is_cut_at_the_deadline():
    with serving(page(b"y" * 1000), drip_s=0.05) as (port, _), pytest.raises(WireTimeout):
        post(port, timeout_s=0.5)


def test_what_is_no_http_is_a_fault_of_theirs():
    with serving(b"220 smtp ready\r\n") as (port, _), pytest.raises(ProtocolBroken):
        post(port)


def test_a_header_is_not_smuggled_through_the_address():
    with pytest.raises(InputError):
        http_post(
            "http://127.0.0.1/ HTTP/1.1\r\nX: y",
            body=b"",
            headers={},
            allow_private=True,
        )
