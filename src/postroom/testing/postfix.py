"""A private Postfix: its own configuration, queue, ports and log, below one folder of the root."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from postroom.testing.rooted import POSTDROP, POSTFIX, Daemon, Place, greets, listens, read

MAIN: dict[str, str] = {
    "compatibility_level": "3.6",
    "command_directory": "/usr/sbin",
    "daemon_directory": "/usr/lib/postfix/sbin",
    "mail_owner": "postfix",
    "setgid_group": "postdrop",
    "maillog_file_prefixes": "/srv",
    "inet_interfaces": "127.0.0.1",
    "inet_protocols": "ipv4",
    "mydestination": "",
    "mynetworks": "",
    "alias_maps": "",
    "alias_database": "",
    "local_recipient_maps": "",
    "smtpd_peername_lookup": "no",
    "smtp_dns_support_level": "disabled",
    "smtp_host_lookup": "native",
    "append_dot_mydomain": "no",
    "biff": "no",
    "smtputf8_enable": "yes",
    "smtpd_client_connection_count_limit": "0",
    "smtpd_error_sleep_time": "0",
    "smtpd_hard_error_limit": "1000",
    "in_flow_delay": "0",
    "minimal_backoff_time": "2s",
    "maximal_backoff_time": "4s",
    "queue_run_delay": "2s",
    "smtp_tls_security_level": "none",
}

# flags=X: what LMTP takes is in its mailbox, so success reports say "delivered" (lmtp(8)).
SERVICES = """
cleanup    unix  n - n - 0 cleanup
qmgr       unix  n - n 300 1 qmgr
tlsmgr     unix  - - n 1000? 1 tlsmgr
rewrite    unix  - - n - - trivial-rewrite
bounce     unix  - - n - 0 bounce
defer      unix  - - n - 0 bounce
trace      unix  - - n - 0 bounce
verify     unix  - - n - 1 verify
flush      unix  n - n 1000? 0 flush
proxymap   unix  - - n - - proxymap
smtp       unix  - - n - - smtp
relay      unix  - - n - - smtp
lmtp       unix  - - n - - lmtp flags=X
error      unix  - - n - - error
retry      unix  - - n - - error
discard    unix  - - n - - discard
anvil      unix  - - n - 1 anvil
scache     unix  - - n - 1 scache
postlog    unix-dgram n - n - 1 postlogd
"""

QUEUES = (
    *("active", "bounce", "corrupt", "defer", "deferred", "flush"),
    *("hold", "incoming", "private", "saved", "trace"),
)


@dataclass
class Listener:
    """One smtpd. wrapped: TLS from the first byte. Options are parameters of main.cf, for this one only."""

    port: int
    options: Mapping[str, str] = field(default_factory=dict)
    wrapped: bool = False


@dataclass
class Postfix:
    """config: more lines of main.cf; services: more lines of master.cf."""

    place: Place
    listeners: Sequence[Listener]
    config: Mapping[str, str]
    services: str = ""
    name: str = "postfix"
    _daemon: Daemon | None = field(default=None, init=False)

    def start(self) -> None:
        at = f"{self.place.inside}/{self.name}"
        self.place.folder(self.name)
        self.place.folder(f"{self.name}/data", 0o700, POSTFIX, POSTFIX)
        self.place.folder(f"{self.name}/queue")
        for queue in QUEUES:
            self.place.folder(f"{self.name}/queue/{queue}", 0o700, POSTFIX)
        self.place.folder(f"{self.name}/queue/pid")
        self.place.folder(f"{self.name}/queue/public", 0o710, POSTFIX, POSTDROP)
        self.place.folder(f"{self.name}/queue/maildrop", 0o730, POSTFIX, POSTDROP)
        main = {
            **MAIN,
            "queue_directory": f"{at}/queue",
            "data_directory": f"{at}/data",
            "maillog_file": f"{at}/log",
            **self.config,
        }
        self.place.write(f"{self.name}/main.cf", "".join(f"{name} = {main[name]}\n" for name in main))
        self.place.write(f"{self.name}/master.cf", self._listening() + SERVICES + self.services)
        # What the `postfix start` script would run, without the shell it needs; -d: do not leave the process group.
        self._daemon = Daemon(self.place, self.name, "/usr/lib/postfix/sbin/master", "-d", "-c", at)
        self._daemon.wait_for(
            lambda: all(listens(one.port) if one.wrapped else greets(one.port) for one in self.listeners)
        )

    def stop(self) -> None:
        if self._daemon is not None:
            self._daemon.stop()
            self._daemon = None

    def words(self) -> str:
        """What it logged."""
        return read(self.place.path / self.name / "log")

    def _listening(self) -> str:
        text = ""
        for one in self.listeners:
            text += f"127.0.0.1:{one.port} inet n - n - - smtpd\n"
            options = {**one.options, **({"smtpd_tls_wrappermode": "yes"} if one.wrapped else {})}
            for name, value in options.items():
                text += f"  -o {{ {name} = {value} }}\n"
        return text
