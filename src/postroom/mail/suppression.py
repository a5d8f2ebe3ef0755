"""Which addresses an entry of a restricted list means (SX-03): one, a domain, its subdomains, a local part."""

import re
from dataclasses import dataclass
from enum import StrEnum

from postroom.errors import BadAddress, InputError
from postroom.mail.address import Address, canonical, parse

_LOCAL = re.compile(r"[^\s@<>(),;:\\\"\[\]*\x00-\x1f\x7f-\x9f]{1,64}")


class EntryForm(StrEnum):
    #: user@firm.pl
    ADDRESS = "address"
    #: @firm.pl: this domain, without its subdomains.
    DOMAIN = "domain"
    #: @*.firm.pl: every subdomain, without the domain itself.
    SUBDOMAINS = "subdomains"
    #: name@: this local part at any domain.
    LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Entry:
    """value: canonical address, bare domain (A-labels, lower case) or lower-case local part."""

    form: EntryForm
    value: str

    @property
    def text(self) -> str:
        """The entry as a person writes it."""
        before = {EntryForm.DOMAIN: "@", EntryForm.SUBDOMAINS: "@*."}.get(self.form, "")
        return f"{before}{self.value}{'@' if self.form is EntryForm.LOCAL else ''}"


def parse_entry(text: str) -> Entry:
    """An entry of a restricted list. Raises InputError when it has none of the four forms."""
    text = text.strip()
    try:
        if text.startswith("@*."):
            return Entry(EntryForm.SUBDOMAINS, _domain(f"a.{text[3:]}")[2:])
        if text.startswith("@"):
            return Entry(EntryForm.DOMAIN, _domain(text[1:]))
        if text.endswith("@"):
            if not _LOCAL.fullmatch(text[:-1]) or text.startswith(".") or text.endswith(".@") or ".." in text:
                raise BadAddress("The part before the @-sign cannot be read.")
            return Entry(EntryForm.LOCAL, text[:-1].lower())
        if text.startswith("*"):
            raise BadAddress("For a whole domain leave the star out.")
        return Entry(EntryForm.ADDRESS, canonical(text))
    except BadAddress as error:
        raise InputError(
            f"Write an entry as user@firm.pl, @firm.pl, @*.firm.pl or name@. {error.message}",
            code="BAD_ENTRY",
            field="entry",
        ) from None


def matches(entry: Entry, address: str | Address) -> bool:
    """Whether the entry means this address. Raises BadAddress."""
    return (entry.form, entry.value) in keys_for(address)


def keys_for(address: str | Address) -> list[tuple[str, str]]:
    """The (form, value) of every entry that would mean this address: one indexed look-up settles it.

    Raises BadAddress.
    """
    whole = canonical(address)
    local, _, domain = whole.rpartition("@")
    keys: list[tuple[str, str]] = [
        (EntryForm.ADDRESS, whole),
        (EntryForm.LOCAL, local),
        (EntryForm.DOMAIN, domain),
    ]
    dot = domain.find(".")
    while dot >= 0:
        keys.append((EntryForm.SUBDOMAINS, domain[dot + 1 :]))
        dot = domain.find(".", dot + 1)
    return keys


def _domain(text: str) -> str:
    return parse(f"x@{text}").domain
