"""Mail servers reached through a proxy: names are resolved there, and nothing goes past it (SA-25)."""

import asyncio
import socket
import threading
from contextlib import contextmanager

import pytest

from postroom.errors import HostRefused, ProxyFailed, WireError
from postroom.mail.reply import Stage
from postroom.testing.proxies import ProxyServer
from postroom.wire.imap_open import open_mailbox
from postroom.wire.probe import probe_smtp
from postroom.wire.server import Proxy, Security, Server
from postroom.wire.smtp_open import open_session


@contextmanager
def greeter(lines):
    """A server that sends its greeting and answers 250 to everything; the addresses it was called from."""
    callers = []
    listening = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                peer, address = listening.accept()
            except OSError:
                return
            callers.append(address)
            with peer, peer.makefile("rb") as reader:
                peer.sendall(lines)
                for line in reader:
                    peer.sendall(b"221 bye\r\n" if line.upper().startswith(b"QUIT") else b"250 mail.test\r\n")
                    if line.upper().startswith(b"QUIT"):
                        break

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1], callers
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(5)


def server_behind(proxy, port, host="mail.inside.test", **more):
    return Server(
        host=host,
        port=port,
        security=Security.NONE,
        authenticate=False,
        allow_private=True,
        proxy=proxy,
        connect_timeout_s=5,
        timeout_s=5,
        **more,
    )


async def opened(server):
    session = await open_session(server)
    await session.quit()


@pytest.mark.parametrize("kind", ["socks5", "http"])
def test_the_name_is_resolved_at_the_proxy_and_the_server_sees_the_proxy(kind):
    with (
        greeter(b"220 mail.test\r\n") as (port, callers),
        ProxyServer(kind, names={"mail.inside.test": "127.0.0.1"}) as proxy,
    ):
        asyncio.run(opened(server_behind(Proxy(kind, "127.0.0.1", proxy.port), port)))
        assert proxy.asked == [("mail.inside.test", port)]
        assert [address[1] for address in callers] == proxy.local_ports


@pytest.mark.parametrize("kind", ["socks5", "http"])
def test_a_proxy_with_a_password(kind):
    with (
        greeter(b"220 mail.test\r\n") as (port, _),
        ProxyServer(kind, names={"mail.inside.test": "127.0.0.1"}, login=("ann", "secret")) as proxy,
    ):
        asyncio.run(opened(server_behind(Proxy(kind, "127.0.0.1", proxy.port, "ann", "secret"), port)))
        with pytest.raises(ProxyFailed) as caught:
            asyncio.run(opened(server_behind(Proxy(kind, "127.0.0.1", proxy.port, "ann", "wrong"), port)))
    assert (caught.value.code, caught.value.stage) == ("PROXY_LOGIN_REFUSED", Stage.PROXY)


def dead_port():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


@pytest.mark.parametrize("kind", ["socks5", "http"])
def test_a_dead_proxy_is_a_stage_of_its_own_and_nobody_goes_past_it(kind):
    with greeter(b"220 mail.test\r\n") as (port, callers):
        server = server_behind(Proxy(kind, "127.0.0.1", dead_port()), port, host="127.0.0.1")
        side = asyncio.run(probe_smtp(server, stage_s=3, total_s=6))
    assert (side.stages[0].name, side.stages[0].state) == ("proxy", "failed")
    assert [stage.name for stage in side.stages] == ["proxy", "greeting", "ehlo"]
    assert side.code == "proxy_unreachable"
    assert callers == []


@pytest.mark.parametrize("kind", ["socks5", "http"])
def test_a_proxy_that_cannot_reach_the_server_says_so(kind):
    with (
        ProxyServer(kind, names={"mail.inside.test": "127.0.0.1"}) as proxy,
        pytest.raises(ProxyFailed) as caught,
    ):
        asyncio.run(opened(server_behind(Proxy(kind, "127.0.0.1", proxy.port), dead_port())))
    assert caught.value.code == "PROXY_REFUSED"


@pytest.mark.parametrize("garbage", [b"", b"\x05\xff", b"HTTP/1.1 200", b"\x00" * 4096, b"220 smtp\r\n"])
@pytest.mark.parametrize("kind", ["socks5", "http"])
def test_a_proxy_that_lies_or_hangs_up_is_an_error_of_ours(kind, garbage):
    def liar(listening):
        peer, _ = listening.accept()
        with peer:
            peer.recv(4096)
            peer.sendall(garbage)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=liar, args=(listening,), daemon=True)
        thread.start()
        server = server_behind(Proxy(kind, "127.0.0.1", listening.getsockname()[1]), 25)
        with pytest.raises(WireError) as caught:
            asyncio.run(opened(server))
        thread.join(5)
    assert caught.value.stage == Stage.PROXY


def test_imap_goes_through_the_proxy_too():
    with (
        greeter(b"* BYE not today\r\n") as (port, _),
        ProxyServer("socks5", names={"mail.inside.test": "127.0.0.1"}) as proxy,
    ):
        with pytest.raises(WireError):
            open_mailbox(server_behind(Proxy("socks5", "127.0.0.1", proxy.port), port))
        assert proxy.asked == [("mail.inside.test", port)]


def test_private_addresses_are_refused_behind_a_proxy_as_well():
    server = Server(host="10.0.0.7", port=25, proxy=Proxy("socks5", "127.0.0.1", 1080), allow_private=False)
    with pytest.raises(HostRefused):
        asyncio.run(opened(server))


def test_a_proxys_password_is_in_no_repr():
    assert "secret" not in repr(Server("h", 1, proxy=Proxy("http", "p", 1, "ann", "secret")))
