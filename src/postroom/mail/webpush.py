"""Notices to browsers: the payload sealed for one of them (RFC 8188, RFC 8291), and who we are (VAPID, RFC 8292)."""

import base64
import json
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from postroom.errors import InputError

#: A push service takes 4,096 octets in all (RFC 8030 section 7.2).
PAYLOAD_MOST = 3000
#: RFC 8292 section 2: at most a day.
_VALID_S = 12 * 3600
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def own_key(secret: bytes) -> ec.EllipticCurvePrivateKey:
    """The key by which push services know this installation; always the same for the same secret."""
    seed = HKDF(hashes.SHA256(), 48, None, b"postroom web push").derive(secret)
    return ec.derive_private_key(int.from_bytes(seed, "big") % (_ORDER - 1) + 1, ec.SECP256R1())


def public_text(key: ec.EllipticCurvePrivateKey) -> str:
    """As browsers want it: applicationServerKey."""
    return encoded(_point(key.public_key()))


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """Raises InputError."""
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError as error:
        raise InputError("This is no key of a browser.") from error


def browser_key(p256dh: str) -> ec.EllipticCurvePublicKey:
    """Raises InputError."""
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decoded(p256dh))
    except ValueError as error:
        raise InputError("This is no key of a browser.") from error


def sealed(payload: bytes, p256dh: str, auth: str, *, once: ec.EllipticCurvePrivateKey, salt: bytes) -> bytes:
    """The body of the POST (Content-Encoding: aes128gcm). once: a fresh key; salt: 16 fresh octets.

    Raises InputError for keys that are none.
    """
    theirs, secret = browser_key(p256dh), decoded(auth)
    ours = _point(once.public_key())
    shared = once.exchange(ec.ECDH(), theirs)
    info = b"WebPush: info\0" + _point(theirs) + ours
    ikm = HKDF(hashes.SHA256(), 32, secret, info).derive(shared)
    key = HKDF(hashes.SHA256(), 16, salt, b"Content-Encoding: aes128gcm\0").derive(ikm)
    nonce = HKDF(hashes.SHA256(), 12, salt, b"Content-Encoding: nonce\0").derive(ikm)
    body = AESGCM(key).encrypt(nonce, payload[:PAYLOAD_MOST] + b"\x02", None)
    return salt + (4096).to_bytes(4, "big") + bytes([len(ours)]) + ours + body


def authorization(key: ec.EllipticCurvePrivateKey, endpoint: str, *, subject: str, now: float) -> str:
    """The header of the POST. subject: an https: or mailto: address of ours; now: seconds since the epoch."""
    parts = urlsplit(endpoint)
    claims = {"aud": f"{parts.scheme}://{parts.netloc}", "exp": int(now) + _VALID_S, "sub": subject}
    text = ".".join(
        encoded(json.dumps(part, separators=(",", ":")).encode())
        for part in ({"typ": "JWT", "alg": "ES256"}, claims)
    )
    r, s = utils.decode_dss_signature(key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
    mark = encoded(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    return f"vapid t={text}.{mark}, k={public_text(key)}"
