"""The one HTTP client: gets a small document from an address a person typed, or tells one something; it explores no
network for them.

The name is resolved, the addresses are put before the guard, and the connection goes to one that passed (against DNS
rebinding); every redirect begins anew. Size and the time of the whole are bounded. RFC 9110, RFC 9112.
"""

import http.client
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from urllib.parse import SplitResult, urljoin

from postroom.errors import (
    HostUnreachable,
    PostroomError,
    ProtocolBroken,
    WireError,
    WireTimeout,
)
from postroom.mail.page_address import page_address
from postroom.wire import tls
from postroom.wire.guard import resolve_blocking

#: Redirects followed.
HOPS = 4
_CHUNK = 65_536
_REDIRECTS = (301, 302, 303, 307, 308)
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Document:
    """What was got. url: where it finally was; content_type: as the server says it, "" when it does not."""

    url: str
    content_type: str
    body: bytes


def http_get(url: str, *, allow_private: bool, most_bytes: int, timeout_s: float = 30.0) -> Document:
    """GET. most_bytes: of the body; timeout_s: for all of it, redirects included.

    Raises InputError for a bad address, HostRefused, NameNotFound, HostUnreachable, TlsFailed, WireTimeout,
    ProtocolBroken (also for a status other than 200 and a body that is too large).
    """
    deadline = time.monotonic() + timeout_s
    for _ in range(HOPS + 1):
        parts = page_address(url)
        with ExitStack() as closer, _opened(parts, deadline, allow_private=allow_private) as link:
            # closed by itself only when it was read to its end
            answer = closer.enter_context(closing(_asked(link, parts)))
            if answer.status in _REDIRECTS and (place := answer.getheader("Location")):
                url = urljoin(parts.geturl(), place)
                continue
            if answer.status != 200:
                status = f"{answer.status} {answer.reason[:100]}".strip()
                raise ProtocolBroken(f"{parts.hostname} answered {status}.", code="HTTP_STATUS")
            if answer.getheader("Content-Encoding", "identity").strip().lower() != "identity":
                raise ProtocolBroken(f"{parts.hostname} sent it compressed, which was not asked for.")
            body = _read(answer, most_bytes)
            return Document(parts.geturl(), answer.getheader("Content-Type", ""), body)
    raise ProtocolBroken("The address leads from one place to another without end.")


#: Of the answer to a call, as much as a log shows.
_SAID_BYTES = 500


def http_post(
    url: str, *, body: bytes, headers: Mapping[str, str], allow_private: bool, timeout_s: float = 10.0
) -> tuple[int, str]:
    """POST. The status, and the answer's first words. A redirect is an answer like any other: it is not followed.

    Raises InputError for a bad address, HostRefused, NameNotFound, HostUnreachable, TlsFailed, WireTimeout,
    ProtocolBroken.
    """
    deadline = time.monotonic() + timeout_s
    parts = page_address(url)
    with ExitStack() as closer, _opened(parts, deadline, allow_private=allow_private) as link:
        answer = closer.enter_context(closing(_asked(link, parts, "POST", body, headers)))
        said = answer.read(_SAID_BYTES).decode("utf-8", "replace")
        words = "".join(sign if sign.isprintable() else " " for sign in f"{answer.reason[:100]} {said}")
        return answer.status, " ".join(words.split())
    raise AssertionError("the block returns or raises")


@contextmanager
def _opened(
    parts: SplitResult, deadline: float, *, allow_private: bool
) -> Iterator[http.client.HTTPConnection]:
    """A connection to an address that the guard let pass; cut at the deadline, however slowly bytes trickle in."""
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    places = resolve_blocking(host, port, allow_private=allow_private)
    sock = _connected(host, port, places, deadline)
    cut = threading.Event()

    def end() -> None:
        cut.set()
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            sock.close()

    timer = threading.Timer(max(0.0, deadline - time.monotonic()), end)
    timer.daemon = True
    timer.start()
    link = http.client.HTTPConnection(host, port)
    try:
        if parts.scheme == "https":
            context = tls.context(verify=True)
            # first the socket that `end` can cut, then the handshake
            sock = secured = context.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
            secured.do_handshake()
        link.sock = sock
        yield link
        if cut.is_set():
            raise WireTimeout(f"{host} did not answer in time.")
    except PostroomError:
        if cut.is_set():
            raise WireTimeout(f"{host} did not answer in time.") from None
        raise
    except (OSError, http.client.HTTPException, ValueError) as error:
        if cut.is_set() or isinstance(error, TimeoutError):
            raise WireTimeout(f"{host} did not answer in time.") from error
        raise _ours(error, host) from error
    finally:
        timer.cancel()
        link.close()
        sock.close()


def _ours(error: Exception, host: str) -> WireError:
    import ssl

    if isinstance(error, ssl.SSLError):
        return tls.explain(error, host)
    if isinstance(error, ConnectionError):
        return HostUnreachable(f"{host} closed the connection.")
    return ProtocolBroken(f"{host} does not speak HTTP as expected.")


def _connected(host: str, port: int, places: list[str], deadline: float) -> socket.socket:
    for place in places:
        left = deadline - time.monotonic()
        if left <= 0:
            raise WireTimeout(f"{host} did not answer in time.")
        try:
            made = socket.create_connection((place, port), timeout=min(left, 10.0))
        except OSError:
            continue
        made.settimeout(max(0.1, deadline - time.monotonic()))
        return made
    raise HostUnreachable(f"{host} does not answer at port {port}. Check host and port.")


def _asked(
    link: http.client.HTTPConnection,
    parts: SplitResult,
    method: str = "GET",
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> http.client.HTTPResponse:
    target = parts._replace(scheme="", netloc="").geturl()
    link.request(
        method,
        target,
        body,
        headers={
            "Accept": "*/*",
            "Accept-Encoding": "identity",
            "User-Agent": "Postroom",
            "Connection": "close",
            **(headers or {}),
        },
    )
    return link.getresponse()


def _read(answer: http.client.HTTPResponse, most_bytes: int) -> bytes:
    told = answer.length
    body = bytearray()
    while chunk := answer.read(_CHUNK):
        body += chunk
        if len(body) > most_bytes:
            raise ProtocolBroken(
                f"The document is larger than {most_bytes // 1_000_000 or 1} MB.", code="TOO_LARGE"
            )
    if told is not None and len(body) < told:
        raise ProtocolBroken("The connection ended before the document was complete.")
    return bytes(body)
