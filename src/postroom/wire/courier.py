"""The seam of sending: parcels in, outcomes out."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from postroom.mail.reply import Outcome


@dataclass(slots=True)
class Parcel:
    """One message to one recipient, ready for the wire.

    key:       the caller's own number (a delivery id).
    mail_from: envelope sender without brackets; "" is the null path.
    recipient: one RCPT TO address without brackets.
    segments:  the message, CRLF line ends, NOT dot-stuffed, without the final dot; shared segments are the same
               objects for all parcels of a campaign. The last one ends with CRLF.
    size:      bytes in segments together (for SIZE=).
    envid:     token for ENVID; "" asks nothing. Given only where EHLO lists DSN, then always with RET=`ret`.
    notify:    e.g. "SUCCESS,FAILURE,DELAY"; "" asks nothing (then no NOTIFY and no ORCPT).
    orcpt:     the original recipient for ORCPT, "" = recipient.
    eight_bit: the body has bytes above 127 (BODY=8BITMIME where offered; the composer avoids it where it is not).
    smtputf8:  an address needs SMTPUTF8 (RFC 6531).
    ret:       HDRS or FULL: what of the message a report of failure is to give back.
    signed:    True when it goes as it is, without a signature of ours.
    stuffed:   True when the segments are known to hold no line that begins with a dot, so that no stuffing is needed.
    """

    key: int
    mail_from: str
    recipient: str
    segments: Sequence[bytes]
    size: int
    envid: str = ""
    notify: str = ""
    orcpt: str = ""
    eight_bit: bool = False
    smtputf8: bool = False
    stuffed: bool = False
    ret: str = "HDRS"
    signed: bool = False


class Courier(Protocol):
    """Something that delivers parcels: the SMTP client, or the fake of the tests."""

    def deliver(self, parcels: AsyncIterator[Parcel]) -> AsyncIterator[tuple[Parcel, Outcome]]:
        """Take parcels one by one, as connections become free; yield each with its outcome as the answers come.

        Never raises for what a server does; every parcel taken comes back exactly once.
        """
        ...
