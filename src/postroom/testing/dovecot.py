"""A private Dovecot: mailboxes over IMAP and POP3, delivery over LMTP, and the logins that Postfix asks."""

import imaplib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from postroom.testing.certificates import server_pem
from postroom.testing.rooted import VMAIL, Daemon, Place, free_ports, greets, read

CONFIG = """
base_dir = {at}/run
state_dir = {at}/run
log_path = {at}/log
protocols = imap pop3 lmtp
listen = 127.0.0.1
{tls}
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
recipient_delimiter = +
mail_location = maildir:~/Maildir
mail_uid = vmail
mail_gid = vmail
first_valid_uid = 1000
mailbox_idle_check_interval = 1s
imap_idle_notify_interval = 30s
mail_plugins = quota
quota_full_tempfail = no
lmtp_rcpt_check_quota = yes
lmtp_user_concurrency_limit = 0
default_vsz_limit = 512M
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%Lu {at}/users
}}
userdb {{
  driver = passwd-file
  args = username_format=%Lu {at}/users
  default_fields = uid=vmail gid=vmail home={at}/mail/%Lu
}}
plugin {{
  quota = maildir:User quota
  quota_rule = *:storage=100M
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Processed {{
    auto = create
  }}
}}
service imap-login {{
  process_min_avail = 1
  service_count = 0
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service pop3-login {{
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = {pop3s}
    ssl = yes
  }}
}}
service lmtp {{
  unix_listener lmtp {{
    mode = 0666
  }}
}}
service auth {{
  unix_listener auth-smtp {{
    mode = 0666
  }}
}}
# An address from which logins were refused waits up to 15 seconds for each later one: here all come from one.
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
"""


@dataclass
class Mailbox:
    """quota_bytes: 0 = 100 MB."""

    password: str
    quota_bytes: int = 0


@dataclass
class Dovecot:
    """certificate: a kind of testing/certificates.py, "" = no TLS.

    IMAP on `imap` (with STARTTLS where there is a certificate) and `imaps`, POP3 likewise on `pop3`
    and `pop3s`; users are full addresses."""

    place: Place
    users: Mapping[str, Mailbox]
    certificate: str = ""
    name: str = "dovecot"
    imap: int = 0
    imaps: int = 0
    pop3: int = 0
    pop3s: int = 0
    _daemon: Daemon | None = field(default=None, init=False)

    @property
    def lmtp_socket(self) -> str:
        return f"{self.place.inside}/{self.name}/run/lmtp"

    @property
    def auth_socket(self) -> str:
        return f"{self.place.inside}/{self.name}/run/auth-smtp"

    def start(self) -> None:
        if not self.imap:
            self.imap, self.imaps, self.pop3, self.pop3s = free_ports(4)
        at = f"{self.place.inside}/{self.name}"
        self.place.folder(self.name)
        self.place.folder(f"{self.name}/run")
        self.place.folder(f"{self.name}/mail", 0o700, VMAIL, VMAIL)
        tls = "ssl = no"
        if self.certificate:
            pem = self.place.write(f"{self.name}/server.pem", server_pem(self.certificate).decode())
            tls = f"ssl = yes\nssl_cert = <{pem}\nssl_key = <{pem}"
        self.place.write(f"{self.name}/users", "".join(self._lines()))
        ports = {name: getattr(self, name) for name in ("imap", "imaps", "pop3", "pop3s")}
        text = CONFIG.format(at=at, tls=tls, **ports)
        config = self.place.write(f"{self.name}/dovecot.conf", text)
        self._daemon = Daemon(self.place, self.name, "/usr/sbin/dovecot", "-F", "-c", config)
        self._daemon.wait_for(lambda: greets(self.imap))

    def stop(self) -> None:
        if self._daemon is not None:
            self._daemon.stop()
            self._daemon = None

    def _lines(self) -> Iterator[str]:
        for address, box in self.users.items():
            extra = f"userdb_quota_rule=*:bytes={box.quota_bytes}" if box.quota_bytes else ""
            yield f"{address.lower()}:{{PLAIN}}{box.password}::::::{extra}\n"

    def open(self, address: str, folder: str = "INBOX") -> imaplib.IMAP4:
        """A session of the standard library: the tests' own eyes."""
        session = imaplib.IMAP4("127.0.0.1", self.imap, timeout=20)
        try:
            session.login(address, self.users[address].password)
            session.select(folder)
        except BaseException:
            session.shutdown()
            raise
        return session

    def mails(self, address: str, folder: str = "INBOX") -> list[bytes]:
        """Everything in a mailbox, oldest first."""
        session = self.open(address, folder)
        try:
            uids = session.uid("SEARCH", "ALL")[1][0].split()
            return [session.uid("FETCH", uid.decode(), "(BODY.PEEK[])")[1][0][1] for uid in uids]
        finally:
            session.logout()

    def empty(self, address: str) -> None:
        """Throw away what lies in an inbox, so that a test begins with its own mail."""
        session = self.open(address, "INBOX")
        try:
            session.select("INBOX")
            if session.uid("SEARCH", "ALL")[1][0]:
                session.uid("STORE", "1:*", "+FLAGS", r"(\Deleted)")
                session.expunge()
        finally:
            session.logout()

    def put(self, address: str, raw: bytes, folder: str = "INBOX") -> None:
        """Lay a mail into a mailbox."""
        session = self.open(address, folder)
        try:
            assert session.append(folder, "", "", raw)[0] == "OK"
        finally:
            session.logout()

    def words(self) -> str:
        return read(self.place.path / self.name / "log")
