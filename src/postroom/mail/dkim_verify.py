"""Whether a signature under a mail holds. RFC 6376 section 6, RFC 8301 (no SHA-1, no short keys), RFC 8463 (Ed25519).

Keys are asked for as in mail/dns_records.py; nothing raises, whatever the octets.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

from postroom.mail.dkim import relaxed_lines
from postroom.mail.dns_records import Asking, Question, below, tag_list

#: Of one mail; a signature costs up to one question and one look at the whole body.
SIGNATURES_MOST = 5
_LEAST_BITS = 1024
_FIELD_END = re.compile(rb"\r\n(?![ \t])")
_BLANKS = re.compile(rb"[ \t]+")
_OWN_VALUE = re.compile(rb"(^|;)([ \t\r\n]*b[ \t\r\n]*=)[^;]*")
_SPACE = re.compile(r"\s+")
_CANONS = {"simple", "relaxed", "simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed"}


@dataclass(frozen=True, slots=True)
class Checked:
    """result: pass, fail, temperror (DNS) or permerror (RFC 8601 section 2.7.1)."""

    domain: str
    selector: str
    result: str


class Bad(Exception):
    """permerror, temperror or fail."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail taken apart: its fields in order, as they stand, and its body."""

    fields: tuple[bytes, ...]
    body: bytes

    @classmethod
    def of(cls, raw: bytes) -> "Mail":
        """raw: with CRLF line ends."""
        head, _, body = raw.partition(b"\r\n\r\n")
        return cls(tuple(field for field in _FIELD_END.split(head) if field), body)


def signatures_checked(raw: bytes, *, wanted: Callable[[str], bool], now: int) -> Asking[list[Checked]]:
    """Look at the signatures of the domains that are `wanted`, topmost first. now: seconds since the epoch."""
    mail = Mail.of(raw)
    found: list[Checked] = []
    for field in mail.fields:
        if name_of(field) != b"dkim-signature" or len(found) == SIGNATURES_MOST:
            continue
        tags = tags_of(field)
        domain = tags.get("d", "").lower().rstrip(".")
        if domain and wanted(domain):
            result = yield from _checked(mail, field, tags, domain, now)
            found.append(Checked(domain, tags.get("s", ""), result))
    return found


def _checked(mail: Mail, field: bytes, tags: dict[str, str], domain: str, now: int) -> Asking[str]:
    try:
        signer = tags.get("i", f"@{domain}").rpartition("@")[2].lower()
        if tags.get("v") != "1" or not below(signer, [domain]) or "from" not in names_signed(tags):
            raise Bad("permerror")
        if tags.get("x", "").isdecimal() and int(tags["x"][:20]) < now:
            raise Bad("fail")
        demand_body(mail, tags)
        key = yield from key_of(tags, domain, strict=signer != domain)
    except Bad as bad:
        return str(bad)
    signed = b"".join(signed_fields(mail, tags)) + own_field(field, tags)
    return "pass" if holds(key, signed, tags.get("b", "")) else "fail"


def name_of(field: bytes) -> bytes:
    return field.partition(b":")[0].strip().lower()


def tags_of(field: bytes) -> dict[str, str]:
    """Blanks inside values are gone: none that is looked at may hold any."""
    found = tag_list(field.partition(b":")[2].decode("ascii", "replace")) or {}
    return {name: _SPACE.sub("", value) for name, value in found.items()}


def names_signed(tags: dict[str, str]) -> list[str]:
    return [name for name in tags.get("h", "").lower().split(":") if name]


def demand_body(mail: Mail, tags: dict[str, str]) -> None:
    """The hash is that of this body, all of it: what stands beyond l= was signed by nobody. Raises Bad."""
    canon = tags.get("c", "simple/simple").lower()
    if canon not in _CANONS or tags.get("a", "").lower() not in ("rsa-sha256", "ed25519-sha256"):
        raise Bad("permerror")
    relaxed = canon.endswith("/relaxed")
    body = relaxed_lines(mail.body) if relaxed else mail.body
    body = _trimmed(body)
    if not relaxed and not body:
        body = b"\r\n"
    length = tags.get("l", "")
    if length and not (length.isdecimal() and int(length[:20]) == len(body)):
        raise Bad("permerror")
    if base64.b64encode(hashlib.sha256(body).digest()).decode() != tags.get("bh", ""):
        raise Bad("fail")


def _trimmed(body: bytes) -> bytes:
    """Without empty lines at its end; what is not empty ends with one CRLF (sections 3.4.3 and 3.4.4)."""
    end = len(body)
    while body[end - 2 : end] == b"\r\n":
        end -= 2
    return body[:end] + b"\r\n" if end else b""


def signed_fields(mail: Mail, tags: dict[str, str]) -> list[bytes]:
    """In the order of h=, of several the last one first (section 5.4.2), in their canonical form."""
    relaxed = tags.get("c", "simple").lower().startswith("relaxed")
    left: dict[bytes, list[bytes]] = {}
    for field in mail.fields:
        left.setdefault(name_of(field), []).append(field)
    found = []
    for name in names_signed(tags):
        fields = left.get(name.encode("ascii", "replace"))
        if fields:
            found.append(canonical_field(fields.pop(), relaxed=relaxed) + b"\r\n")
    return found


def own_field(field: bytes, tags: dict[str, str]) -> bytes:
    """The signature's own field with an empty b=, without a line end at its end (section 3.7)."""
    name, _, value = field.partition(b":")
    value = _OWN_VALUE.sub(rb"\1\2", value, count=1)
    return canonical_field(name + b":" + value, relaxed=tags.get("c", "simple").lower().startswith("relaxed"))


def canonical_field(field: bytes, *, relaxed: bool) -> bytes:
    """Section 3.4.1 and 3.4.2."""
    if not relaxed:
        return field
    name, _, value = field.partition(b":")
    value = _BLANKS.sub(b" ", value.replace(b"\r\n", b"")).strip(b" \t")
    return name.strip(b" \t").lower() + b":" + value


Key = rsa.RSAPublicKey | ed25519.Ed25519PublicKey


def key_of(tags: dict[str, str], domain: str, *, strict: bool = False) -> Asking[Key]:
    """The key that the signature names. strict: its owner may not sign for names below (t=s). Raises Bad."""
    kind = tags.get("a", "").lower().partition("-")[0]
    answer = yield Question("TXT", f"{tags.get('s', '')}._domainkey.{domain}")
    if answer.state == "unreachable":
        raise Bad("temperror")
    for value in answer.values[:SIGNATURES_MOST]:
        key = _key(value, kind, strict)
        if key is not None:
            return key
    raise Bad("permerror")


def _key(record: str, kind: str, strict: bool) -> Key | None:
    tags = tag_list(record)
    if tags is None or tags.get("v", "DKIM1") != "DKIM1" or tags.get("k", "rsa").lower() != kind:
        return None
    if "h" in tags and "sha256" not in _words(tags["h"]):
        return None
    if not {"*", "email"} & set(_words(tags.get("s", "*"))) or (strict and "s" in _words(tags.get("t", ""))):
        return None
    try:
        octets = base64.b64decode(_SPACE.sub("", tags.get("p", "")), validate=True)
        if kind == "ed25519":
            return ed25519.Ed25519PublicKey.from_public_bytes(octets)
        key = serialization.load_der_public_key(octets)
    except (ValueError, TypeError, binascii.Error, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, rsa.RSAPublicKey) and key.key_size >= _LEAST_BITS else None


def _words(text: str) -> Sequence[str]:
    return [word.strip().lower() for word in text.split(":")]


def holds(key: Key, signed: bytes, proof: str) -> bool:
    """proof: base64."""
    try:
        octets = base64.b64decode(proof, validate=True)
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(octets, signed, padding.PKCS1v15(), hashes.SHA256())
        else:
            key.verify(octets, hashlib.sha256(signed).digest())
    except (ValueError, binascii.Error, InvalidSignature):
        return False
    return True
