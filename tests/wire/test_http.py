"""The HTTP client meets servers that lead it astray, never end, or lie."""

import socket
import threading
import time
from contextlib import contextmanager

import pytest

from postroom.errors import (
    HostRefused,
    HostUnreachable,
    InputError,
    ProtocolBroken,
    TlsFailed,
    WireTimeout,
)
from postroom.mail.page_address import page_address
from postroom.wire.http import http_get


@contextmanager
def serving(*answers: bytes, drip_s: float = 0.0):
    """Gives each connection the next answer (the last one again and again); yields port and the requests heard."""
    server = socket.create_server(("127.0.0.1", 0))
    heard = []

    def work():
        number = 0
        while True:
            try:
                link, _ = server.accept()
            except OSError:
                return
            with link:
                heard.append(link.recv(65536))
                answer = answers[min(number, len(answers) - 1)]
                number += 1
                try:
                    if drip_s:
                        for byte in answer:
                            link.sendall(bytes([byte]))
                            time.sleep(drip_s)
                    else:
                        link.sendall(answer)
                except OSError:
                    continue

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield server.getsockname()[1], heard
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(5)


def page(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    lines = [b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def get(url, **more):
    return http_get(url, **{"allow_private": True, "most_bytes": 1_000_000, "timeout_s": 5.0, **more})


def test_a_document_comes_with_its_type():
    with serving(page(b"a@firm.pl\n", b"Content-Type: text/plain")) as (port, heard):
        got = get(f"http://127.0.0.1:{port}/list?x=1#part")
    assert (got.body, got.content_type) == (b"a@firm.pl\n", "text/plain")
    assert heard[0].startswith(b"GET /list?x=1 HTTP/1.1\r\n")
    assert b"Host: 127.0.0.1:%d" % port in heard[0]


def test_a_private_address_is_not_connected_to():
    with serving(page(b"secret")) as (port, heard):
        for host in ("127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0x7f000001", "2130706433"):
            with pytest.raises((HostRefused, HostUnreachable)):
                get(f"http://{host}:{port}/", allow_private=False)
    assert heard == []


def test_a_redirect_into_a_private_network_is_not_followed(monkeypatch):
    """The first host is let through as public; where it leads to is guarded anew."""
    from postroom.wire import http as client

    def resolve(host, port, *, allow_private):
        if host == "public.example":
            return ["127.0.0.1"]
        return real(host, port, allow_private=allow_private)

    real = client.resolve_blocking
    monkeypatch.setattr(client, "resolve_blocking", resolve)
    with serving(page(b"secret")) as (inner, heard):
        away = page(b"", b"Location: http://127.0.0.1:%d/" % inner, status=b"302 Found")
        with serving(away) as (port, _), pytest.raises(HostRefused):
            get(f"http://public.example:{port}/", allow_private=False)
    assert heard == []


def test_redirects_are_followed_but_not_for_ever():
    with serving(page(b"", b"Location: /there", status=b"301 Moved"), page(b"found")) as (port, heard):
        assert get(f"http://127.0.0.1:{port}/here").body == b"found"
        assert heard[1].startswith(b"GET /there ")
    circle = serving(page(b"", b"Location: /", status=b"302 Found"))
    with circle as (port, _), pytest.raises(ProtocolBroken, match="without end"):
        get(f"http://127.0.0.1:{port}/")
    file = serving(page(b"", b"Location: file:///etc/passwd", status=b"302 Found"))
    with file as (port, _), pytest.raises(InputError):
        get(f"http://127.0.0.1:{port}/")


def test_what_is_too_large_is_given_up_also_without_a_length():
    endless = b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 300_000
    with serving(endless) as (port, _), pytest.raises(ProtocolBroken) as caught:
        get(f"http://127.0.0.1:{port}/", most_bytes=200_000)
    assert caught.value.code == "TOO_LARGE"


def test_a_server_that_drips_byte_by_byte_is_cut_at_the_deadline():
    with serving(page(b"x" * 500), drip_s=0.05) as (port, _):
        began = time.monotonic()
        with pytest.raises(WireTimeout):
            get(f"http://127.0.0.1:{port}/", timeout_s=0.6)
        assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (page(b"", status=b"404 Not Found"), "answered 404 Not Found"),
        (b"220 mail.example ESMTP\r\n", "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", "ended before|speak HTTP"),
        (page(b"x", b"Content-Encoding: gzip"), "compressed"),
        (b"", "closed the connection|speak HTTP"),
    ],
)
def test_a_strange_answer_is_told_in_words(answer, words):
    with serving(answer) as (port, _), pytest.raises((ProtocolBroken, HostUnreachable), match=words):
        get(f"http://127.0.0.1:{port}/")


def test_a_server_without_tls_is_told():
    with serving(page(b"x")) as (port, _), pytest.raises((TlsFailed, HostUnreachable)):
        get(f"https://127.0.0.1:{port}/")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "firm.pl/list",
        "ftp://firm.pl/",
        "file:///etc/passwd",
        "http://",
        "https://u:p@firm.pl/",
        "http://a b/",
        "http://firm.pl:99999/",
        "http://firm.pl/\r\nX: y",
        "http://[::1",
    ],
)
def test_what_is_no_address_of_a_page_is_refused(text):
    with pytest.raises(InputError) as caught:
        page_address(text)
    assert caught.value.code == "BAD_URL"
