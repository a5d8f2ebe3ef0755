"""TLS contexts, and what went wrong in words a person can act on (CM-21, CM-25)."""

import os
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from cryptography import x509

from postroom.errors import TlsFailed

#: X509_V_ERR_* of OpenSSL's x509_vfy.h -> (our code, our words).
_VERIFY = {
    62: ("CERTIFICATE_HOST", "The server's certificate is for another name than {host}."),
    64: ("CERTIFICATE_HOST", "The server's certificate is for another name than {host}."),
    9: ("CERTIFICATE_EXPIRED", "The server's certificate is not valid yet. Check the clocks."),
    10: ("CERTIFICATE_EXPIRED", "The server's certificate has expired."),
    18: (
        "CERTIFICATE_SELF_SIGNED",
        "The server's certificate is signed by itself, so nobody vouches for it.",
    ),
    2: (
        "CERTIFICATE_UNKNOWN_ISSUER",
        "The server's certificate comes from an issuer that is not known here.",
    ),
    19: (
        "CERTIFICATE_UNKNOWN_ISSUER",
        "The server's certificate comes from an issuer that is not known here.",
    ),
    20: (
        "CERTIFICATE_UNKNOWN_ISSUER",
        "The server's certificate comes from an issuer that is not known here.",
    ),
    21: (
        "CERTIFICATE_UNKNOWN_ISSUER",
        "The server's certificate comes from an issuer that is not known here.",
    ),
}
#: What OpenSSL says when the first bytes of the peer are no TLS record.
_NO_TLS = (
    "WRONG_VERSION_NUMBER",
    "UNKNOWN_PROTOCOL",
    "HTTP_REQUEST",
    "PACKET_LENGTH_TOO_LONG",
    "RECORD_LAYER_FAILURE",
)


@dataclass(frozen=True, slots=True)
class TlsFacts:
    """What was agreed. version: e.g. "TLSv1.3"; valid_to: aware UTC end of the certificate; issuer as RFC 4514 text."""

    version: str
    valid_to: datetime | None
    subject: str = ""
    issuer: str = ""


def context(*, verify: bool) -> ssl.SSLContext:
    """A client context: TLS 1.2 at least; without `verify` any certificate of any name is taken."""
    return _context(verify, os.environ.get("SSL_CERT_FILE", ""))


@lru_cache(maxsize=4)
def _context(verify: bool, _ca_file: str) -> ssl.SSLContext:
    # reading the system's certificates takes 20 ms, so a context is kept; it follows a changed SSL_CERT_FILE
    made = ssl.create_default_context()
    if not verify:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    return made


def explain(error: BaseException, host: str) -> TlsFailed:
    """Our error for one raised by a handshake."""
    if isinstance(error, ssl.SSLCertVerificationError):
        code, words = _VERIFY.get(
            error.verify_code, ("CERTIFICATE", "The server's certificate is not trusted: {why}.")
        )
        return TlsFailed(words.format(host=host, why=error.verify_message), code=code)
    reason = (getattr(error, "reason", "") or "") if isinstance(error, ssl.SSLError) else ""
    if any(word in reason for word in _NO_TLS):
        return TlsFailed(
            "The server does not speak TLS at once on this port: choose STARTTLS.", code="TLS_WRONG_MODE"
        )
    return TlsFailed(f"Encryption could not be agreed: {reason.replace('_', ' ').lower() or error}.")


def facts(connected: ssl.SSLObject | ssl.SSLSocket) -> TlsFacts:
    """What a handshake agreed on, also where nothing was verified."""
    version = connected.version() or ""
    raw = connected.getpeercert(binary_form=True)
    try:
        certificate = x509.load_der_x509_certificate(raw or b"")
        return TlsFacts(
            version,
            certificate.not_valid_after_utc.astimezone(UTC),
            certificate.subject.rfc4514_string(),
            certificate.issuer.rfc4514_string(),
        )
    except ValueError:
        return TlsFacts(version, None)
