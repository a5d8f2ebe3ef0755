"""What a line of an exclusion set means: one address, or a whole domain (SX-07). Addresses are not verified."""

import re
from collections.abc import Iterator

from postroom.errors import BadAddress, InputError
from postroom.mail.address import canonical, parse

_LIKE_ADDRESS = re.compile(r"[^\s@<>,;]+@[^\s@<>,;]+")
_MAX = 254
_LINE_MAX = 1000


def parse_exclusion(text: str) -> tuple[bool, str]:
    """(is a domain, value in the form it is compared in): firm.pl and @firm.pl are the domain, a@firm.pl the address.

    A domain means itself, not its subdomains. Raises InputError BAD_LINE.
    """
    text = text.strip()
    local, at, domain = text.rpartition("@")
    try:
        if local:
            return False, canonical(text)
        return True, parse(f"x@{domain}").domain
    except BadAddress as error:
        odd = text.lower()
        if local and at and _LIKE_ADDRESS.fullmatch(odd) and len(odd) <= _MAX and odd.isprintable():
            return False, odd
        raise InputError(
            f"Write an address or a domain: user@firm.pl, firm.pl or @firm.pl. {error.message}",
            code="BAD_LINE",
            field="text",
        ) from None


def exclusion_lines(text: str) -> Iterator[tuple[int, str]]:
    """(number, content) of the lines that say something: without empty ones and what follows a "#"."""
    for number, line in enumerate(text.splitlines(), start=1):
        content = line[:_LINE_MAX].split("#", 1)[0].strip().strip('"').rstrip(";,").strip().strip('"')
        if content:
            yield number, content
