"""The signed token by which everything that comes back finds its message.

Lower-case base32, 20 characters: 48 bits of number, 48 bits of MAC. Servers may change the case of an address, so
reading ignores it. A token is good for one purpose only: the purpose is part of what is signed.
"""

import hmac
import re
from collections.abc import Sequence
from functools import lru_cache

DELIVERY = b"delivery"
UNSUBSCRIBE = b"unsubscribe"
#: In the address at which a moderator answers; its number is that of the notice to this moderator.
DECISION = b"decision"
#: In the link by which an outsider says yes to being in a group; its number is that of the membership.
MEMBER = b"group member"
#: In the message that tries whether tags in an address work; its number stands for the address.
TAG = b"plus tag"

LENGTH = 20
NUMBER_MAX = 2**48 - 1

_DIGITS = "0123456789abcdefghijklmnopqrstuv"
_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"
_TO_DIGITS = str.maketrans(_BASE32, _DIGITS)
_PAIRS = [high + low for high in _BASE32 for low in _BASE32]
# 96 bits fill 19 characters and one bit: the first character is a or b.
_CANDIDATE = re.compile(r"(?<![a-z0-9])[ab][a-z2-7]{19}(?![a-z0-9])", re.IGNORECASE)


def token_make(number: int, key: bytes, purpose: bytes = DELIVERY) -> str:
    """The token of a number from 0 to 2**48 - 1. Raises ValueError outside."""
    if not 0 <= number <= NUMBER_MAX:
        raise ValueError("a token holds a number of 48 bits")
    value = number << 48 | int.from_bytes(_mac(number, key, purpose), "big")
    return "".join([_PAIRS[value >> shift & 1023] for shift in range(90, -1, -10)])


def token_read(token: str, keys: Sequence[bytes], purpose: bytes = DELIVERY) -> int | None:
    """The number in a token signed with one of the keys for this purpose; None when forged, damaged or foreign."""
    token = token.lower()
    if _CANDIDATE.fullmatch(token) is None:
        return None
    value = int(token.translate(_TO_DIGITS), 32)
    number, mac = value >> 48, (value & NUMBER_MAX).to_bytes(6, "big")
    good = False
    for key in keys:  # all keys, always: the time tells nothing
        good |= hmac.compare_digest(mac, _mac(number, key, purpose))
    return number if good else None


def tokens_in(text: str) -> list[str]:
    """Everything in the text that looks like a token, lower case, in order, each once. Nothing is verified."""
    found = _CANDIDATE.findall(text)
    return list(dict.fromkeys(one.lower() for one in found)) if found else []


def _mac(number: int, key: bytes, purpose: bytes) -> bytes:
    mac = _begun(key, purpose).copy()
    mac.update(number.to_bytes(6, "big"))
    return mac.digest()[:6]


@lru_cache(maxsize=16)
def _begun(key: bytes, purpose: bytes) -> "hmac.HMAC":
    """The MAC of what all numbers have in common: the key is worked in once."""
    return hmac.new(key, purpose + b"\0", "sha256")
