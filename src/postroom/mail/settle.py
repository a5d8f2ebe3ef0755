"""What a report changes in the row of the delivery it speaks of (DESIGN 4.5, section 5; glossary of states).

Only a signed match settles doubt or suppresses; a named one counts; a likely one changes nothing until a person agrees.
"""

from dataclasses import dataclass
from enum import StrEnum

from postroom.mail.report import BounceClass, Kind


class Strength(StrEnum):
    #: Our MAC verified, wherever the token was found.
    SIGNED = "signed"
    #: A Message-ID of ours without MAC, or another recipient named in a signed report of the same campaign.
    NAMED = "named"
    #: Recipient and time agree.
    LIKELY = "likely"
    NONE = "none"


#: Report kind -> (arrival, rank). A report of lower rank never takes back what a higher one said.
_ARRIVAL = {
    Kind.DELAYED: ("delayed", 1),
    Kind.RELAYED: ("relayed", 2),
    Kind.EXPANDED: ("expanded", 3),
    Kind.DELIVERED: ("delivered", 4),
    Kind.FAILURE: ("bounced", 3),
}
_ARRIVAL_RANK = {"unknown": 0, "delayed": 1, "relayed": 2, "bounced": 3, "expanded": 3, "delivered": 4}
_READING_RANK = {"none": 0, "automatic": 1, "heuristic": 2, "deleted_unread": 3, "displayed": 4}
#: These prove that the server took the message over.
_ARRIVED = {Kind.DELIVERED, Kind.RELAYED, Kind.EXPANDED, Kind.READ, Kind.DELETED}


@dataclass(frozen=True, slots=True)
class Standing:
    """What a delivery says before and after: state, arrival, reading; each as stored."""

    state: str
    arrival: str
    reading: str


@dataclass(frozen=True, slots=True)
class Told:
    """What one report says. automatic: a receipt without a reader (dispatched, processed)."""

    kind: Kind
    strength: Strength
    heuristic: bool = False
    automatic: bool = False
    permanent: bool = False
    bounce_class: BounceClass = BounceClass.NONE


def reading_of(told: Told) -> str:
    """The reading value a report speaks of; "" for other reports."""
    if told.automatic:
        return "automatic"
    if told.kind is Kind.READ:
        return "heuristic" if told.heuristic else "displayed"
    return "deleted_unread" if told.kind is Kind.DELETED else ""


def settled(now: Standing, told: Told) -> Standing:
    """The standing after the report. Likely and unmatched reports change nothing."""
    if told.strength in (Strength.LIKELY, Strength.NONE):
        return now
    state, arrival, reading = now.state, now.arrival, now.reading
    if state == "uncertain" and told.strength is Strength.SIGNED:
        if told.kind is Kind.FAILURE:
            state = "failed"
        elif told.kind in _ARRIVED and not told.heuristic:
            state = "accepted"
    if told.kind in _ARRIVAL:
        new, rank = _ARRIVAL[told.kind]
        if rank > _ARRIVAL_RANK[arrival]:
            arrival = new
    new_reading = reading_of(told)
    if new_reading and _READING_RANK[new_reading] > _READING_RANK[reading]:
        reading = new_reading
    return Standing(state, arrival, reading)


def suppresses(told: Told) -> str:
    """The source of the suppression a report asks for: bounce, unsubscribe, complaint; "" for none."""
    if told.strength is not Strength.SIGNED:
        return ""
    if told.kind is Kind.UNSUBSCRIBE:
        return "unsubscribe"
    if told.kind is Kind.COMPLAINT:
        return "complaint"
    gone = told.kind is Kind.FAILURE and told.permanent and told.bounce_class is BounceClass.ADDRESS_GONE
    return "bounce" if gone else ""
