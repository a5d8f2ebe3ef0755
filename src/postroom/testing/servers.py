"""The mail world of a small firm on loopback: its own Postfix and Dovecot, and servers further on that misbehave.

    sender --submission--> Postfix --+-- LMTP --> Dovecot (office.example, box.example)   delivered, unknown, full
                                     +-- SMTP --> nodsn.example   takes everything, knows no DSN
                                     +-- SMTP --> gone.example    refuses every recipient
                                     +-- SMTP --> later.example   greylists, then delivers to box.example
                                     +-- SMTP --> slow.example    never has time
                                     `-- alias    alias.example   two members of box.example

`grey.example` is greylisted, and `refused.example` refused, already at RCPT of the submission. Reports come back
into the mailbox of the sender.
"""

import smtplib
import socketserver
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from postroom.testing.certificates import server_pem, trusted
from postroom.testing.dovecot import Dovecot, Mailbox
from postroom.testing.postfix import Listener, Postfix
from postroom.testing.rooted import Place, free_ports, mail_root

PASSWORD = "correct horse"
ACCOUNT = "news@office.example"
MEMBERS = 40
SPARE = 60

HOPS = ("nodsn", "gone", "later", "slow")


class Greylist(socketserver.ThreadingTCPServer):
    """Postfix's policy protocol (SMTPD_POLICY_README): a recipient is put off at the first try, let in afterwards."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Policy)
        self.port: int = self.server_address[1]
        self.seen: dict[str, int] = {}
        self.lock = threading.Lock()
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def judge(self, recipient: str) -> str:
        with self.lock:
            self.seen[recipient] = self.seen.get(recipient, 0) + 1
            first = self.seen[recipient] == 1
        return "451 4.7.1 Greylisted, please try again" if first else "DUNNO"

    def end(self) -> None:
        self.shutdown()
        self.server_close()


class _Policy(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        request: dict[str, str] = {}
        for line in self.rfile:
            name, _, value = line.decode("utf-8", "replace").strip().partition("=")
            if name:
                request[name] = value
                continue
            assert isinstance(self.server, Greylist)
            action = self.server.judge(request.get("recipient", ""))
            self.wfile.write(f"action={action}\n\n".encode())
            request = {}


def member(number: int) -> str:
    """A mailbox that exists, 1 to MEMBERS."""
    return f"member{number}@box.example"


def full(number: int) -> str:
    """A mailbox without room, 1 to 10."""
    return f"full{number}@box.example"


def spare(number: int) -> str:
    return f"spare{number}@office.example"


@dataclass
class Office:
    """Everything above, running. `ports`: submission, submissions (TLS at once), plain (no TLS), self_signed,
    other_name and expired (STARTTLS with such a certificate), and one for each of HOPS."""

    place: Place
    dovecot: Dovecot
    postfix: Postfix
    greylist: Greylist
    ports: Mapping[str, int]
    seconds_to_start: float = 0.0
    extra: list[Dovecot] = field(default_factory=list)
    _spare: Iterator[int] = field(default_factory=count)

    def spare_mailbox(self) -> str:
        """An address of office.example whose mailbox nobody has used yet."""
        return spare(next(self._spare))

    def another_dovecot(self, certificate: str) -> Dovecot:
        """One more IMAP server for the same users, with another certificate or none ("")."""
        name = f"dovecot{len(self.extra) + 2}"
        one = Dovecot(self.place, self.dovecot.users, certificate, name)
        one.start()
        self.extra.append(one)
        return one

    def submit(
        self,
        mail_from: str,
        recipient: str,
        raw: bytes,
        *,
        envid: str = "",
        notify: str = "",
        login: str = "",
    ) -> None:
        """Send one mail with the standard library; raises what smtplib raises.

        login: the mailbox it is sent from, where that is not the envelope sender.
        """
        user = login or mail_from
        session = smtplib.SMTP("127.0.0.1", self.ports["submission"], timeout=30)
        try:
            session.starttls(context=ssl.create_default_context(cadata=trusted().pem.decode()))
            session.login(user, self.dovecot.users[user].password)
            mail = ["RET=HDRS", f"ENVID={envid}"] if envid else []
            rcpt = [f"NOTIFY={notify}", f"ORCPT=rfc822;{recipient}"] if notify else []
            session.sendmail(mail_from, [recipient], raw, mail_options=mail, rcpt_options=rcpt)
        finally:
            session.close()

    def wait_for_mails(
        self, address: str, enough: Callable[[list[bytes]], bool], timeout: float = 30
    ) -> list[bytes]:
        """What lies in the mailbox as soon as it is enough, or when the time is over."""
        until = time.monotonic() + timeout
        while True:
            mails = self.dovecot.mails(address)
            if enough(mails) or time.monotonic() > until:
                return mails
            time.sleep(0.2)

    def stop(self) -> None:
        """End every process and remove every file of it."""
        self.postfix.stop()
        for one in (*self.extra, self.dovecot):
            one.stop()
        self.greylist.end()
        self.place.clear()


def start_office(**config: str) -> Office:
    """Start it all; `config` = more parameters of Postfix's main.cf. Raises NoRoot when it cannot be had here."""
    root = mail_root()
    began = time.monotonic()
    place = Place(root)
    names = ("submission", "submissions", "plain", "self_signed", "other_name", "expired", *HOPS)
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    users = {address: Mailbox(PASSWORD) for address in (ACCOUNT, "boss@office.example")}
    users |= {spare(number): Mailbox(PASSWORD) for number in range(SPARE)}
    users |= {member(number): Mailbox(PASSWORD) for number in range(1, MEMBERS + 1)}
    users |= {full(number): Mailbox(PASSWORD, quota_bytes=1) for number in range(1, 11)}
    dovecot = Dovecot(place, users, "good")
    greylist = Greylist()
    postfix = Postfix(place, [], {})
    office = Office(place, dovecot, postfix, greylist, ports)
    try:
        dovecot.start()
        _furnish(office)
        postfix.config = {**postfix.config, **config}
        postfix.start()
    except BaseException:
        office.stop()
        raise
    office.seconds_to_start = time.monotonic() - began
    return office


def _furnish(office: Office) -> None:
    """Postfix's configuration."""
    place, ports = office.place, office.ports
    pems = {
        kind: place.write(f"postfix/{kind}.pem", server_pem(kind).decode())
        for kind in ("good", "self_signed", "other_name", "expired")
    }
    hops = "".join(f"{hop}.example smtp:[127.0.0.1]:{ports[hop]}\n" for hop in HOPS)
    aliases = "".join(
        f"team{number}@alias.example member{number}@box.example, member{number + 1}@box.example\n"
        for number in range(1, 11)
    )
    policy = f"check_policy_service inet:127.0.0.1:{office.greylist.port}"
    access = place.write("postfix/access", "grey.example grey\nrefused.example 550 5.1.1 User unknown here\n")
    office.postfix.config = {
        "myhostname": "mail.office.example",
        "virtual_mailbox_domains": "office.example, box.example, grey.example, alias.example",
        "virtual_transport": f"lmtp:unix:{office.dovecot.lmtp_socket}",
        "virtual_alias_maps": f"texthash:{place.write('postfix/aliases', aliases)}",
        "transport_maps": f"texthash:{place.write('postfix/transport', hops)}",
        # not an alias: Postfix would report "expanded" even for one with a single member
        "recipient_canonical_maps": "inline:{ {@grey.example=@box.example} }",
        "recipient_canonical_classes": "envelope_recipient",
        "smtpd_relay_restrictions": "permit_sasl_authenticated, reject",
        "smtpd_restriction_classes": "grey",
        "grey": policy,
        "smtpd_recipient_restrictions": f"check_recipient_access texthash:{access}, permit",
        "smtpd_sasl_type": "dovecot",
        "smtpd_sasl_path": office.dovecot.auth_socket,
        "smtpd_tls_chain_files": pems["good"],
        "lmtp_destination_concurrency_limit": "5",
    }
    rewrite = "inline:{ {@later.example=@box.example} }"
    office.postfix.services = (
        f"cleanup2 unix n - n - 0 cleanup\n  -o {{ recipient_canonical_maps = {rewrite} }}\n"
    )
    office.postfix.listeners = _listeners(ports, pems, policy)


def _listeners(ports: Mapping[str, int], pems: Mapping[str, str], policy: str) -> list[Listener]:
    login = {"smtpd_sasl_auth_enable": "yes"}
    tls = {**login, "smtpd_tls_security_level": "encrypt", "smtpd_tls_auth_only": "yes"}
    open_door = {"smtpd_relay_restrictions": "check_client_access static:ok, reject"}

    def hop(name: str, **options: Any) -> Listener:
        return Listener(ports[name], {**open_door, "myhostname": f"mx.{name}.example", **options})

    def says(name: str, words: str) -> str:
        return f"check_recipient_access inline:{{ {{ {name}.example = {words} }} }}"

    return [
        Listener(ports["submission"], tls),
        Listener(ports["submissions"], {**login, "smtpd_tls_auth_only": "yes"}, wrapped=True),
        Listener(ports["plain"], {**login, "smtpd_tls_security_level": "none"}),
        *(
            Listener(ports[name], {**tls, "smtpd_tls_chain_files": pems[name]})
            for name in ("self_signed", "other_name", "expired")
        ),
        hop(
            "nodsn",
            smtpd_discard_ehlo_keywords="dsn",
            smtpd_recipient_restrictions="check_client_access static:discard",
        ),
        hop("gone", smtpd_recipient_restrictions=says("gone", "550 5.1.1 User unknown")),
        hop("later", smtpd_recipient_restrictions=policy, cleanup_service_name="cleanup2"),
        hop("slow", smtpd_recipient_restrictions=says("slow", "451 4.3.2 Come back later")),
    ]
