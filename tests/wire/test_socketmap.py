"""The look-up service for a Postfix in front: socketmap_table(5)."""

import socket

import pytest

from postroom.testing.receiving import in_thread
from postroom.wire.socketmap import SocketMap


async def look_up(name: str, key: str) -> str | None:
    if key == "broken":
        raise OSError("away")
    return f"lmtp:{name}" if key == "sales@firm.example" else None


@pytest.fixture
def ask():
    async def start():
        server = SocketMap(look_up)
        await server.start(("127.0.0.1", 0))
        return server.port, server.close

    with in_thread(start) as port, socket.create_connection(("127.0.0.1", port), 5) as link:

        def asked(raw: bytes) -> bytes:
            link.sendall(raw)
            return link.recv(1000)

        yield asked


def test_each_question_has_its_answer_on_one_connection(ask):
    assert ask(b"28:transport sales@firm.example,") == b"17:OK lmtp:transport,"
    assert ask(b"19:recipient nobody@at,") == b"9:NOTFOUND ,"
    assert ask(b"16:transport broken,").endswith(b":TEMP the database is away,")
    assert (
        ask("16:transport żółw,".encode()[:0] + b"17:transport \xc5\xbc\xc3\xb3\xc5\x82w,") == b"9:NOTFOUND ,"
    )


@pytest.mark.parametrize("raw", [b"nonsense:", b"999999:x", b"-1:x,", b"3:abcX"])
def test_what_is_no_netstring_ends_the_connection(ask, raw):
    assert ask(raw) == b""
