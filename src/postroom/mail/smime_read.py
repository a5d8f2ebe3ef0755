"""S/MIME signatures of mail that came in: whether they hold, whose they are, and whether anybody vouches for that.

RFC 8551 (S/MIME), RFC 5652 (CMS SignedData), RFC 1847 (multipart/signed). CMS is read by hand, as the library only
writes it; certificates, signatures and chains are the library's. Never raises.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509 import verification
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

from postroom.mail.parts import Node, tree

DETACHED = ("application/pkcs7-signature", "application/x-pkcs7-signature")
OPAQUE = ("application/pkcs7-mime", "application/x-pkcs7-mime")
#: Bytes of a signature, and elements in it, that are looked at.
_SIZE, _ELEMENTS, _DEPTH = 40_000_000, 20_000, 30
_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
_MESSAGE_DIGEST = bytes.fromhex("2a864886f70d010904")
_PSS = bytes.fromhex("2a864886f70d01010a")
_DIGESTS: dict[bytes, str] = {
    bytes.fromhex("2b0e03021a"): "sha1",
    bytes.fromhex("608648016503040201"): "sha256",
    bytes.fromhex("608648016503040202"): "sha384",
    bytes.fromhex("608648016503040203"): "sha512",
}
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha1": hashes.SHA1(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}


class Verdict(StrEnum):
    #: What was signed is what came.
    GOOD = "good"
    #: Something was changed on the way, or it was signed with another key.
    BROKEN = "broken"
    #: No signature we can read.
    UNREADABLE = "unreadable"


class Chain(StrEnum):
    #: Up to a root this computer trusts.
    TRUSTED = "trusted"
    #: Of an issuer nobody here knows, or of its own.
    UNKNOWN = "unknown"
    #: No longer valid, or not yet.
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Signature:
    """addresses: those of the certificate. is_sender: one of them is the From address. weak: by SHA-1."""

    verdict: Verdict
    name: str = ""
    addresses: tuple[str, ...] = ()
    issuer: str = ""
    chain: Chain = Chain.UNKNOWN
    is_sender: bool = False
    is_weak: bool = False


class _Unreadable(ValueError):
    pass


@dataclass(frozen=True, slots=True)
class _Tlv:
    """One element of BER: its tag, its content, and all of it."""

    data: bytes
    tag: int
    at: int
    start: int
    end: int
    after: int

    @property
    def value(self) -> bytes:
        return self.data[self.start : self.end]

    @property
    def whole(self) -> bytes:
        return self.data[self.at : self.after]

    def children(self) -> list["_Tlv"]:
        return list(_elements(self.data, self.start, self.end))

    def octets(self) -> bytes:
        """Of an OCTET STRING, in one piece or in several (X.690 section 8.7.3)."""
        return b"".join(one.octets() for one in self.children()) if self.tag & 0x20 else self.value


def is_signed(raw: bytes) -> bool:
    return _signature_of(tree(raw)) is not None


def opened(raw: bytes) -> bytes | None:
    """The mail inside an opaque signature; None when there is none."""
    node = tree(raw)
    if node.content_type not in OPAQUE:
        return None
    try:
        content = _signed_data(node.data(_SIZE))[2]
    except (_Unreadable, IndexError):
        return None
    return content


def check(
    raw: bytes, *, from_address: str, roots: Sequence[x509.Certificate], now: datetime
) -> Signature | None:
    """What a signature is worth; None when the mail has none. roots: that this computer trusts; now: aware."""
    found = _signature_of(tree(raw))
    if found is None:
        return None
    content, signature = found
    try:
        return _checked(content, signature, from_address, roots, now)
    except (_Unreadable, ValueError, IndexError, TypeError, UnsupportedAlgorithm):
        return Signature(Verdict.UNREADABLE)


def _signature_of(root: Node) -> tuple[bytes | None, bytes] | None:
    """(what is signed, CMS): None for what is signed when it stands inside; None when nothing is."""
    if root.content_type == "multipart/signed" and len(root.children) == 2:
        content, signature = root.children
        if signature.content_type in DETACHED:
            return content.exact, signature.data(_SIZE)
    if root.content_type in OPAQUE and root.params.get("smime-type", "signed-data").lower() == "signed-data":
        return None, root.data(_SIZE)
    return None


def _elements(data: bytes, at: int, end: int, depth: int = 0) -> Iterator[_Tlv]:
    count = 0
    while at < end:
        one = _element(data, at, end, depth)
        if one.tag == 0 and one.start == one.end:
            return
        yield one
        at = one.after
        count += 1
        if count > _ELEMENTS:
            raise _Unreadable


def _element(data: bytes, at: int, end: int, depth: int = 0) -> _Tlv:
    if at + 2 > end or depth > _DEPTH or data[at] & 0x1F == 0x1F:
        raise _Unreadable
    tag, length, start = data[at], data[at + 1], at + 2
    if length == 0x80:  # until two zero bytes
        if not tag & 0x20:
            raise _Unreadable
        stop = start
        for inner in _elements(data, start, end, depth + 1):
            stop = inner.after
        if data[stop : stop + 2] != b"\0\0":
            raise _Unreadable
        return _Tlv(data, tag, at, start, stop, stop + 2)
    if length & 0x80:
        size = length & 0x7F
        length, start = int.from_bytes(data[start : start + size], "big"), start + size
    if start + length > end:
        raise _Unreadable
    return _Tlv(data, tag, at, start, start + length, start + length)


def _signed_data(cms: bytes) -> tuple[list[_Tlv], list[x509.Certificate], bytes | None]:
    """(the signers, the certificates, what is signed if it stands inside)."""
    outer = _element(cms, 0, len(cms)).children()
    if outer[0].value != _SIGNED_DATA:
        raise _Unreadable
    fields = outer[1].children()[0].children()
    inside = fields[2].children()
    content = inside[1].children()[0].octets() if len(inside) > 1 else None
    certificates = []
    for one in next((field.children() for field in fields[3:] if field.tag == 0xA0), []):
        if one.tag == 0x30:
            try:
                certificates.append(x509.load_der_x509_certificate(one.whole))
            except ValueError:
                continue
    return fields[-1].children(), certificates[:20], content


def _checked(
    content: bytes | None, cms: bytes, from_address: str, roots: Sequence[x509.Certificate], now: datetime
) -> Signature:
    signers, certificates, inside = _signed_data(cms)
    content = inside if content is None else content
    if not signers or content is None:
        raise _Unreadable
    fields = signers[0].children()
    signer = _signer(fields[1], certificates)
    digest = _digest_name(fields[2])
    signed = fields[3] if fields[3].tag == 0xA0 else None
    rest = fields[4:] if signed else fields[3:]
    good = any(
        _holds(signer, digest, signed, rest, one) for one in dict.fromkeys((content, _canonical(content)))
    )
    addresses = _addresses(signer)
    return Signature(
        verdict=Verdict.GOOD if good else Verdict.BROKEN,
        name=_named(signer.subject),
        addresses=addresses,
        issuer=_named(signer.issuer),
        chain=_chain(signer, certificates, roots, now),
        is_sender=from_address.lower() in addresses,
        is_weak=digest == "sha1",
    )


def _canonical(content: bytes) -> bytes:
    """With the line ends that were signed (RFC 8551 section 3.1.1), whatever storing made of them."""
    return re.sub(rb"\r?\n", b"\r\n", content)


def _digest_name(algorithm: _Tlv) -> str:
    name = _DIGESTS.get(algorithm.children()[0].value)
    if name is None:
        raise _Unreadable
    return name


def _signer(sid: _Tlv, certificates: Sequence[x509.Certificate]) -> x509.Certificate:
    """The certificate a signer names by issuer and number, or by the id of its key (RFC 5652 section 5.3)."""
    if sid.tag == 0x30:
        issuer, serial = sid.children()
        number = int.from_bytes(serial.value, "big", signed=True)
        for one in certificates:
            if one.serial_number == number and one.issuer.public_bytes() == issuer.whole:
                return one
    else:
        for one in certificates:
            key_id = one.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_KEY_IDENTIFIER).value
            if isinstance(key_id, x509.SubjectKeyIdentifier) and key_id.digest == sid.value:
                return one
    raise _Unreadable


def _holds(
    signer: x509.Certificate, digest: str, signed: _Tlv | None, rest: Sequence[_Tlv], content: bytes
) -> bool:
    """rest: the algorithm of the signature, then the signature."""
    data = content
    if signed is not None:
        attributes = {one.children()[0].value: one.children()[1] for one in signed.children()}
        told = attributes[_MESSAGE_DIGEST].children()[0].value
        if told != hashlib.new(digest, content).digest():
            return False
        data = b"\x31" + signed.whole[1:]
    algorithm, signature = rest[0].children(), rest[1].octets()
    key, way = signer.public_key(), _HASHES[digest]
    try:
        if isinstance(key, rsa.RSAPublicKey):
            pss = padding.PSS(padding.MGF1(way), padding.PSS.AUTO)
            key.verify(signature, data, pss if algorithm[0].value == _PSS else padding.PKCS1v15(), way)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, data, ec.ECDSA(way))
        elif isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, data)
        else:
            raise _Unreadable
    except InvalidSignature:
        return False
    return True


def _addresses(certificate: x509.Certificate) -> tuple[str, ...]:
    """Of the subject alternative name, else of the subject (RFC 8550 section 3)."""
    found = []
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        found = [one.lower() for one in names.get_values_for_type(x509.RFC822Name)]
    except (x509.ExtensionNotFound, ValueError):
        pass
    return tuple(found) or tuple(
        str(one.value).lower() for one in certificate.subject.get_attributes_for_oid(NameOID.EMAIL_ADDRESS)
    )


def _named(name: x509.Name) -> str:
    for oid in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME, NameOID.EMAIL_ADDRESS):
        found = name.get_attributes_for_oid(oid)
        if found:
            return str(found[0].value)[:200]
    return ""


def _chain(
    signer: x509.Certificate,
    certificates: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
    now: datetime,
) -> Chain:
    if not signer.not_valid_before_utc <= now <= signer.not_valid_after_utc:
        return Chain.EXPIRED
    if not roots:
        return Chain.UNKNOWN
    policy = verification.PolicyBuilder().store(verification.Store(list(roots))).time(now).max_chain_depth(6)
    leaf = verification.ExtensionPolicy.permit_all()
    policy = policy.extension_policies(
        ca_policy=verification.ExtensionPolicy.webpki_defaults_ca(), ee_policy=leaf
    )
    try:
        policy.build_client_verifier().verify(signer, [one for one in certificates if one != signer])
    except (verification.VerificationError, ValueError):
        return Chain.UNKNOWN
    return Chain.TRUSTED if _may_sign_mail(signer) else Chain.UNKNOWN


def _may_sign_mail(signer: x509.Certificate) -> bool:
    """Its uses allow signing mail, or it names none (RFC 8550 section 4.4.4)."""
    try:
        uses = signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (x509.ExtensionNotFound, ValueError):
        return True
    allowed = (ExtendedKeyUsageOID.EMAIL_PROTECTION, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)
    return any(one in uses for one in allowed)
