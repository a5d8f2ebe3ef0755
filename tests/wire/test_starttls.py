"""STARTTLS at the receiving server (RFC 3207), and how many connections one client may have."""

import re
import smtplib
import socket
import ssl

from postroom.testing.certificates import server_pem, trusted
from postroom.testing.receiving import KeepingDesk, in_thread
from postroom.wire.lmtp import MailServer

RAW = b"From: a@b.example\r\n\r\nHello\r\n"


def serving(desk, tmp_path):
    pem = tmp_path / "server.pem"
    pem.write_bytes(server_pem())
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem)

    async def start():
        server = MailServer(desk, hostname="localhost", tls=context)
        await server.start(("127.0.0.1", 0))
        return server.port, lambda: server.close(wait_s=1)

    return in_thread(start)


def test_a_message_comes_over_tls_and_the_extension_is_offered_once(tmp_path):
    desk = KeepingDesk()
    client_side = ssl.create_default_context(cadata=trusted().pem.decode())
    with serving(desk, tmp_path) as port, smtplib.SMTP("localhost", port, timeout=10) as client:
        client.ehlo()
        assert client.has_extn("starttls")
        client.starttls(context=client_side)
        client.ehlo("sender.example")
        assert not client.has_extn("starttls")
        assert client.docmd("STARTTLS")[0] == 502
        client.sendmail("a@b.example", ["x@y.example"], RAW)
    assert [raw for _, _, raw in desk.taken] == [RAW]
    assert desk.mails[0].peer == "sender.example ([127.0.0.1])"


def test_commands_sent_in_clear_behind_starttls_are_thrown_away(tmp_path):
    desk = KeepingDesk()
    client_side = ssl.create_default_context(cadata=trusted().pem.decode())
    with serving(desk, tmp_path) as port, socket.create_connection(("localhost", port), 5) as link:
        link.recv(500)
        link.sendall(b"EHLO me\r\n")
        said = b""
        while not re.search(rb"^250 .*\r\n", said, re.M):
            said += link.recv(500)
        link.sendall(b"STARTTLS\r\nMAIL FROM:<injected@evil.example>\r\n")
        assert link.recv(500).startswith(b"220")
        with client_side.wrap_socket(link, server_hostname="localhost") as safe:
            safe.sendall(b"EHLO me\r\nRCPT TO:<x@y.example>\r\n")
            said = safe.recv(2000)
            while b"503" not in said:
                said += safe.recv(2000)
    assert b"503 5.5.1 MAIL comes first" in said


def test_without_a_certificate_there_is_none():
    async def start():
        server = MailServer(KeepingDesk(), hostname="localhost")
        await server.start(("127.0.0.1", 0))
        return server.port, lambda: server.close(wait_s=1)

    with in_thread(start) as port, smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
        client.ehlo()
        assert not client.has_extn("starttls")
        assert client.docmd("STARTTLS")[0] == 502
