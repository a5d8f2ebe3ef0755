"""A small honest proxy: SOCKS5 (RFC 1928, 1929) or HTTP CONNECT, that knows names nobody else knows."""

import base64
import socket
import threading
from contextlib import suppress
from types import TracebackType


class ProxyServer:
    """Serves on loopback while the `with` lasts.

    names:  what it resolves, {host: IP address}; every other host must be an IP address.
    login:  (user, password) it asks for; None = nobody signs in.
    asked:  (host, port) of each connection asked for. local_ports: the ports it called from.
    """

    def __init__(self, kind: str, *, names: dict[str, str], login: tuple[str, str] | None = None) -> None:
        self.asked: list[tuple[str, int]] = []
        self.local_ports: list[int] = []
        self._kind, self._names, self._login = kind, names, login
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._open: list[socket.socket] = []

    def __enter__(self) -> "ProxyServer":
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self._listening.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(peer,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, peer: socket.socket) -> None:
        with peer:
            peer.settimeout(20)
            self._open.append(peer)
            try:
                out = self._socks(peer) if self._kind == "socks5" else self._http(peer)
                if out is not None:
                    with out:
                        self._open.append(out)
                        self._pipe(peer, out)
            except OSError:
                return

    def _reach(self, host: str, port: int) -> socket.socket | None:
        self.asked.append((host, port))
        try:
            out = socket.create_connection((self._names.get(host, host), port), timeout=5)
        except OSError:
            return None
        self.local_ports.append(out.getsockname()[1])
        return out

    def _socks(self, peer: socket.socket) -> socket.socket | None:
        methods = _exactly(peer, _exactly(peer, 2)[1])
        wanted = 2 if self._login else 0
        if wanted not in methods:
            peer.sendall(b"\x05\xff")
            return None
        peer.sendall(bytes([5, wanted]))
        if self._login:
            user = _exactly(peer, _exactly(peer, 2)[1]).decode()
            password = _exactly(peer, _exactly(peer, 1)[0]).decode()
            good = (user, password) == self._login
            peer.sendall(b"\x01\x00" if good else b"\x01\x01")
            if not good:
                return None
        kind = _exactly(peer, 4)[3]
        if kind == 3:
            host = _exactly(peer, _exactly(peer, 1)[0]).decode()
        else:
            family, length = (socket.AF_INET, 4) if kind == 1 else (socket.AF_INET6, 16)
            host = socket.inet_ntop(family, _exactly(peer, length))
        out = self._reach(host, int.from_bytes(_exactly(peer, 2), "big"))
        peer.sendall(bytes([5, 0 if out else 5, 0, 1]) + bytes(6))
        return out

    def _http(self, peer: socket.socket) -> socket.socket | None:
        head = b""
        while b"\r\n\r\n" not in head:
            part = peer.recv(1024)
            if not part:
                return None
            head += part
        lines = head.decode("latin-1").split("\r\n")
        if self._login:
            sent = next((line.split()[-1] for line in lines if line.lower().startswith("proxy-auth")), "")
            if base64.b64decode(sent).decode() != ":".join(self._login):
                peer.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
                return None
        host, _, port = lines[0].split()[1].rpartition(":")
        out = self._reach(host.strip("[]"), int(port))
        peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n" if out else b"HTTP/1.1 502 Bad Gateway\r\n\r\n")
        return out

    def _pipe(self, peer: socket.socket, out: socket.socket) -> None:
        back = threading.Thread(target=_copy, args=(out, peer), daemon=True)
        back.start()
        _copy(peer, out)
        back.join(20)


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while part := source.recv(65536):
            target.sendall(part)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return


def _exactly(peer: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = peer.recv(count - len(data))
        if not part:
            raise ConnectionError("hung up")
        data += part
    return data
