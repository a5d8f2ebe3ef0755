"""How a message is written: compiled once, then a lookup and a join for each recipient (DESIGN 4.3).

RFC 5322, RFC 2045, RFC 2046, RFC 2369 (List-Unsubscribe), RFC 8058 (one-click), RFC 8098 (Disposition-Notification-To).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A display name ("" = none) and an address."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class AttachmentFile:
    name: str
    content_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Content:
    """What all recipients of a message have in common.

    subject, html, text:      Liquid sources; html or text may be "" (the text is then made from the html).
    reply_to:                 None writes no Reply-To.
    receipt_read:             ask for a read receipt, to go to the envelope sender (RC-02).
    list_unsubscribe_mailto:  List-Unsubscribe with the recipient's `unsubscribe_address`.
    unsubscribe_url:          pattern with {token}, "" = none; a recipient's own `unsubscribe_url` goes before it.
    with_one_click:           List-Unsubscribe-Post beside the URL (RFC 8058); the caller knows whether it is allowed.
    eight_bit_allowed:        the server lists 8BITMIME; else bodies are 7-bit safe.
    message_id_domain:        right side of Message-ID.
    list_id:                  List-Id (RFC 2919) without brackets, "" = none.
    extra_headers:            (name, value), written as given, folded and encoded.
    constants:                fields with the same value for everybody: sender.*, workspace.*, date.*.
    empty_values:             True: a field that is empty and has no fallback is left out; False: render raises MissingValue.
    """

    subject: str
    html: str
    text: str
    header_from: Mailbox
    message_id_domain: str
    attachments: tuple[AttachmentFile, ...] = ()
    reply_to: Mailbox | None = None
    receipt_read: bool = False
    list_unsubscribe_mailto: bool = True
    unsubscribe_url: str = ""
    with_one_click: bool = False
    eight_bit_allowed: bool = True
    list_id: str = ""
    extra_headers: tuple[tuple[str, str], ...] = ()
    constants: Mapping[str, str] = field(default_factory=dict)
    empty_values: bool = False


@dataclass(frozen=True, slots=True)
class RecipientValues:
    """What makes one copy different.

    address, display_name: the To: header.
    fields:                values of CompiledMessage.fields by key, as frozen in the delivery.
    token:                 goes into Message-ID, X-Postroom-Id and the URL pattern.
    mail_from:             envelope sender, where read receipts go; "" asks for none.
    unsubscribe_address:   mailto: of List-Unsubscribe; "" = none.
    unsubscribe_url:       URL of List-Unsubscribe and of the field `unsubscribe_url`; "" = the pattern of the content.
    """

    address: str
    token: str
    fields: Mapping[str, str] = field(default_factory=dict)
    display_name: str = ""
    mail_from: str = ""
    unsubscribe_address: str = ""
    unsubscribe_url: str = ""


@dataclass(frozen=True, slots=True)
class Rendered:
    """One copy, ready for a Parcel.

    segments:  CRLF line ends, not dot-stuffed, the last one ends with CRLF; what is common is the same object every time.
    size:      bytes of all segments.
    eight_bit: there are bytes above 127.
    stuffed:   no line begins with a dot, not even across segments: nothing to stuff.
    """

    segments: tuple[bytes, ...]
    size: int
    eight_bit: bool
    stuffed: bool


class CompiledMessage:
    """A message without its recipient. `fields`: the contact fields it uses, to be frozen in delivery.fields."""

    fields: frozenset[str]

    def render(self, recipient: RecipientValues) -> Rendered:
        """The copy for one recipient. Raises MissingValue, BadAddress, BadTemplate (a limit of the general path)."""
        raise NotImplementedError

    def dated(self, date: datetime) -> "CompiledMessage":
        """The same message with another Date:; cheap, shares everything else."""
        raise NotImplementedError


def compile_message(content: Content, known_fields: Collection[str], *, date: datetime) -> CompiledMessage:
    """Read the templates and encode what is common.

    known_fields: keys of contact fields that exist; the special fields of mail/fields.py are known anyway.
    date:         aware; the Date: header.
    Raises BadTemplate (unknown field, syntax), BadAddress.
    """
    raise NotImplementedError
