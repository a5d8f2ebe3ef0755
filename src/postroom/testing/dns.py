"""A name server on loopback for tests: a zone of given records, UDP and TCP, and ways to misbehave."""

import socket
import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

#: Instead of records: what the server does when asked for the name.
SILENT, SERVFAIL, REFUSED, GARBAGE = "silent", "servfail", "refused", "garbage"


class NameServer:
    """records: {(name, kind): [text as in a zone file]}; {(name, "*"): SILENT, ...}. Change it while it runs."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], list[str] | str] = {}
        self.asked: list[tuple[str, str]] = []
        self._udp, self._tcp = self._pair()
        self._threads = [
            threading.Thread(target=one.serve_forever, args=(0.05,), daemon=True)
            for one in (self._udp, self._tcp)
        ]

    def _pair(self) -> tuple[socketserver.ThreadingUDPServer, socketserver.BaseServer]:
        """Both servers on one port: a number that is free for UDP may be somebody's TCP connection already."""
        for _ in range(100):
            udp = socketserver.ThreadingUDPServer(("127.0.0.1", 0), _datagram(self))
            try:
                return udp, _Tcp(udp.server_address, _stream(self))
            except OSError:
                udp.server_close()
        raise OSError("No port was free for UDP and TCP.")

    @property
    def address(self) -> tuple[str, int]:
        host, port = self._udp.server_address[:2]
        return str(host), int(port)

    def txt(self, name: str, *values: str) -> None:
        """Records of one string, however long."""
        self.records[name, "TXT"] = [
            " ".join(f'"{value[i : i + 255]}"' for i in range(0, len(value) or 1, 255)) for value in values
        ]

    def answer(self, wire: bytes, *, tcp: bool) -> bytes | None:
        asked = dns.message.from_wire(wire)
        question = asked.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind))
        reply = dns.message.make_response(asked, recursion_available=True)
        found = self.records.get((name, "*")) or self.records.get((name, kind))
        if found == SILENT:
            return None
        if found == GARBAGE:
            return wire[:2] + b"\x81\x80\xff\xff\xff\xff\xff\xff\xff\xff" + b"\xc0\x0c" * 20
        if found in (SERVFAIL, REFUSED):
            reply.set_rcode(dns.rcode.SERVFAIL if found == SERVFAIL else dns.rcode.REFUSED)
            return reply.to_wire()
        if found:
            reply.answer.append(dns.rrset.from_text_list(question.name, 60, "IN", kind, list(found)))
        else:
            self._aliases(reply, name, kind)
            if not reply.answer and not any(known == name for known, _ in self.records):
                reply.set_rcode(dns.rcode.NXDOMAIN)
        wire = reply.to_wire(max_size=65535)
        if not tcp and len(wire) > 1232:
            reply.answer.clear()
            reply.flags |= dns.flags.TC
            wire = reply.to_wire()
        return wire

    def _aliases(self, reply: dns.message.Message, name: str, kind: str) -> None:
        """The chain of CNAMEs, also one that bites its tail."""
        for _ in range(20):
            target = self.records.get((name, "CNAME"))
            if not target:
                break
            reply.answer.append(
                dns.rrset.from_text_list(dns.name.from_text(name), 60, "IN", "CNAME", list(target))
            )
            name = target[0].rstrip(".").lower()
            found = self.records.get((name, kind))
            if found:
                reply.answer.append(
                    dns.rrset.from_text_list(dns.name.from_text(name), 60, "IN", kind, list(found))
                )
                break

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        for one in (self._udp, self._tcp):
            one.shutdown()
            one.server_close()
        for thread in self._threads:
            thread.join(5)


class _Tcp(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def _datagram(server: NameServer) -> Any:
    class Datagram(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            wire, line = self.request
            reply = server.answer(wire, tcp=False)
            if reply is not None:
                line.sendto(reply, self.client_address)

    return Datagram


def _stream(server: NameServer) -> Any:
    class Stream(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            line: socket.socket = self.request
            line.settimeout(5)
            size = line.recv(2, socket.MSG_WAITALL)
            if len(size) == 2:
                reply = server.answer(line.recv(struct.unpack("!H", size)[0], socket.MSG_WAITALL), tcp=True)
                if reply is not None:
                    line.sendall(struct.pack("!H", len(reply)) + reply)

    return Stream


@contextmanager
def name_server() -> Iterator[NameServer]:
    server = NameServer()
    server.start()
    try:
        yield server
    finally:
        server.stop()
