"""Whether the domain of the From field stands behind a mail. RFC 8601; aligned as in RFC 7489 section 3.1.

A mail server of the firm found it out and wrote it into the header: only the field of the server named in our settings
counts, since anybody can write such fields, and that server removes those that bear its name. Or, where mail comes
straight to us, we look ourselves.
"""

import re
from dataclasses import dataclass

from postroom.mail.dkim_verify import signatures_checked
from postroom.mail.dns_records import Asking, below
from postroom.mail.letterhead import Head
from postroom.mail.posting import Proof
from postroom.mail.spf_check import spf_result

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
        if named is not None and _aligned(domain, named[1].lower().rstrip(".")):
            return Proof.PASSED
    return Proof.FAILED


def _aligned(domain: str, proved: str) -> bool:
    """The same, or one below the other."""
    return "." in proved and bool(below(domain, [proved]) or below(proved, [domain]))


@dataclass(frozen=True, slots=True)
class Looked:
    """What we found out ourselves. results: as an Authentication-Results field has them, without the server's name."""

    proof: Proof
    results: str


def author_looked(
    raw: bytes, head: Head, *, mail_from: str, client: str, helo: str, now: int
) -> Asking[Looked]:
    """client: the IP address that handed it over from outside; "" = it came through a server of the firm, which leaves
    only signatures to look at: no proof is then no sign of anything. So it is when DNS does not answer in time.
    """
    if len(head.authors) != 1:
        return Looked(Proof.FAILED, "dkim=none; spf=none")
    domain = head.authors[0][1].rpartition("@")[2]
    signed = yield from signatures_checked(raw, wanted=lambda one: _aligned(domain, one), now=now)
    results = [f"dkim={one.result} header.d={_shown(one.domain)}" for one in signed] or ["dkim=none"]
    found = {one.result for one in signed}
    sender = mail_from.rpartition("@")[2].lower()
    spf = "none"
    if client and sender and _aligned(domain, sender) and "pass" not in found:
        spf = yield from spf_result(client=client, mail_from=mail_from, helo=helo)
        results.append(f"spf={spf} smtp.mailfrom={_shown(sender)}")
    found.add(spf)
    if "pass" in found:
        return Looked(Proof.PASSED, "; ".join(results))
    in_doubt = not client or "temperror" in found
    return Looked(Proof.UNKNOWN if in_doubt else Proof.FAILED, "; ".join(results))


def _shown(domain: str) -> str:
    return re.sub(r"[^a-z0-9._-]", "?", domain)[:253]
