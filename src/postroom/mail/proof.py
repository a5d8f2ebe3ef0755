"""What a mail server of the firm found out about the sender, as it wrote it into the header. RFC 8601.

Only the field of the server named in our settings counts: anybody can write such fields, and that server removes
those that bear its name.
"""

import re

from postroom.mail.dns_records import below
from postroom.mail.letterhead import Head
from postroom.mail.posting import Proof

_COMMENT = re.compile(r"\([^()]*\)")
_PASS = re.compile(r"(?i)^\s*(dkim|spf|dmarc|auth)\s*=\s*pass\b(.*)", re.DOTALL)
#: The property that names the domain a method speaks of.
_DOMAIN = {
    "dkim": re.compile(r"(?i)\bheader\.(?:d|i)\s*=\s*\"?(?:[^\s@;\"]*@)?([^\s@;\"]+)"),
    "spf": re.compile(r"(?i)\bsmtp\.(?:mailfrom|mail)\s*=\s*\"?(?:[^\s@;\"]*@)?([^\s@;\"]+)"),
    "dmarc": re.compile(r"(?i)\bheader\.from\s*=\s*\"?(?:[^\s@;\"]*@)?([^\s@;\"]+)"),
    "auth": re.compile(r"(?i)\bsmtp\.(?:auth|mailfrom)\s*=\s*\"?(?:[^\s@;\"]*@)?([^\s@;\"]+)"),
}


def seen_by(head: Head, server: str) -> str | None:
    """What that server wrote, without its name; None when it wrote nothing, or when no server is named."""
    for value in head.all("authentication-results") if server else ():
        name, _, rest = _COMMENT.sub(" ", value).partition(";")
        if name.split()[:1] and name.split()[0].lower() == server.lower():
            return " ".join(rest.split())
    return None


def proof_of(head: Head, server: str) -> Proof:
    """Whether the domain of the From field stands behind the mail."""
    seen = seen_by(head, server)
    if seen is None:
        return Proof.UNKNOWN
    if len(head.authors) != 1:
        return Proof.FAILED
    domain = head.authors[0][1].rpartition("@")[2]
    for method in seen.split(";"):
        found = _PASS.match(method)
        if found is None:
            continue
        named = _DOMAIN[found[1].lower()].search(found[2])
        if named is not None:
            proved = named[1].lower().rstrip(".")
            if below(domain, [proved]) or below(proved, [domain]):
                return Proof.PASSED
    return Proof.FAILED
