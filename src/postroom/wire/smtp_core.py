"""SMTP without sockets: replies out of bytes, commands into bytes. RFC 5321, 2920, 3461, 6533, 6152, 6531, 1870."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from postroom.errors import ProtocolBroken
from postroom.mail.reply import Reply
from postroom.wire.courier import Parcel

#: RFC 5321 section 4.5.3.1.5 says 512; real servers send links. Beyond this it is not SMTP.
MAX_LINE_BYTES = 4096
MAX_REPLY_BYTES = 65536

_CODES = {str(code).encode(): code for code in range(200, 600)}
_NOT_XTEXT = re.compile(rb"[^\x21-\x2a\x2c-\x3c\x3e-\x7e]")
_NOT_QCHAR = re.compile(r"[^\x21-\x2a\x2c-\x3c\x3e-\x5b\x5d-\x7e]")


class ReplyParser:
    """Bytes in, in pieces of any size; replies out. Raises ProtocolBroken for what cannot be SMTP."""

    __slots__ = ("_bytes", "_known", "_lines", "_rest")

    def __init__(self) -> None:
        # the first few one-line replies of a connection come again and again ("250 2.1.5 Ok"): a tenth of all work
        self._known: dict[bytes, Reply] = {}
        self._rest = b""
        self._lines: list[str] = []
        self._bytes = 0

    @property
    def empty(self) -> bool:
        """Whether nothing waits for more bytes (asked before TLS begins: CVE-2011-0411)."""
        return not self._rest and not self._lines

    def feed(self, data: bytes) -> Iterator[Reply]:
        """The replies that `data` completes. Each is yielded before the bytes after it are looked at.

        The caller must use the iterator up (or drop the connection).
        """
        lines = (self._rest + data).split(b"\n") if self._rest else data.split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            if (known := self._known.get(line)) and not self._lines:
                yield known
                continue
            code = _CODES.get(line[:3])
            mark = line[3:4]
            if code is None or len(line) > MAX_LINE_BYTES or mark not in b" -\r":
                raise ProtocolBroken(_no_smtp(line), code="NOT_SMTP")
            if mark == b"-":
                self._bytes += len(line)
                if self._bytes > MAX_REPLY_BYTES:
                    raise ProtocolBroken("The server's reply has no end.", code="NOT_SMTP")
                self._lines.append(_words(line))
            elif self._lines:
                # codes of one reply should be equal; where they are not, the last line decides
                self._lines.append(_words(line))
                text = "\n".join(self._lines)
                self._lines, self._bytes = [], 0
                yield Reply(code, text)
            else:
                reply = Reply(code, _words(line))
                if len(self._known) < 16 and len(line) < 100:
                    self._known[line] = reply
                yield reply
        if len(self._rest) > MAX_LINE_BYTES:
            raise ProtocolBroken(_no_smtp(self._rest), code="NOT_SMTP")


def _words(line: bytes) -> str:
    """The text of one line, safe to store and show: odd bytes and control characters replaced."""
    text = line[4:].rstrip(b"\r").decode("utf-8", "replace")
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)


def _no_smtp(line: bytes) -> str:
    if line[:2] in (b"\x15\x03", b"\x16\x03"):
        return "The server speaks TLS at once on this port: choose TLS from the start."
    return f"This is no SMTP server. It said: {_words(b'    ' + line[:80])}"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What one EHLO reply lists. size: None = SIZE not offered, 0 = offered without a limit, else bytes."""

    dsn: bool = False
    pipelining: bool = False
    eight_bit: bool = False
    smtputf8: bool = False
    starttls: bool = False
    size: int | None = None
    auth: tuple[str, ...] = ()

    @classmethod
    def from_reply(cls, reply: Reply) -> "Capabilities":
        """Read an EHLO reply; the first line is the server's name, unknown or broken lines are passed over."""
        listed: dict[str, list[str]] = {}
        for line in reply.text.split("\n")[1:]:
            # "AUTH=LOGIN PLAIN" is an old spelling that some servers still add
            word, *parameters = line.upper().replace("AUTH=", "AUTH ", 1).split() or [""]
            listed.setdefault(word, []).extend(parameters)
        size = next((p for p in listed.get("SIZE", ["0"]) if p.isascii() and p.isdigit()), "0")
        return cls(
            dsn="DSN" in listed,
            pipelining="PIPELINING" in listed,
            eight_bit="8BITMIME" in listed,
            smtputf8="SMTPUTF8" in listed,
            starttls="STARTTLS" in listed,
            size=int(size[:18]) if "SIZE" in listed else None,
            auth=tuple(dict.fromkeys(listed.get("AUTH", ()))),
        )


def xtext(value: str) -> str:
    """RFC 3461 section 4: `+`, `=` and everything but printable ASCII as +HH of its UTF-8 bytes."""
    return _NOT_XTEXT.sub(lambda found: b"+%02X" % found[0][0], value.encode()).decode()


def orcpt(address: str) -> str:
    """The value of ORCPT. An address that is not ASCII takes the 7-bit form of RFC 6533 section 3."""
    if address.isascii():
        return "rfc822;" + xtext(address)
    return "utf-8;" + _NOT_QCHAR.sub(lambda found: f"\\x{{{ord(found[0]):X}}}", address)


def envelope(parcel: Parcel, capabilities: Capabilities) -> tuple[bytes, bytes]:
    """The MAIL and the RCPT command, with the parameters that this server lists and no others."""
    mail = f"MAIL FROM:<{parcel.mail_from}>"
    rcpt = f"RCPT TO:<{parcel.recipient}>"
    if capabilities.size is not None:
        mail += f" SIZE={parcel.size}"
    if parcel.eight_bit and capabilities.eight_bit:
        mail += " BODY=8BITMIME"
    if parcel.smtputf8 and capabilities.smtputf8:
        mail += " SMTPUTF8"
    if capabilities.dsn:
        if parcel.envid:
            mail += f" RET={parcel.ret} ENVID={xtext(parcel.envid)}"
        if parcel.notify:
            rcpt += f" NOTIFY={parcel.notify} ORCPT={orcpt(parcel.orcpt or parcel.recipient)}"
    return f"{mail}\r\n".encode(), f"{rcpt}\r\n".encode()


def asks_dsn(parcel: Parcel, capabilities: Capabilities) -> bool:
    """Whether this server is really given NOTIFY or ENVID."""
    return capabilities.dsn and bool(parcel.envid or parcel.notify)


def unfit(parcel: Parcel, capabilities: Capabilities) -> str:
    """Why this server cannot be given the parcel, in our words with an enhanced status; "" when it can.

    Raises nothing. Sources: RFC 1870 section 6.1, RFC 6152 section 3, RFC 6531 section 3.5.
    """
    if capabilities.size and parcel.size > capabilities.size:
        return f"5.3.4 The message has {parcel.size} bytes, the server takes at most {capabilities.size}."
    if parcel.eight_bit and not capabilities.eight_bit:
        return "5.6.3 The message holds 8-bit text, and the server does not take that (8BITMIME)."
    if not (parcel.mail_from + parcel.recipient).isascii() and not (
        parcel.smtputf8 and capabilities.smtputf8
    ):
        return "5.6.7 The address is not ASCII, and the server does not take that (SMTPUTF8)."
    if not (parcel.mail_from + parcel.recipient + parcel.notify).isprintable():
        return "5.1.3 The address holds a control character."
    return ""


def is_odd(address: str) -> bool:
    """Whether an address is beyond ASCII or holds a control character."""
    return not (address.isascii() and address.isprintable())


def body(parcel: Parcel) -> list[bytes]:
    """The segments as they go over the wire, dots stuffed, with the final dot (RFC 5321 section 4.5.2).

    Segments without a line that begins with a dot are passed on, not copied.
    """
    segments = list(parcel.segments) if parcel.stuffed else stuffed(parcel.segments)
    last = next((segment for segment in reversed(segments) if segment), b"")
    segments.append(b".\r\n" if last.endswith(b"\r\n") or not last else b"\r\n.\r\n")
    return segments


def stuffed(segments: Sequence[bytes]) -> list[bytes]:
    """The same segments with every dot at the beginning of a line doubled."""
    result = []
    at_line_start = True
    for segment in segments:
        if not segment:
            continue
        if b"\n." in segment:
            segment = segment.replace(b"\n.", b"\n..")
        if at_line_start and segment[0] == 0x2E:
            segment = b"." + segment
        at_line_start = segment[-1] == 0x0A
        result.append(segment)
    return result
