"""What an e-mail address is, and when two of them are the same.

RFC 5321 section 4.1.2, RFC 5322 section 3.4, RFC 5890, RFC 6531.
"""

import re
from dataclasses import dataclass

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

from postroom.errors import BadAddress
from postroom.mail.address_words import explained

# Names like firm.local and localhost are in use inside firms; the library would refuse them.
SPECIAL_USE_DOMAIN_NAMES.clear()

# RFC 5321 section 4.5.3.1: 64 octets before the at-sign, 254 in all (256 of a path with its angle brackets).
_LOCAL_MAX = 64
_SPEC_MAX = 254

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?"
# Plain ASCII, the last label beginning with a letter, no A-labels: nothing here needs a second look.
_PLAIN = re.compile(
    rf"({_ATOM}(?:\.{_ATOM})*)@((?:(?![xX][nN]--){_LABEL}\.)+(?![xX][nN]--)(?=[A-Za-z]){_LABEL})"
)
_plain = _PLAIN.fullmatch
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Address:
    """One address. local: as written; domain: lower case, A-labels (RFC 5890)."""

    local: str
    domain: str

    @property
    def spec(self) -> str:
        """local@domain, without brackets."""
        return f"{self.local}@{self.domain}"

    @property
    def needs_smtputf8(self) -> bool:
        """Whether a server must list SMTPUTF8 to take it (RFC 6531 section 3.2)."""
        return not self.local.isascii()

    def __str__(self) -> str:
        return self.spec


def parse(text: str) -> Address:
    """One address without display name; blanks around it are dropped.

    A domain without a dot is refused, "localhost" apart; so are quoted local parts and address literals.
    Raises BadAddress, with the reason in words.
    """
    text = text.strip(" \t")
    found = _plain(text)
    if found is not None:
        local, domain = found.groups()
        if len(local) <= _LOCAL_MAX and len(text) <= _SPEC_MAX:
            return Address(local, domain.lower())
    return _parse_odd(text)


def checked_spec(text: str) -> str:
    """parse(text).spec, quicker. Raises BadAddress."""
    found = _plain(text)
    if found is not None and found.end(1) <= _LOCAL_MAX and len(text) <= _SPEC_MAX:
        at = found.end(1)
        return text[:at] + text[at:].lower()
    return parse(text).spec


def _parse_odd(text: str) -> Address:
    if not text:
        raise BadAddress("The address is empty.")
    if _CONTROL.search(text):
        raise BadAddress("An address cannot hold line breaks or control characters.")
    if len(text) > 2 * _SPEC_MAX:
        raise BadAddress("The address is too long: 254 characters is the limit.")
    try:
        valid = validate_email(text, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError as error:
        raise BadAddress(explained(str(error))) from None
    domain = valid.ascii_domain or valid.domain
    address = Address(valid.local_part, domain.lower())
    if "." not in domain and domain.lower() != "localhost":
        raise BadAddress("The part after the @-sign is not complete: it has no dot.")
    if domain.rpartition(".")[2].isdigit():
        raise BadAddress("The part after the @-sign cannot end in a number.")
    if len(address.local.encode()) > _LOCAL_MAX or len(address.spec.encode()) > _SPEC_MAX:
        raise BadAddress(
            "The address is too long: 64 characters before the @-sign and 254 in all are the limit."
        )
    return address


def canonical(address: str | Address) -> str:
    """The form under which addresses are compared: trimmed, domain in A-labels, all lower case.

    No folding of dots or plus-tags. Raises BadAddress.
    """
    if isinstance(address, str):
        text = address.strip(" \t")
        found = _plain(text)
        if found is not None and found.end(1) <= _LOCAL_MAX and len(text) <= _SPEC_MAX:
            return text.lower()
        address = _parse_odd(text)
    return f"{address.local.lower()}@{address.domain}"


def parse_many(text: str) -> list[tuple[str, str, str]]:
    """A pasted list of recipients, separated by comma, semicolon or line break, with or without display names.

    Returns (display name, address, error) in the order given; address is the spec, or the words as typed when error is
    not "". Empty places are dropped. 'Kowalski, Jan <jan@firm.pl>' (a comma in a bare name) is read as one person.
    """
    found: list[tuple[str, str, str]] = []
    pending = ""  # words without an address, perhaps the first half of a name with a comma
    for chunk, separator in _chunks(text):
        whole = f"{pending}, {chunk}" if pending else chunk
        name, spec = _split_name(chunk)
        if pending and not (name and "@" in spec):
            found.append(_checked(*_split_name(pending)))
            whole = chunk
        pending = ""
        if separator == "," and chunk and "@" not in chunk:
            pending = whole
        elif chunk:
            found.append(_checked(*_split_name(whole)))
    if pending:
        found.append(_checked(*_split_name(pending)))
    return found


def _checked(name: str, spec: str) -> tuple[str, str, str]:
    try:
        return name, parse(spec).spec, ""
    except BadAddress as error:
        return name, spec, error.message


def _chunks(text: str) -> list[tuple[str, str]]:
    """The text cut at separators outside quotes and angle brackets: (chunk, the separator after it)."""
    chunks: list[tuple[str, str]] = []
    start = 0
    quoted = angled = False
    at = 0
    while at < len(text):
        sign = text[at]
        if sign in "\r\n" or (sign in ",;" and not quoted and not angled):
            chunks.append((text[start:at].strip(), sign))
            start = at + 1
            quoted = angled = False
        elif sign == "\\" and quoted:
            at += 1
        elif sign == '"':
            # A quote that is never closed on its line is only a character.
            quoted = not quoted and '"' in text[at + 1 :].split("\n", 1)[0]
        elif sign == "<" and not quoted:
            angled = ">" in text[at + 1 :].split("\n", 1)[0]
        elif sign == ">":
            angled = False
        at += 1
    chunks.append((text[start:].strip(), ""))
    return chunks


def _split_name(chunk: str) -> tuple[str, str]:
    """'"Jan" <jan@firm.pl>' -> (Jan, jan@firm.pl); without angle brackets the name is ""."""
    opened = chunk.rfind("<")
    if opened < 0:
        return "", chunk.removeprefix("mailto:")
    spec = chunk[opened + 1 :].strip()
    spec = spec[:-1].strip() if spec.endswith(">") else spec
    name = chunk[:opened].strip()
    if len(name) >= 2 and name[0] == name[-1] and name[0] in "\"'":
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    return re.sub(r"\s+", " ", _CONTROL.sub(" ", name)).strip(), spec
