"""The values that recognising returned mail gives: what kind it is, and what it says of whom."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a message that came in is."""

    #: A report that at least one recipient will not get the message (RFC 3464 "failed", or free text).
    FAILURE = "failure"
    #: A report of delivery into a mailbox.
    DELIVERED = "delivered"
    #: Passed to a system without reports: no proof of arrival.
    RELAYED = "relayed"
    #: Went to an alias or a list; its members send no success reports.
    EXPANDED = "expanded"
    #: Still being tried; nothing final.
    DELAYED = "delayed"
    #: A receipt: displayed.
    READ = "read"
    #: A receipt: deleted without being displayed.
    DELETED = "deleted"
    #: A vacation note or another answer written by a program; a receipt that says "processed" or "dispatched".
    AUTO_REPLY = "auto_reply"
    #: A feedback report (RFC 5965).
    COMPLAINT = "complaint"
    #: A person asks to be taken off.
    UNSUBSCRIBE = "unsubscribe"
    #: A person asks to be put on.
    SUBSCRIBE = "subscribe"
    #: A person's mail that answers another.
    REPLY = "reply"
    #: Everything else.
    OTHER = "other"


class BounceClass(StrEnum):
    """Why a delivery failed, as an operator thinks of it."""

    #: Nobody is there: the only class that may suppress an address at once.
    ADDRESS_GONE = "address_gone"
    #: Full, suspended, or refused by the mailbox for a reason of its own.
    MAILBOX_STATE = "mailbox_state"
    #: Our reputation, content or policy; never held against the address.
    SENDER = "sender"
    #: DNS, network, systems, time.
    INFRASTRUCTURE = "infrastructure"
    #: Not a failure.
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Report:
    """What a report says of one recipient; every text is "" when unknown.

    recipient:   without brackets, domain in lower case.
    action:      the RFC 3464 word (failed, delayed, delivered, relayed, expanded).
    status:      RFC 3463, "5.1.1"; smtp_code: "550".
    reason:      one lower-case word: userunknown, mailboxfull, ...
    permanent:   the address may be given up at once.
    message_id:  of the message spoken of; envelope_id: the ENVID it went with (RFC 3461).
    words:       the server's own diagnostic text.
    """

    recipient: str
    action: str
    status: str
    smtp_code: str
    reason: str
    bounce_class: BounceClass
    permanent: bool
    message_id: str
    envelope_id: str
    words: str


@dataclass(frozen=True, slots=True)
class Recognised:
    """What one message that came in is, and every trace of the message of ours that it speaks of.

    Message-IDs are without angle brackets. `heuristic`: a receipt in free text, so only "probably".
    `disposition`: RFC 8098, "manual-action/MDN-sent-manually; displayed". `date`: the raw header.
    """

    kind: Kind
    reports: tuple[Report, ...] = ()
    envelope_ids: tuple[str, ...] = ()
    returned_message_ids: tuple[str, ...] = ()
    x_ids: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    text_message_ids: tuple[str, ...] = ()
    original_message_id: str = ""
    heuristic: bool = False
    disposition: str = ""
    message_id: str = ""
    subject: str = ""
    from_address: str = ""
    date: str = ""
    to: tuple[str, ...] = ()
    #: The envelope recipient, as far as servers on the way wrote it down.
    reached: tuple[str, ...] = ()
    auto_submitted: bool = False
