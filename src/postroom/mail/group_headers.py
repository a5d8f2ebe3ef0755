"""What a copy of a posting begins with, and what of the author's header gives way. Everything else keeps its octets.

FEATURES EG-03, EG-04, EG-07, EG-16; RFC 2369, RFC 2919 (List-*), RFC 6376 section 5.4.2 (what a signature sees).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from postroom.mail import header
from postroom.mail.dns_records import below, tag_list
from postroom.mail.letterhead import Head

LOOP = "X-Postroom-Loop"
#: Of each copy alone, in front of everything; written by `copy_fields`.
COPY_NAMES = ("x-postroom-id", "list-unsubscribe")
#: May be left out where the author's signature says that there is none.
_OPTIONAL = ("list-id", "list-post", "list-archive", "list-unsubscribe")


@dataclass(frozen=True, slots=True)
class Letterhead:
    """What the group adds. reply_to: the mailboxes of Reply-To, () = the author's own stays.

    loop_token: signed, tells that this group has seen the mail. archive_url: "" = none. trace: who handed it over.
    rewrite: From becomes the group's, since members' servers would refuse the author's (EG-16).
    """

    address: str
    name: str
    loop_token: str
    host: str
    trace: str
    number: int
    at: datetime
    reply_to: tuple[tuple[str, str], ...] = ()
    archive_url: str = ""
    rewrite: bool = False
    author: tuple[str, str] = ("", "")


@dataclass(slots=True)
class Fronted:
    """front: fields in front, with their CRLF; cuts: [begin, end) pairs of the mail that are left out."""

    front: str
    cuts: list[int] = field(default_factory=list)


def fronted(head: Head, paper: Letterhead) -> Fronted:
    """Raises InputError when a name or an address cannot stand in a header."""
    fields: list[tuple[str, str]] = [
        ("received", _trace(paper)),
        (LOOP.lower(), header.structured(LOOP, [paper.loop_token])),
        ("list-id", _list_id(paper)),
        ("list-post", header.structured("List-Post", [f"<mailto:{paper.address}>"])),
    ]
    if paper.archive_url:
        fields.append(("list-archive", header.structured("List-Archive", [f"<{paper.archive_url}>"])))
    cut: list[int] = []
    if paper.reply_to:
        for old in (one for one in head.fields if one.name == "reply-to"):
            fields.append(("x-original-reply-to", header.unstructured("X-Original-Reply-To", old.value)))
            cut += [old.begin, old.end]
        fields.append(("reply-to", header.mailboxes("Reply-To", paper.reply_to)))
    if paper.rewrite:
        for old in (one for one in head.fields if one.name == "from"):
            fields.append(("x-original-from", header.unstructured("X-Original-From", old.value)))
            cut += [old.begin, old.end]
        name = f"{paper.author[0] or paper.author[1].partition('@')[0]} via {paper.name or paper.address}"
        fields.append(("from", header.mailbox("From", name, paper.address)))
    shut = set() if paper.rewrite else oversigned(head, paper.author[1].rpartition("@")[2])
    kept = [text for name, text in fields if name not in _OPTIONAL or name not in shut]
    pairs = sorted(zip(cut[::2], cut[1::2], strict=True))
    return Fronted("".join(kept), [number for pair in pairs for number in pair])


def copy_fields(token: str, unsubscribe: str) -> bytes:
    """Of one copy. unsubscribe: the address that takes this member out, "" = it cannot be left by mail."""
    text = f"X-Postroom-Id: {token}\r\n"
    if unsubscribe:
        text += f"List-Unsubscribe: <mailto:{unsubscribe}>\r\n"
    return text.encode()


def without(raw: bytes, cuts: Sequence[int]) -> bytes:
    """The octets outside the [begin, end) pairs, which are in order."""
    if not cuts:
        return raw
    edges = [0, *cuts, len(raw)]
    return b"".join(raw[edges[at] : edges[at + 1]] for at in range(0, len(edges), 2))


def signature_survives(head: Head, domain: str, paper: Letterhead) -> bool | None:
    """Whether a DKIM signature aligned with the author's domain still holds after our fields; None = there is none.

    paper: as it would be without rewriting.
    """
    ours = _aligned(head, domain)
    if not ours:
        return None
    front = fronted(head, paper)
    added = [line.partition(":")[0].lower() for line in front.front.split("\r\n") if line[:1] not in " \t"]
    gone = set(front.cuts[::2])
    return any(not _breaks(head, names, added, gone) for names in ours)


def oversigned(head: Head, domain: str) -> set[str]:
    """Names that an aligned signature counts more often than they stand: one more in front would break it."""
    return {
        name
        for names in _aligned(head, domain)
        for name in set(names)
        if names.count(name) > sum(1 for one in head.fields if one.name == name)
    }


def _aligned(head: Head, domain: str) -> list[list[str]]:
    """What h= names, of each signature of the author's domain, one above or one below it."""
    found = []
    for value in head.all("dkim-signature"):
        tags = tag_list(value) or {}
        signer = tags.get("d", "").lower().rstrip(".")
        if domain and signer and (below(domain, [signer]) or below(signer, [domain])):
            found.append([name.strip().lower() for name in tags.get("h", "").split(":")])
    return found


def _breaks(head: Head, names: list[str], added: Sequence[str], gone: set[int]) -> bool:
    """A signature takes the last of several fields of a name first (RFC 6376 section 5.4.2)."""
    for name in set(names):
        times = names.count(name)
        old = [one for one in head.fields if one.name == name][::-1]
        if any(one.begin in gone for one in old[:times]) or (name in added and times > len(old)):
            return True
    return False


def _trace(paper: Letterhead) -> str:
    date = header.date("X", paper.at)[3:-2]
    return (
        f"Received: from {paper.trace}\r\n by {paper.host} (Postroom) id {paper.number}\r\n"
        f" for <{paper.address}>; {date}\r\n"
    )


def _list_id(paper: Letterhead) -> str:
    """RFC 2919 section 2: the address with a dot in the place of the @-sign."""
    label = f"<{paper.address.replace('@', '.')}>"
    if not paper.name or not label.isascii():
        return f"List-Id: {label}\r\n"
    return f"List-Id: {header.display_phrase(paper.name)}\r\n {label}\r\n"


def list_id_is(head: Head, address: str) -> bool:
    return any(value.endswith(f"<{address.replace('@', '.')}>") for value in head.all("list-id"))
