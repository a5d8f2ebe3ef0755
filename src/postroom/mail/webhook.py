"""How a webhook's call is signed and when it is tried again.

The header `Postroom-Signature: t=<seconds since 1970>,v1=<hex>[,v1=<hex>]` holds the HMAC-SHA256 (RFC 2104) of
`<t>.<body>` under each secret that is valid. A receiver compares in constant time and refuses a `t` older than five
minutes; an event that is told twice has the same `id` in its body.
"""

import hashlib
import hmac
from collections.abc import Sequence
from datetime import timedelta

HEADER = "Postroom-Signature"
#: How old a call may be for a receiver that keeps to our advice.
TOLERANCE = timedelta(minutes=5)

#: Waits after the 1st, 2nd ... try in vain; the last one again and again.
_WAITS = tuple(timedelta(seconds=one) for one in (10, 60, 300, 900, 3600, 3 * 3600, 6 * 3600, 12 * 3600))
#: A call is given up, and a webhook that took none is switched off, after so long.
GIVE_UP = timedelta(days=3)


def signature(secrets: Sequence[str], *, at: int, body: bytes) -> str:
    """The value of the header. at: seconds since 1970."""
    signed = str(at).encode() + b"." + body
    marks = (hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets)
    return ",".join((f"t={at}", *(f"v1={mark}" for mark in marks)))


def wait_after(tries: int) -> timedelta:
    """tries: so far, at least 1."""
    return _WAITS[min(tries, len(_WAITS)) - 1]
