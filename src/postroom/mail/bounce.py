"""Why a server refused: reason, class, and whether the address may be given up.

Text and code decide together; the text wins where it says something. RFC 3463, RFC 5321 section 4.2.
"""

import re

from postroom.mail.bounce_texts import MACHINES, NOBODY, SAYINGS, STATUS_REASONS
from postroom.mail.finding import ADDRESS, Finding, code_in, status_in
from postroom.mail.report import BounceClass

__all__ = ["REASONS", "BounceClass", "bounce_class", "classify_reply", "reason_of"]

_CLASSES = {
    BounceClass.ADDRESS_GONE: "userunknown hostunknown hasmoved",
    BounceClass.MAILBOX_STATE: "mailboxfull suspend filtered",
    BounceClass.SENDER: (
        "authfailure badreputation blocked contenterror exceedlimit mesgtoobig norelaying notcompliantrfc "
        "policyviolation rejected requireptr securityerror spamdetected speeding suppressed toomanyconn virusdetected"
    ),
    BounceClass.INFRASTRUCTURE: (
        "expired failedstarttls mailererror networkerror notaccept onhold syntaxerror systemerror systemfull undefined"
    ),
    BounceClass.NONE: "delivered feedback vacation",
}
_CLASS_OF = {reason: found for found, reasons in _CLASSES.items() for reason in reasons.split()}
#: Every reason there is.
REASONS = tuple(_CLASS_OF)

#: Steps of the dialogue before the message itself was seen: what is refused there is the address.
_BEFORE_DATA = ("RCPT", "MAIL", "HELO", "CONN")
#: Statuses that say it all, unless the text names something of the sender.
_SAYS_NOBODY = ("1.0", "1.1", "1.3")
#: No words can make these mean anything else: the sender's address (RFC 3463) and authentication (RFC 7372).
_DECISIVE = frozenset(
    ["1.7", "1.8", "7.20", "7.21", "7.22", "7.23", "7.24", "7.25", "7.26", "7.509", "7.515"]
)
_HEADINGS = ("0.0", "1.0", "2.0", "2.1", "3.0", "4.0", "5.0", "5.1", "5.2", "6.0", "7.0", "7.1")
#: Characters that "*" may stand for: about a sentence.
_FAR = 120
#: Chapters whose statuses say more than the vague words of machines: address, mailbox, security, ...
_TELLING = re.compile(r"(?:1|2|6|7)\.|3\.4$")
_MICROSOFT_BLOCKED = re.compile(r"7\.(?:51\d|60[6-9]|6[1-4]\d|7\d\d)$")
_AGAIN = re.compile(r"(?<=[\s;])[245]\d\d-(?:[245]\.\d{1,3}\.\d{1,3}(?=\s))?")
#: A refusal of the address that says no more.
_BARE_REFUSAL = re.compile(r"address rejected\.?(?: @)?(?: \(in reply.{0,60})?$")
_FIRST_LINE = re.compile(r"([45]\d\d)-([45]\.\d{1,3}\.\d{1,3}) ")
_FRAGMENT = re.compile(r"(https?://[^\s#]{1,300})#\S{0,200}")


class _Sayings:
    """One "[reason]" of the table: plain sayings and sayings with "*"."""

    __slots__ = ("gaps", "plain", "reason")

    def __init__(self, reason: str, sayings: list[str]) -> None:
        self.reason = reason
        self.plain = tuple(saying for saying in sayings if "*" not in saying)
        self.gaps = tuple(tuple(saying.split("*")) for saying in sayings if "*" in saying)

    def found_in(self, text: str) -> bool:
        # A plain loop: a generator would cost more than the look-ups.
        for saying in self.plain:
            if saying in text:
                return True
        return any(pieces[0] in text and _in_order(pieces, text) for pieces in self.gaps)


def reason_of(found: Finding) -> str:
    """One word for why `found` failed (the words of `bounce_texts`), "undefined" when nothing says why."""
    if found.status.startswith("2"):
        return "delivered"
    if found.status[2:] in _DECISIVE:
        return STATUS_REASONS[found.status[2:]]
    words = plain_words(found.words)
    reason = _by_words(words, found) or _by_status(found)
    if not reason and found.step in ("HELO", "CONN"):
        reason = "blocked"
    if found.context and reason in ("", "userunknown", "filtered", "expired"):
        context = plain_words(found.context)
        reason = _by_words(context, found) if not reason else _said_beside(context, reason) or reason
    if reason:
        return reason
    status = found.status[2:]
    if status in STATUS_REASONS:
        return STATUS_REASONS[status]
    if status.startswith("6."):
        return "contenterror"
    if status.startswith("7."):
        return "blocked" if _MICROSOFT_BLOCKED.match(status) else "securityerror"
    return _by_rest(found, words)


def bounce_class(reason: str, *, permanent: bool = False) -> BounceClass:
    """The class of a reason. A host that takes no mail at all, for good, makes its addresses gone."""
    if reason == "notaccept" and permanent:
        return BounceClass.ADDRESS_GONE
    return _CLASS_OF.get(reason, BounceClass.INFRASTRUCTURE)


def is_permanent(reason: str, found: Finding) -> bool:
    """Whether the address may be given up at once, as far as one report can say it."""
    if reason == "notaccept":
        return not (found.status or found.code).startswith("4")
    return bounce_class(reason) is BounceClass.ADDRESS_GONE


def classify_reply(code: int, status: str, text: str) -> tuple[str, BounceClass, bool]:
    """(reason, class, permanent) of an SMTP reply: the same tables as for returned mail.

    code: 0 when there was none; status: "5.1.1" or ""; text: the server's words or "". A reply that is not 5yz is
    never permanent: the delivery is tried again.
    """
    found = Finding(
        status=status or status_in(text), code=str(code) if code else code_in(text), words=text, step="RCPT"
    )
    reason = reason_of(found)
    permanent = code // 100 == 5 and is_permanent(reason, found)
    return reason, bounce_class(reason, permanent=permanent), permanent


def plain_words(text: str) -> str:
    """A text as the tables want it: lower case, one line, addresses as "@", no repeated codes."""
    words = text[:3000].lower().replace("<<<", " ").split()
    if "@" in text:
        words = [ADDRESS.sub("@", word).replace("<@>", "@") if "@" in word else word for word in words]
    text = " ".join(words)
    if (first := _FIRST_LINE.match(text)) is not None:
        text = text.replace(f"{first.group(1)} {first.group(2)} ", "")
    if "-" in text:
        text = _AGAIN.sub("", text)
    if "#" in text:
        text = _FRAGMENT.sub(r"\1", text)
    return text.replace("\u2019", "'") if "\u2019" in text else text


def _by_words(words: str, found: Finding) -> str:
    if not words:
        return ""
    program = words.startswith("x-unix;")
    for group in _FIRST:
        if group.found_in(words):
            if group.reason == "mesgtoobig" and found.status.endswith(".2.3"):
                return "exceedlimit"
            return group.reason
    if program:
        return "mailererror"
    if _NOBODY.found_in(words):
        if found.status.endswith(".1.6"):
            return "hasmoved"
        if found.step == "MAIL":
            return "rejected"
        if found.status[2:] in _SAYS_NOBODY or found.step in _BEFORE_DATA:
            return "userunknown"
        return "filtered"
    if _TELLING.match(found.status[2:]) and (told := _by_status(found)):
        return told
    for group in _LAST:
        if group.found_in(words):
            denied = found.step == "MAIL" and "access denied" in words
            return "rejected" if group.reason == "securityerror" and denied else group.reason
    if found.step == "RCPT" and _BARE_REFUSAL.search(words):
        return "userunknown"
    return ""


def _said_beside(context: str, reason: str) -> str:
    """What the report says beside the server's words: full or closed beats unknown, a dead net beats expired."""
    better = ("networkerror",) if reason == "expired" else ("mailboxfull", "suspend")
    for group in _FIRST:
        if group.reason in better and group.found_in(context):
            return group.reason
    return ""


def _by_status(found: Finding) -> str:
    """What a status says that is more than a heading of its chapter (RFC 3463: x.0.0, x.7.1, ...)."""
    status = found.status[2:]
    if found.status == "4.4.4":
        return "networkerror"
    if found.status.startswith("4.1."):
        # A temporary trouble with an address is no word about its existence.
        return ""
    return "" if status in _HEADINGS else STATUS_REASONS.get(status, "")


def _by_rest(found: Finding, words: str) -> str:
    if found.action == "delayed":
        return "expired"
    if found.code in ("521", "554", "556") and not words:
        return "notaccept"
    if found.code in ("500", "501", "502", "503", "504"):
        return "syntaxerror"
    if "policy violation" in words:
        return "policyviolation"
    return "onhold" if words else "undefined"


def _in_order(pieces: tuple[str, ...], text: str) -> bool:
    at = 0
    for piece in pieces:
        found = text.find(piece, at)
        if found < 0 or (at and found - at > _FAR):
            return False
        at = found + len(piece)
    return True


def _table(text: str) -> tuple[_Sayings, ...]:
    groups: list[_Sayings] = []
    for section in text.split("\n["):
        if "]" not in section:
            continue
        reason, _, body = section.partition("]")
        sayings = [saying.strip() for line in body.split("\n") for saying in line.split("|")]
        sayings = [saying for saying in sayings if saying]
        groups.append(_Sayings(reason.lstrip("["), sayings))
    return tuple(groups)


_FIRST = _table(SAYINGS)
_LAST = _table(MACHINES)
_NOBODY = _table("\n[userunknown]" + NOBODY)[0]
