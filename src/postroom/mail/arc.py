"""A seal for a mail that is passed on: what we saw of it, and that we were there. RFC 8617 (relaxed, rsa-sha256).

Seals of others are looked at in mail/arc_chain.py.
"""

import base64
import hashlib

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from postroom.mail.arc_chain import SETS_MOST, Chain
from postroom.mail.dkim import _fields, _one_line, _rsa, relaxed_lines

_NAMES = ("arc-seal", "arc-message-signature", "arc-authentication-results")
_LINE = 72


def arc_sealed(head: bytes) -> bool:
    """Whether somebody has sealed it already."""
    lines = head.lower().split(b"\n")
    return any(line.startswith(tuple(f"{name}:".encode() for name in _NAMES)) for line in lines)


def arc_seal(
    raw: bytes,
    *,
    domain: str,
    selector: str,
    private_key: str,
    authserv: str,
    results: str,
    at: int,
    chain: Chain | None = None,
) -> bytes:
    """The three fields of our set, to stand before the mail. results: of RFC 8601 without the name, "" = none.

    raw: with CRLF line ends. at: seconds since the epoch. chain: what others sealed, None = nobody; b"" where that may
    not be gone on with. A broken one is said to be, in a seal of our own set alone (section 5.1.2).
    Raises InputError for a key that is none.
    """
    chain = chain or Chain("none")
    if chain.ended or chain.length >= SETS_MOST:
        return b""
    number = b" i=%d;" % (chain.length + 1)
    key = _rsa(private_key)
    head, _, body = raw.partition(b"\r\n\r\n")
    seen = number + b" %b; %b" % (authserv.encode(), (results or "none").encode())
    seen = seen.replace(b"\r\n", b"")
    who = f" d={domain}; s={selector};\r\n t={at};".encode()
    last: dict[
        bytes, bytes
    ] = {}  # of several fields the last one; nothing is counted more often than it is there
    for line in _fields(head + b"\r\n")[1]:
        last.setdefault(line.partition(b":")[0], line)
    message = number + b" a=rsa-sha256; c=relaxed/relaxed;\r\n%b\r\n h=%b;\r\n bh=%b;\r\n b=" % (
        who,
        b":\r\n  ".join(last),
        base64.b64encode(hashlib.sha256(_relaxed_body(body)).digest()),
    )
    message += _signed(key, [*last.values(), b"arc-message-signature:" + _one_line(message)])
    seal = number + b" a=rsa-sha256; cv=%b;\r\n%b\r\n b=" % (chain.status.encode(), who)
    lines = [
        *chain.lines,
        b"arc-authentication-results:" + _one_line(seen),
        b"arc-message-signature:" + _one_line(message),
        b"arc-seal:" + _one_line(seal),
    ]
    seal += _signed(key, lines)
    return b"ARC-Seal:%b\r\nARC-Message-Signature:%b\r\nARC-Authentication-Results:%b\r\n" % (
        seal,
        message,
        seen,
    )


def _signed(key: rsa.RSAPrivateKey, lines: list[bytes]) -> bytes:
    proof = key.sign(b"\r\n".join(lines), padding.PKCS1v15(), hashes.SHA256())
    text = base64.b64encode(proof)
    return b"\r\n  ".join(text[begin : begin + _LINE] for begin in range(0, len(text), _LINE))


def _relaxed_body(body: bytes) -> bytes:
    body = relaxed_lines(body).rstrip(b"\r\n")
    return body + b"\r\n" if body else b""
