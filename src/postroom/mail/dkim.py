"""How a message is signed: relaxed/relaxed, rsa-sha256, over the very bytes that are sent. RFC 6376, RFC 8301."""

import base64
import hashlib
import re
from collections.abc import Sequence

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from postroom.errors import InputError

#: Signed where they stand (RFC 6376 section 5.4.1; RFC 8058 section 4 for the List-Unsubscribe pair).
SIGNED = (
    "from",
    "reply-to",
    "to",
    "cc",
    "subject",
    "date",
    "message-id",
    "in-reply-to",
    "references",
    "sender",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
    "list-id",
    "list-unsubscribe",
    "list-unsubscribe-post",
    "disposition-notification-to",
    "auto-submitted",
)
#: Signed once more than they stand, so that none can be added on the way (RFC 6376 section 8.15).
OVERSIGNED = frozenset({"from", "subject", "reply-to"})

_FIELD_END = re.compile(rb"\r\n(?![ \t])")
_FROM = re.compile(rb"(?:^|\r\n)From:(.*?)\r\n(?![ \t])", re.IGNORECASE | re.DOTALL)
_DOMAIN = re.compile(rb"@([^@\s<>]+)>?\s*\Z")
_BLANKS = re.compile(rb"[ \t]+")
_LINE = 72


class DkimSigner:
    """Signs with one key. domain: A-labels; selector: a DNS label; private_key: PEM. Raises InputError for no RSA key.

    What is the same for every copy of a mailing (its body, its attachments) is worked out once.
    """

    def __init__(self, *, domain: str, selector: str, private_key: str) -> None:
        self.domain = domain
        self._key = _rsa(private_key)
        self._begin = f"v=1; a=rsa-sha256; c=relaxed/relaxed; d={domain};\r\n s={selector}; t=".encode()
        self._body: tuple[bytes, Sequence[bytes], bytes] | None = None
        self._common: tuple[bytes, bytes] = (b"", b"")

    def sign(self, segments: Sequence[bytes], *, at: int) -> bytes:
        """The DKIM-Signature field, to stand before the message. at: seconds since the epoch.

        segments: the message with CRLF line ends; all header lines and the empty line are in the first one.
        """
        head, _, body = segments[0].partition(b"\r\n\r\n")
        names, signed = _fields(head + b"\r\n")
        value = b"%b%d;\r\n%b\r\n bh=%b;\r\n b=" % (
            self._begin,
            at,
            _folded(b" h=" + b":".join(names)),
            self._body_hash(body, segments[1:]),
        )
        signed.append(
            b"dkim-signature:" + _one_line(value)
        )  # RFC 6376 section 3.7: b= empty, no CRLF at the end
        proof = self._key.sign(b"\r\n".join(signed), padding.PKCS1v15(), hashes.SHA256())
        text = base64.b64encode(proof)
        lines = [text[begin : begin + _LINE] for begin in range(0, len(text), _LINE)]
        return b"DKIM-Signature: " + value + b"\r\n  ".join(lines) + b"\r\n"

    def _body_hash(self, body: bytes, rest: Sequence[bytes]) -> bytes:
        known = self._body
        if known and known[0] == body and list(map(id, known[1])) == list(map(id, rest)):
            return known[2]
        parts = [relaxed_lines(body), *(self._common_lines(part) for part in rest)]
        while parts and not parts[-1].rstrip(b"\r\n"):
            parts.pop()
        digest = hashlib.sha256()
        for part in parts[:-1]:
            digest.update(part)
        if parts:
            last = parts[-1]
            digest.update(last if not last.endswith(b"\r\n\r\n") else last.rstrip(b"\r\n") + b"\r\n")
        found = base64.b64encode(digest.digest())
        self._body = (body, tuple(rest), found)
        return found

    def _common_lines(self, part: bytes) -> bytes:
        """Attachments are the same object for everybody: their lines are looked through once."""
        if self._common[0] is not part:
            self._common = (part, relaxed_lines(part))
        return self._common[1]


def header_from_domain(head: bytes) -> str:
    """What stands after the last @-sign of the From: field, lower case; "" without one."""
    field = _FROM.search(head.partition(b"\r\n\r\n")[0] + b"\r\n")
    found = _DOMAIN.search(field[1]) if field else None
    return found[1].decode("ascii", "replace").lower() if found else ""


def relaxed_lines(part: bytes) -> bytes:
    """Whole lines of a body in their relaxed form (RFC 6376 section 3.4.4), empty ones at the end left alone."""
    if part and not part.endswith(b"\r\n"):
        part += b"\r\n"
    if b"\t" in part or b"  " in part:
        part = _BLANKS.sub(b" ", part)
    return part.replace(b" \r\n", b"\r\n") if b" \r\n" in part else part


def _fields(head: bytes) -> tuple[list[bytes], list[bytes]]:
    """What h= names, and the fields in that order in relaxed form; of several the last one comes first."""
    found: dict[str, list[bytes]] = {}
    for field in _FIELD_END.split(head):
        name, _, value = field.partition(b":")
        found.setdefault(name.strip().lower().decode("ascii", "replace"), []).append(value)
    names: list[bytes] = []
    lines: list[bytes] = []
    for name in SIGNED:
        key = name.encode()
        for value in reversed(found.get(name, ())):
            names.append(key)
            lines.append(key + b":" + _one_line(value))
        if name in OVERSIGNED:
            names.append(key)
    return names, lines


def _one_line(value: bytes) -> bytes:
    """RFC 6376 section 3.4.2."""
    return _BLANKS.sub(b" ", value.replace(b"\r\n", b"")).strip(b" \t")


def _folded(text: bytes) -> bytes:
    """Broken after colons into lines of at most 76 characters, with a semicolon at the end."""
    lines = [b""]
    for word in (text + b";").split(b":"):
        word = word if word.endswith(b";") else word + b":"
        if len(lines[-1]) + len(word) > 76:
            lines.append(b"  ")
        lines[-1] += word
    return b"\r\n".join(lines)


def _rsa(private_key: str) -> rsa.RSAPrivateKey:
    try:
        key = serialization.load_pem_private_key(private_key.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InputError("This is not a private key.", field="private_key") from error
    if not isinstance(key, rsa.RSAPrivateKey):
        raise InputError("Only RSA keys sign here.", field="private_key")
    return key


def public_of(private_key: str) -> str:
    """What stands behind p= in the record of this key. Raises InputError."""
    made = (
        _rsa(private_key)
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return base64.b64encode(made).decode()
