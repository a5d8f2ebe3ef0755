"""Reaching a mail server through a proxy: SOCKS5 (RFC 1928, 1929) or HTTP CONNECT (RFC 9110 section 9.3.6).

Names are resolved at the proxy, encryption goes from end to end, and there is never a direct connection instead
(SA-25). What goes wrong at the proxy is the stage `proxy`, whoever is to blame behind it.
"""

import asyncio
import socket
from base64 import b64encode
from ipaddress import ip_address

from python_socks import ProxyConnectionError, ProxyError, ProxyTimeoutError, ProxyType
from python_socks.sync import Proxy as SocksProxy

from postroom.errors import HostRefused, ProxyFailed, WireError, WireTimeout
from postroom.mail.reply import Reply, Stage
from postroom.wire import guard
from postroom.wire.server import Proxy, Server

#: Most of a proxy's answer to CONNECT that is read.
ANSWER_MAX = 16_384


async def connect(server: Server, proxy: Proxy) -> socket.socket:
    """A connected, non-blocking socket to the server, through its proxy. Raises a WireError of stage `proxy`."""
    asked = asyncio.get_running_loop().run_in_executor(None, connect_blocking, server, proxy)
    try:
        connected = await asyncio.shield(asked)
    except asyncio.CancelledError:
        asked.add_done_callback(_close)
        raise
    connected.setblocking(False)
    return connected


def _close(asked: "asyncio.Future[socket.socket]") -> None:
    """Nobody waits for it any more."""
    if not asked.cancelled() and asked.exception() is None:
        asked.result().close()


def connect_blocking(server: Server, proxy: Proxy) -> socket.socket:
    """The same for the blocking callers; its time-out is the server's."""
    _target_allowed(server)
    try:
        addresses = guard.resolve_blocking(proxy.host, proxy.port, allow_private=server.allow_private)
        reach = _socks5 if proxy.kind == "socks5" else _http
        connected = reach(server, proxy, addresses[0])
    except (ProxyError, OSError, WireError) as error:
        raise _explained(server, proxy, error) from error
    connected.settimeout(server.timeout_s)
    return connected


def _socks5(server: Server, proxy: Proxy, address: str) -> socket.socket:
    asked = SocksProxy(
        proxy_type=ProxyType.SOCKS5,
        host=address,
        port=proxy.port,
        username=proxy.login or None,
        password=proxy.password or None,
        rdns=True,
    )
    return asked.connect(server.host, server.port, timeout=server.connect_timeout_s)


def _http(server: Server, proxy: Proxy, address: str) -> socket.socket:
    """CONNECT by hand: the library reads what it gets at once, and with it the greeting of a mail server."""
    target = f"[{server.host}]" if ":" in server.host else server.host
    lines = [f"CONNECT {target}:{server.port} HTTP/1.1", f"Host: {target}:{server.port}"]
    if proxy.login:
        secret = b64encode(f"{proxy.login}:{proxy.password}".encode()).decode()
        lines.append(f"Proxy-Authorization: Basic {secret}")
    connected = socket.create_connection((address, proxy.port), timeout=server.connect_timeout_s)
    try:
        connected.sendall("\r\n".join([*lines, "", ""]).encode())
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            part = connected.recv(1)  # what comes behind the answer is the server's
            answer += part
            if not part or len(answer) > ANSWER_MAX:
                raise ProxyError(answer[:200].decode("latin-1") or "The proxy closed the connection.")
        status = answer.split(b"\r\n", 1)[0].decode("latin-1")
        version, _, rest = status.partition(" ")
        if not version.startswith("HTTP/1.") or not rest.startswith("2"):
            raise ProxyError(status, error_code=407 if rest.startswith("407") else None)
    except BaseException:
        connected.close()
        raise
    return connected


def _target_allowed(server: Server) -> None:
    """A name is the proxy's to resolve; an address typed as such is held to the rule of all others."""
    try:
        ip_address(server.host.strip("[]"))
    except ValueError:
        return
    if not guard.allowed(server.host.strip("[]"), allow_private=server.allow_private):
        error = HostRefused(
            f"{server.host} is at {server.host}, inside a private network, and connections there are not allowed. "
            "The administrator can allow private networks."
        )
        error.stage = Stage.PROXY
        raise error


def _explained(server: Server, proxy: Proxy, error: Exception) -> WireError:
    ours: WireError
    where = f"{proxy.host}:{proxy.port}"
    if isinstance(error, WireError):
        ours = type(error)(f"The proxy cannot be reached. {error.message}", code=error.code)
    elif isinstance(error, ProxyTimeoutError | TimeoutError):
        ours = WireTimeout(f"The proxy {where} did not answer in time.")
    elif isinstance(error, ProxyConnectionError | OSError):
        words = f"The proxy {where} does not answer. Check its host and port."
        ours = ProxyFailed(words, code="PROXY_UNREACHABLE")
    elif "auth" in str(error).lower() or getattr(error, "error_code", None) == 407:
        words = f"The proxy {where} wants a user name and password, or does not accept these."
        ours = ProxyFailed(words, code="PROXY_LOGIN_REFUSED")
    else:
        words = f"The proxy {where} did not connect us to {server.host}:{server.port}."
        ours = ProxyFailed(words, code="PROXY_REFUSED")
    if isinstance(error, ProxyError):
        ours.reply = Reply(0, " ".join(str(error).split())[:300])
    ours.stage = Stage.PROXY
    return ours
