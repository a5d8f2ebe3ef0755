"""Another sender or another addressee for each contact, taken from details of the contact (SA-07, SA-08, SA-11).

Each of the four details stands for itself: one that is empty leaves what the account or the contact says. A detail that
cannot be used - no address, a line break, a domain the firm has not proved - is counted, and falls back too.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from postroom.errors import InputError
from postroom.mail.address import canonical, parse

#: Keys in `delivery.fields` that no field of a template can have.
FROM_ADDRESS, FROM_NAME = "~from", "~from_name"
_NAME_MAX = 200


@dataclass(frozen=True, slots=True)
class Overrides:
    """Keys of contact fields, "" = not overridden. domains: proved by the workspace, A-labels in lower case."""

    from_address: str = ""
    from_name: str = ""
    to_address: str = ""
    to_name: str = ""
    domains: Collection[str] = frozenset()

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(key for key in (self.from_address, self.from_name, self.to_address, self.to_name) if key)


@dataclass(frozen=True, slots=True)
class Effective:
    """What holds for one recipient; "" = as the account, or the contact, says. *_fallback: a detail was no use."""

    from_address: str = ""
    from_name: str = ""
    to_address: str = ""
    to_canonical: str = ""
    to_name: str = ""
    from_fallback: bool = False
    to_fallback: bool = False


def effective(overrides: Overrides, values: Mapping[str, object]) -> Effective:
    """values: the contact's, by field key."""
    from_address, bad_from = _address(values, overrides.from_address, overrides.domains)
    from_name, bad_from_name = _name(values, overrides.from_name)
    to_address, bad_to = _address(values, overrides.to_address, None)
    to_name, bad_to_name = _name(values, overrides.to_name)
    return Effective(
        from_address=from_address,
        from_name=from_name,
        to_address=to_address,
        to_canonical=canonical(to_address) if to_address else "",
        to_name=to_name,
        from_fallback=bad_from or bad_from_name,
        to_fallback=bad_to or bad_to_name or bool(overrides.to_address and not to_address),
    )


def _address(values: Mapping[str, object], key: str, domains: Collection[str] | None) -> tuple[str, bool]:
    text = str(values.get(key) or "") if key else ""
    if not text.strip():
        return "", False
    if not text.isprintable():  # a line break is an attack, not a blank to be trimmed
        return "", True
    try:
        found = parse(text)
    except InputError:
        return "", True
    if domains is not None and canonical(found).rpartition("@")[2] not in domains:
        return "", True
    return found.spec, False


def _name(values: Mapping[str, object], key: str) -> tuple[str, bool]:
    """A name that could be taken for an address is none (SA-06)."""
    text = str(values.get(key) or "") if key else ""
    if not text.strip():
        return "", False
    if not text.isprintable() or "@" in text or len(text) > _NAME_MAX:
        return "", True
    return text.strip(), False
