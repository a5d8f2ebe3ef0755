"""What the practice post office does with a letter, by the tag of its recipient.

The tag is what follows the last plus in the local part: anna.nowak+full@wisla.example has a full mailbox. Without a
tag, or with one not listed here, a letter is simply delivered.
"""

from enum import StrEnum


class Behaviour(StrEnum):
    #: Delivered, and reported so where a report was asked for. So are all below unless they say otherwise.
    OK = "ok"
    #: Passed on to a system that sends no reports: "relayed".
    RELAYED = "relayed"
    #: An alias of several people: "expanded".
    EXPANDED = "expanded"
    #: Reported as delayed first, delivered a little later.
    SLOW = "slow"
    #: Taken, then returned: there is no such person (5.1.1).
    UNKNOWN = "unknown"
    #: Taken, then returned: the mailbox is full (5.2.2).
    FULL = "full"
    #: Taken, then returned: the firm's policy forbids it (5.7.1).
    POLICY = "policy"
    #: Refused at RCPT with 550 5.1.1, every time.
    REFUSED = "refused"
    #: Answered 451 the first time, delivered from then on.
    LATER = "later"
    #: Read: a receipt is sent where one was asked for.
    READ = "read"
    #: On holiday: a vacation note.
    VACATION = "vacation"
    #: Unsubscribes by the link in the header, or by mail where there is none.
    LEAVE = "leave"
    #: Writes back.
    REPLY = "reply"
    #: The connection breaks in the middle of DATA the first time, when half of the letter is read. The sender of a
    #: small letter hands over its last byte at once, so that the same would leave it in doubt: it is cut in place of
    #: the 354.
    CUT = "cut"
    #: The letter is swallowed and the connection dropped before the final dot is answered; a report follows.
    SWALLOW = "swallow"
    #: The same, followed by silence: for ever in doubt.
    SILENCE = "silence"


_TAGS = {behaviour.value: behaviour for behaviour in Behaviour}


def behaviour_of(address: str) -> Behaviour:
    local = address.rpartition("@")[0]
    return _TAGS.get(local.rpartition("+")[2].lower(), Behaviour.OK)
