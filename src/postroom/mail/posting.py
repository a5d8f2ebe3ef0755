"""May this mail go to the members of a group? One small function a rule, in the order in which they are asked.

FEATURES EG-10, EG-12; RFC 3834, RFC 5321 section 6.3 (loops), RFC 3463 (codes).
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from postroom.mail.autoreply import is_autoreply
from postroom.mail.letterhead import Head
from postroom.mail.mime import Part
from postroom.mail.reply import Reply


class Decision(StrEnum):
    TAKE = "take"
    #: Taken; a moderator decides.
    HOLD = "hold"
    #: Taken from the sender and thrown away: an answer would only come back.
    DROP = "drop"
    REFUSE = "refuse"


class Proof(StrEnum):
    """Whether the author's domain stands behind the mail: aligned DKIM or SPF, or a sign-in (RFC 8601)."""

    PASSED = "passed"
    #: It was looked at, and nothing aligned passed.
    FAILED = "failed"
    #: Nobody looked.
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Verdict:
    """reason: a code, "" when it is taken; reply: the answer to the final dot."""

    decision: Decision
    reason: str
    reply: Reply


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules ask for.

    looped:      it carries the loop header or the List-Id of this very group.
    automatic:   why it looks machine-made (`automatic_signs`), "" when it does not.
    size_max:    octets, 0 = no limit of the group.
    who:         anyone, members, named, approved; is_member, is_named: of the author by the From field.
    via_group:   it comes as a copy from a group that has this one as a member.
    """

    looped: bool = False
    disabled: bool = False
    automatic: str = ""
    reject_automatic: bool = True
    size: int = 0
    size_max: int = 0
    who: str = "anyone"
    is_member: bool = False
    is_named: bool = False
    proof: Proof = Proof.UNKNOWN
    via_group: bool = False


TAKEN = Verdict(Decision.TAKE, "", Reply(250, "2.0.0 Taken for the members of the group"))


def _loop(facts: Facts) -> Verdict | None:
    if facts.looped:
        return Verdict(Decision.DROP, "loop", Reply(250, "2.0.0 Seen before"))
    return None


def _disabled(facts: Facts) -> Verdict | None:
    if facts.disabled:
        return Verdict(Decision.REFUSE, "disabled", Reply(550, "5.2.1 group not accepting mail"))
    return None


def _automatic(facts: Facts) -> Verdict | None:
    if facts.automatic and facts.reject_automatic:
        words = f"5.7.1 This group takes no automatic messages ({facts.automatic})"
        return Verdict(Decision.REFUSE, "automatic", Reply(550, words))
    return None


def _size(facts: Facts) -> Verdict | None:
    if facts.size_max and facts.size > facts.size_max:
        words = f"5.3.4 The message has {facts.size} bytes; this group takes {facts.size_max}"
        return Verdict(Decision.REFUSE, "too_big", Reply(552, words))
    return None


def _may_post(facts: Facts) -> Verdict | None:
    if facts.via_group or facts.who not in ("members", "named"):
        return None
    allowed = facts.is_named or (facts.who == "members" and facts.is_member)
    if not allowed:
        whom = "its members" if facts.who == "members" else "people named by its managers"
        return Verdict(Decision.REFUSE, "not_allowed", Reply(550, f"5.7.1 This group takes mail from {whom}"))
    if facts.proof is Proof.FAILED:
        words = "5.7.1 This group takes mail from its authors only, and nothing proves who sent this"
        return Verdict(Decision.REFUSE, "not_proved", Reply(550, words))
    return None


def _approval(facts: Facts) -> Verdict | None:
    if facts.who != "approved" or facts.via_group:
        return None
    if facts.is_named and facts.proof is Proof.PASSED:
        return None  # who may decide need not ask
    return Verdict(Decision.HOLD, "approval", Reply(250, "2.0.0 Taken; a moderator of the group decides"))


RULES: tuple[Callable[[Facts], Verdict | None], ...] = (
    _loop,
    _disabled,
    _automatic,
    _size,
    _may_post,
    _approval,
)


def judged(facts: Facts) -> Verdict:
    """The first rule that has something to say decides."""
    return next((said for rule in RULES if (said := rule(facts)) is not None), TAKEN)


#: Written by no person (EG-12). `list` is no sign: people's mail that came by another list carries it.
_PRECEDENCE = ("bulk", "junk", "auto_reply", "auto-reply")


def automatic_signs(mail_from: str, head: Head, *, own_return: bool = False) -> str:
    """Why a mail is machine-made, in a few words; "" when a person seems to have written it.

    mail_from: "" is the null path. own_return: it is one of our return paths, and not that of a person's letter.
    X-Auto-Response-Suppress is a wish of senders, no sign.
    """
    if not mail_from:
        return "null sender"
    if own_return:
        return "return path of ours"
    word = head.first("auto-submitted").partition(";")[0].strip().lower()
    if word and word != "no":
        return f"Auto-Submitted: {_short(word)}"
    if head.first("content-type").lower().lstrip().startswith("multipart/report"):
        return "a report"
    precedence = head.first("precedence").strip().lower()
    if precedence in _PRECEDENCE:
        return f"Precedence: {precedence}"
    if any(field.name.startswith(("x-autoreply", "x-autorespond")) for field in head.fields):
        return "an automatic reply"
    return "an automatic reply" if _vacation(head) else ""


def _vacation(head: Head) -> bool:
    """Known forms without the headers above. A telling subject alone is believed only of an answer."""
    headers: dict[str, list[str]] = {}
    for field in head.fields:
        headers.setdefault(field.name, []).append(field.value)
    subject = head.subject if "in-reply-to" in headers and head.subject[:3].lower() != "re:" else ""
    return is_autoreply(Part(headers, "text/plain", {}, b""), subject)


def _short(word: str) -> str:
    return "".join(letter for letter in word if letter.isprintable() and letter.isascii())[:30]
