"""Certificates for loopback servers, made in a moment: good ones and each kind of bad one."""

import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

#: What `server_pem` can make.
KINDS = ("good", "expired", "other_name", "self_signed", "unknown_issuer")

_Key = ec.EllipticCurvePrivateKey


class Authority:
    """A certificate authority of our own; `pem` is what a client must trust."""

    def __init__(self, name: str = "Practice authority") -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = _certificate(name, self.key, name, self.key, authority=True)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)


@lru_cache(maxsize=1)
def trusted() -> Authority:
    """The one authority that tests let clients trust (by SSL_CERT_FILE)."""
    return Authority()


@lru_cache(maxsize=len(KINDS))
def server_pem(kind: str = "good") -> bytes:
    """Key and certificate for localhost and 127.0.0.1 with the named fault, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = "mail.other.example" if kind == "other_name" else "localhost"
    if kind == "self_signed":
        certificate = _certificate(name, key, name, key)
    else:
        signer = Authority("Nobody knows us") if kind == "unknown_issuer" else trusted()
        issuer = signer.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
        certificate = _certificate(name, key, str(issuer), signer.key, expired=kind == "expired")
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    return private + certificate.public_bytes(serialization.Encoding.PEM)


@lru_cache(maxsize=len(KINDS))
def server_context(kind: str = "good") -> ssl.SSLContext:
    """A server's TLS context with such a certificate."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "server.pem"
        path.write_bytes(server_pem(kind))
        made.load_cert_chain(path)
    return made


def _certificate(
    name: str, key: _Key, issuer: str, signer: _Key, *, authority: bool = False, expired: bool = False
) -> x509.Certificate:
    now = datetime.now(UTC)
    begin, end = (now - timedelta(days=9), now - timedelta(days=2)) if expired else (now, now)
    alternatives: list[x509.GeneralName] = [x509.DNSName(name)]
    if name == "localhost":
        alternatives.append(x509.IPAddress(ip_address("127.0.0.1")))
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin - timedelta(days=1))
        .not_valid_after(end + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if not authority:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    return builder.sign(signer, hashes.SHA256())
