"""Which conversation a mail belongs to: by what it answers, and only when its sender knows that mail.

RFC 5322 section 3.6.4. A Message-ID is written by whoever sends a mail and may be used twice; so an id alone joins
nothing: who refers to a mail must be one of its people, or refer to an id of ours that nobody can guess. A subject
never joins, it only proposes (`topic`).
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from postroom.mail.fold import fold

TOPIC_MAX = 200
#: What programs put before the subject of an answer or of a mail passed on, in many languages.
_PREFIX = re.compile(
    r"^(?:(?:re|aw|antw|sv|vs|odp|odpowied[zź]|отг|отн|ha|fwd?|fw|wg|pd|tr|rv|пр|препр|przek)"
    r"(?:\s?[\[(]\d{1,4}[\])])?\s*[:：]\s*)",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"[^\s<>,;:\"()\[\]]{1,200}@[^\s<>,;:\"()\[\]]{1,253}")


@dataclass(frozen=True, slots=True)
class Known:
    """A mail that has its conversation. people: lower-case addresses of its From, To, Cc and Bcc.

    message_id, in_reply_to: without angle brackets. is_ours: it went out from here; is_signed: under an id of ours.
    """

    number: int
    conversation: int
    message_id: str
    in_reply_to: str
    people: frozenset[str]
    is_ours: bool = False
    is_signed: bool = False


@dataclass(frozen=True, slots=True)
class Arrived:
    """A mail that is to get one. answers: ids it refers to, the one it answers first, then the newest to the oldest."""

    message_id: str
    answers: tuple[str, ...]
    people: frozenset[str]
    sender: str
    is_ours: bool = False


def answers(in_reply_to: str, references: Sequence[str]) -> tuple[str, ...]:
    """Ids a mail refers to, the nearest first, each once."""
    nearest_first = [in_reply_to.strip("<> "), *(one.strip("<> ") for one in reversed(references))]
    return tuple(dict.fromkeys(one for one in nearest_first if one))


def addresses(*lines: str) -> frozenset[str]:
    """Lower-case addresses that stand in lists of recipients as they are stored."""
    return frozenset(found.lower() for line in lines if "@" in line for found in _ADDRESS.findall(line))


class Mails:
    """Mails that have their conversation, found by their id and by the id they answer."""

    def __init__(self, known: Iterable[Known] = ()) -> None:
        self.by_id: dict[str, list[Known]] = {}
        self.by_answered: dict[str, list[Known]] = {}
        for one in known:
            self.add(one)

    def add(self, one: Known) -> None:
        self.by_id.setdefault(one.message_id, []).append(one)
        if one.in_reply_to:
            self.by_answered.setdefault(one.in_reply_to, []).append(one)


def parent(mail: Arrived, known: Mails) -> Known | None:
    """The mail whose conversation `mail` joins, of these of the same account; None: it opens one.

    First what it answers, nearest first; then itself where it was sent to oneself; then a mail that answers it.
    """
    for answered in mail.answers:
        there = known.by_id.get(answered)
        if there and (found := _newest(one for one in there if _knows(mail, one))):
            return found
    if mail.message_id:
        itself = known.by_id.get(mail.message_id)
        if itself and (
            found := _newest(one for one in itself if one.is_ours != mail.is_ours and _knows_both(mail, one))
        ):
            return found
        later = known.by_answered.get(mail.message_id)
        if later and (
            found := _newest(one for one in later if one.people & mail.people and _wrote(mail, one))
        ):
            return found
    if mail.answers:  # the mail both answer is not here
        beside = known.by_answered.get(mail.answers[0], ())
        return _newest(one for one in beside if _wrote(mail, one))
    return None


def _knows(mail: Arrived, one: Known) -> bool:
    """Whether its sender can have had the mail it refers to."""
    return mail.is_ours or one.is_signed or (bool(mail.sender) and mail.sender in one.people)


def _knows_both(mail: Arrived, one: Known) -> bool:
    """The copy of a mail to oneself: from the same sender, to the same people."""
    return bool(mail.sender) and mail.sender in one.people and bool(mail.people & one.people)


def _wrote(mail: Arrived, later: Known) -> bool:
    return mail.is_ours or (bool(mail.sender) and mail.sender in later.people)


def _newest(found: Iterable[Known]) -> Known | None:
    return max(found, key=lambda one: one.number, default=None)


def topic(subject: str) -> str:
    """The subject without Re:, Odp:, Отг: and the like, folded; "" when nothing is left."""
    words = " ".join(subject.split())
    while (cut := _PREFIX.sub("", words, count=1).lstrip()) != words:
        words = cut
    return fold(words)[:TOPIC_MAX].strip()


def person_of(
    mail_from: tuple[str, str], to: Sequence[tuple[str, str]], own: Collection[str]
) -> tuple[str, str]:
    """(name, address) of who a conversation is with: the first that is not ours; the sender when all are.

    mail_from: (name, address); own: lower-case addresses.
    """
    others = [one for one in (mail_from, *to) if one[1] and one[1].lower() not in own]
    return others[0] if others else mail_from


def written_as(line: str) -> list[tuple[str, str]]:
    """(name, address) of each in a list of recipients as it is stored: `Name <address>, address`."""
    found = []
    at = 0
    for match in _ADDRESS.finditer(line):
        before = line[at : match.start()]
        name = before.strip(' ,;<"') if before.rstrip().endswith("<") else ""
        found.append((name[:200], match.group()))
        at = match.end() + (1 if line[match.end() : match.end() + 1] == ">" else 0)
    return found
