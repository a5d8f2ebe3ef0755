"""How to reach a mail server: the values an account is made of, handed down by the caller."""

from base64 import b64encode
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Security(StrEnum):
    """How a connection is protected (CM-21). There is never a fallback to a weaker one."""

    #: clear text; a password is sent only because the caller said `authenticate`.
    NONE = "none"
    #: the connection begins in clear text and must become TLS before anything else (RFC 3207, RFC 9051).
    STARTTLS = "starttls"
    #: TLS from the first byte (RFC 8314).
    TLS = "tls"


@dataclass(frozen=True, slots=True)
class Proxy:
    """What stands between us and a server. kind: "socks5" or "http" (CONNECT)."""

    kind: str
    host: str
    port: int
    login: str = ""
    password: str = ""

    @classmethod
    def of(cls, values: dict[str, Any] | None) -> "Proxy | None":
        """From the values of a row or a form; None without a kind."""
        if not values or not values["kind"]:
            return None
        return cls(**{**values, "port": int(values["port"] or 1080)})

    def __repr__(self) -> str:
        return f"Proxy({self.kind}, {self.host}:{self.port})"


@dataclass(frozen=True, slots=True)
class Server:
    """One side (SMTP or IMAP) of an account.

    password:   or the access token when login_kind is "oauth". Never shown: not in repr, errors or logs.
    authenticate: False sends no login at all, even where it is offered.
    allow_private: the administrator lets us connect into private networks.
    timeout_s:  silence that ends a stage or a command; answer_timeout_s: the same for the answer to the final dot
                (RFC 5321 section 4.5.3.2.6 asks for 10 minutes: a message given up too early is in doubt).
    messages_per_connection: 0 = no limit; then the connection is closed and a new one opened.
    proxy:      every connection goes through it, never past it (SA-25).
    pause_s:    rest of a connection between two messages; with it nothing is pipelined across messages.
    """

    host: str
    port: int
    security: Security = Security.STARTTLS
    login: str = ""
    password: str = ""
    authenticate: bool = True
    login_kind: str = "password"
    verify_certificate: bool = True
    allow_private: bool = False
    helo_name: str = "localhost"
    timeout_s: float = 60.0
    answer_timeout_s: float = 600.0
    connect_timeout_s: float = 15.0
    messages_per_connection: int = 0
    pause_s: float = 0.0
    proxy: Proxy | None = None

    def __repr__(self) -> str:
        return f"Server({self.host}:{self.port}, {self.security.value}, login={self.login!r})"

    def masked(self, text: str) -> str:
        """`text` without the password, should a server repeat it (as it is, or as AUTH PLAIN and LOGIN carry it)."""
        secret = self.password.encode()
        if len(secret) < 3:
            return text
        plain = b"\0" + self.login.encode() + b"\0" + secret
        for form in (b64encode(plain).decode(), b64encode(secret).decode(), self.password):
            text = text.replace(form, "***")
        return text
