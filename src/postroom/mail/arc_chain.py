"""Whether the seals that others put on a mail hold. RFC 8617 section 5.2; keys are asked for as for DKIM.

Nothing raises, whatever the octets.
"""

import re
from dataclasses import dataclass

from postroom.mail.dkim_verify import (
    Bad,
    Mail,
    canonical_field,
    demand_body,
    holds,
    key_of,
    name_of,
    own_field,
    signed_fields,
    tags_of,
)
from postroom.mail.dns_records import Asking

#: Section 5.1.1.1.1: sets of one chain; each costs a question.
SETS_MOST = 50
#: In the order in which a seal signs them.
_NAMES = (b"arc-authentication-results", b"arc-message-signature", b"arc-seal")
_INSTANCE = re.compile(rb"[ \t\r\n]*i[ \t]*=[ \t]*([1-9][0-9]?)[ \t\r\n]*(?:;|$)")


@dataclass(frozen=True, slots=True)
class Chain:
    """status: none, pass or fail. length: how many sets; lines: of them all, relaxed, as the next seal signs them.

    ended: the newest says itself that the chain is broken, or DNS does not tell now: nothing is to be added to it.
    """

    status: str
    length: int = 0
    lines: tuple[bytes, ...] = ()
    ended: bool = False


_Set = dict[bytes, bytes]


def chain_checked(raw: bytes) -> Asking[Chain]:
    """raw: with CRLF line ends."""
    mail = Mail.of(raw)
    found = [field for field in mail.fields if name_of(field) in _NAMES]
    if not found:
        return Chain("none")
    sets = _sets(found)
    if sets is None:
        return Chain("fail", _highest(found))
    newest = tags_of(sets[-1][b"arc-seal"])
    lines = tuple(canonical_field(one[name], relaxed=True) for one in sets for name in _NAMES)
    if newest.get("cv") == "fail":
        return Chain("fail", len(sets), ended=True)
    for at, one in enumerate(sets):
        if tags_of(one[b"arc-seal"]).get("cv") != ("pass" if at else "none"):
            return Chain("fail", len(sets))
    try:
        message = sets[-1][b"arc-message-signature"]
        tags = tags_of(message)
        demand_body(mail, tags)
        signed = b"".join(signed_fields(mail, tags)) + own_field(message, tags)
        yield from _demand(message, signed)
        for at in reversed(range(len(sets))):
            seal = sets[at][b"arc-seal"]
            before = b"".join(line + b"\r\n" for line in lines[: 3 * at + 2])
            yield from _demand(seal, before + own_field(seal, {"c": "relaxed"}))
    except Bad as bad:
        return Chain("fail", len(sets), ended=str(bad) == "temperror")
    return Chain("pass", len(sets), lines)


def _demand(field: bytes, signed: bytes) -> Asking[None]:
    """Raises Bad."""
    tags = tags_of(field)
    if tags.get("a", "").lower() not in ("rsa-sha256", "ed25519-sha256") or ("h" in tags and not tags["h"]):
        raise Bad("permerror")
    key = yield from key_of(tags, tags.get("d", "").lower().rstrip("."))
    if not holds(key, signed, tags.get("b", "")):
        raise Bad("fail")


def _instance(field: bytes) -> int:
    """0 = it does not say."""
    found = _INSTANCE.match(field.partition(b":")[2])
    if found is None:
        told = tags_of(field).get("i", "")
        return int(told) if told.isascii() and told.isdecimal() and len(told) < 3 else 0
    return int(found[1])


def _highest(found: list[bytes]) -> int:
    return max(map(_instance, found))


def _sets(found: list[bytes]) -> list[_Set] | None:
    """Instance 1 first; None when one is not whole or stands twice."""
    sets: dict[int, _Set] = {}
    for field in found:
        one = sets.setdefault(_instance(field), {})
        if name_of(field) in one:
            return None
        one[name_of(field)] = field
    whole = all(len(one) == len(_NAMES) for one in sets.values())
    if not whole or len(sets) > SETS_MOST or sorted(sets) != list(range(1, len(sets) + 1)):
        return None
    return [sets[at] for at in sorted(sets)]
