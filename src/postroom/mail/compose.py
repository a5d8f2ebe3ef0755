"""How a message is written: compiled once, then a lookup and a join for each recipient (DESIGN 4.3).

RFC 5322, RFC 2045, RFC 2046, RFC 2369 (List-Unsubscribe), RFC 8058 (one-click), RFC 8098 (Disposition-Notification-To).
"""

import re
from collections.abc import Collection, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from postroom.errors import BadTemplate, InputError
from postroom.mail import header
from postroom.mail.address import parse
from postroom.mail.body import BOUNDARY_BYTES, Body, encode, is_calm
from postroom.mail.fields import OTHER_KEYS, UNSUBSCRIBE_LINK
from postroom.mail.frame import AttachmentFile, Frame
from postroom.mail.html import inline_css, to_text
from postroom.mail.markup import too_deep
from postroom.mail.template import Compiled, compile_text, escape_html, literal_text, missing_value

_PLAIN = re.compile(r"[!-;=?-~]+").fullmatch
_OURS = frozenset(
    {"from", "to", "cc", "bcc", "sender", "subject", "date", "message-id", "mime-version", "reply-to"}
    | {"x-postroom-id", "list-unsubscribe", "list-unsubscribe-post", "list-id", "return-path"}
    | {"disposition-notification-to"}
)


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A display name ("" = none) and an address."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Content:
    """What all recipients of a message have in common.

    subject, html, text:      Liquid sources; html or text may be "" (the text is then made from the html).
    reply_to:                 None writes no Reply-To.
    receipt_read:             ask for a read receipt, to go to the envelope sender (RC-02).
    list_unsubscribe_mailto:  List-Unsubscribe with the recipient's `unsubscribe_address`.
    unsubscribe_url:          pattern with {token}, "" = none; a recipient's own `unsubscribe_url` goes before it.
    unsubscribe_url_in_header: False: the link is for the body only (RFC 8058 asks for https and DKIM).
    with_one_click:           List-Unsubscribe-Post beside the URL (RFC 8058); the caller knows whether it is allowed.
    eight_bit_allowed:        the server lists 8BITMIME; else bodies are 7-bit safe.
    message_id_domain:        right side of Message-ID.
    list_id:                  List-Id (RFC 2919) without brackets, "" = none.
    extra_headers:            (name, value), written as given, folded and encoded.
    constants:                fields with the same value for everybody: sender.*, workspace.*, date.*.
    literal:                  subject, html and text are no templates: they are written as they are.
    header_to, header_cc:     the whole To: and Cc:; without header_to a copy's To: is its recipient.
    in_reply_to, references:  message ids in angle brackets (RFC 5322 section 3.6.4).
    empty_values:             True: a field that is empty and has no fallback is left out; False: MissingValue.
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
    unsubscribe_url_in_header: bool = True
    with_one_click: bool = False
    eight_bit_allowed: bool = True
    list_id: str = ""
    extra_headers: tuple[tuple[str, str], ...] = ()
    constants: Mapping[str, str] = field(default_factory=dict)
    empty_values: bool = False
    literal: bool = False
    header_to: tuple[Mailbox, ...] = ()
    header_cc: tuple[Mailbox, ...] = ()
    in_reply_to: str = ""
    references: tuple[str, ...] = ()


@dataclass(slots=True)  # not frozen: that would cost a tenth of a rendering
class RecipientValues:
    """What makes one copy different.

    address, display_name: the To: header.
    fields:                values of CompiledMessage.fields by key, as frozen in the delivery.
    token:                 goes into Message-ID, X-Postroom-Id and the URL pattern.
    mail_from:             envelope sender, where read receipts go; "" asks for none.
    unsubscribe_address:   mailto: of List-Unsubscribe, with "?subject=..." if another than "unsubscribe" is wanted;
                           "" = none.
    unsubscribe_url:       URL of List-Unsubscribe; "" = the pattern of the content. The field links.unsubscribe is
                           this URL, or a mailto: link when there is none.
    header_from:           From: of this copy alone; None = as of all. An empty name or address is that of all.
    """

    address: str
    token: str
    fields: Mapping[str, object] = field(default_factory=dict)
    display_name: str = ""
    mail_from: str = ""
    unsubscribe_address: str = ""
    unsubscribe_url: str = ""
    header_from: Mailbox | None = None


@dataclass(slots=True)  # not frozen: as above
class Rendered:
    """One copy, ready for a Parcel.

    segments:  CRLF line ends, not dot-stuffed, the last one ends with CRLF; common ones are the same object every time.
    size:      bytes of all segments.
    eight_bit: there are bytes above 127.
    stuffed:   no line begins with a dot, not even across segments: nothing to stuff.
    """

    segments: tuple[bytes, ...]
    size: int
    eight_bit: bool
    stuffed: bool


class CompiledMessage:
    """A message without its recipient.

    fields:       the contact fields it uses, to be frozen in delivery.fields.
    has_fallback: field (any) -> every place that writes it out has a fallback.
    """

    def __init__(self, content: Content, subject: Compiled, bodies: Sequence[Body], date: datetime) -> None:
        used = subject.fields.union(*(body.compiled.fields for body in bodies))
        self.fields = used - OTHER_KEYS
        self.has_fallback = {
            key: all(
                part.has_fallback.get(key, True) for part in (subject, *(body.compiled for body in bodies))
            )
            for key in used
        }
        self._content = content
        self._id_domain = parse(f"x@{content.message_id_domain}").domain
        self._subject = subject
        self._subject_line = "" if subject.fields else header.unstructured("Subject", subject.render({}))
        self._subject_alone = not subject.fields & OTHER_KEYS
        self._bodies = tuple(bodies)
        self._quick = all(body.quick for body in bodies)
        self._room = min((body.room for body in bodies), default=0)
        self._calm = all(body.calm for body in bodies)
        self._keys = tuple({key for body in bodies for _, key, _ in body.slots})
        self._frame = Frame(
            content.attachments, tuple("html" if body.html else "plain" for body in bodies), used
        )
        self._from_line = header.mailboxes("From", [(content.header_from.name, content.header_from.address)])
        self._to_lines = _people_lines(content)
        self._date_line = header.date("Date", date)
        self._common_lines = _common_lines(content)

    def render(self, recipient: RecipientValues, *, general: bool = False) -> Rendered:
        """The copy for one recipient.

        general: take the general way even where the quick one would do; the bytes are the same.
        Raises MissingValue, BadAddress, InputError, BadTemplate (a limit of the template language).
        """
        url = recipient.unsubscribe_url or self._content.unsubscribe_url.replace("{token}", recipient.token)
        mailto = self._mailto(recipient)
        link = url or mailto
        quick = self._quick_bodies(recipient.fields, link) if self._quick and not general else None
        bodies, calm = quick or (self._general_bodies(recipient.fields, link, general), False)
        opening, between, closing = self._frame.around(tuple([encoding for encoding, _ in bodies]))
        segments = [self._head(recipient, url, mailto, general).encode(), opening, bodies[0][1]]
        for separator, (_, body) in zip(between, bodies[1:], strict=True):
            segments += (separator, body)
        segments.append(closing)
        own = b"".join(segments)
        attached = self._frame.attached
        return Rendered(
            segments=(own, attached) if attached else (own,),
            size=len(own) + len(attached),
            eight_bit=not own.isascii(),
            stuffed=calm or b"\r\n." not in own,
        )

    def dated(self, date: datetime) -> "CompiledMessage":
        """The same message with another Date:; cheap, shares everything else."""
        other = copy(self)
        other._date_line = header.date("Date", date)
        return other

    def _values(self, fields: Mapping[str, object], link: str) -> dict[str, object]:
        return {**fields, **self._content.constants, UNSUBSCRIBE_LINK: link}

    def _general_bodies(
        self, fields: Mapping[str, object], link: str, general: bool
    ) -> list[tuple[str, bytes]]:
        values = self._values(fields, link)
        return [
            encode(
                body.text(values, empty_values=self._content.empty_values, general=general),
                eight_bit_allowed=self._content.eight_bit_allowed,
            )
            for body in self._bodies
        ]

    def _quick_bodies(
        self, fields: Mapping[str, object], link: str
    ) -> tuple[list[tuple[str, bytes]], bool] | None:
        """Encoded pieces joined, and whether no line can begin with a dot (so that it need not be looked for).

        None when a value needs the general way (line break, too long, not text).
        """
        plain: dict[str, bytes | None] = {}
        escaped: dict[str, bytes | None] = {}
        calm = self._calm
        for key in self._keys:
            value = link if key == UNSUBSCRIBE_LINK else fields.get(key)
            if value is None or value == "":
                plain[key] = escaped[key] = None
                continue
            if type(value) is not str or not value.isprintable():
                return None
            if value.isspace():
                plain[key] = escaped[key] = None
                continue
            calm = calm and is_calm(value)
            in_html = escape_html(value)
            plain[key] = raw = value.encode()
            escaped[key] = marked = raw if in_html is value else in_html.encode()
            if len(marked) > self._room:
                return None
        return self._joined(plain, escaped, calm)

    def _joined(
        self, plain: Mapping[str, bytes | None], escaped: Mapping[str, bytes | None], calm: bool
    ) -> tuple[list[tuple[str, bytes]], bool]:
        finished: list[tuple[str, bytes]] = []
        for body in self._bodies:
            pieces = body.pieces.copy()
            given = escaped if body.html else plain
            for at, key, fallback in body.slots:
                piece = given[key]
                if piece is None:
                    if fallback is None and not self._content.empty_values:
                        raise missing_value(key)
                    piece = fallback or b""
                pieces[at] = piece
            joined = b"".join(pieces)
            ascii_only = joined.isascii()
            if (not calm and BOUNDARY_BYTES in joined) or not (ascii_only or self._content.eight_bit_allowed):
                finished.append(encode(joined, eight_bit_allowed=self._content.eight_bit_allowed))
                calm = False
            else:
                finished.append(("7bit" if ascii_only else "8bit", joined))
        return finished, calm

    def _head(self, recipient: RecipientValues, url: str, mailto: str, general: bool) -> str:
        """All header lines but those of the content, which the frame writes."""
        content = self._content
        token = _checked(recipient.token, "token")
        subject = self._subject_line
        if not subject:
            render = self._subject.render_general if general else self._subject.render
            values = recipient.fields
            if not self._subject_alone:
                values = self._values(values, url or mailto)
            subject = header.unstructured("Subject", render(values, empty_values=content.empty_values))
        to = self._to_lines or header.mailbox("To", recipient.display_name, recipient.address)
        return (
            f"{self._from(recipient.header_from)}{to}{subject}"
            f"{self._date_line}Message-ID: <{token}.m@{self._id_domain}>\r\n"
            f"X-Postroom-Id: {token}\r\n"
            f"{self._unsubscribe_lines(url if content.unsubscribe_url_in_header else '', mailto)}"
            f"{self._receipt_line(recipient.mail_from)}{self._common_lines}"
        )

    def _from(self, own: Mailbox | None) -> str:
        if own is None:
            return self._from_line
        common = self._content.header_from
        return header.mailboxes("From", [(own.name or common.name, own.address or common.address)])

    def _mailto(self, recipient: RecipientValues) -> str:
        address = recipient.unsubscribe_address if self._content.list_unsubscribe_mailto else ""
        if not address:
            return ""
        subject = "" if "?" in address else "?subject=unsubscribe"
        return f"mailto:{_checked(address, 'unsubscribe_address')}{subject}"

    def _unsubscribe_lines(self, url: str, mailto: str) -> str:
        """RFC 2369 section 3.2, RFC 8058 section 3.1."""
        if not url:
            return f"List-Unsubscribe: <{mailto}>\r\n" if mailto else ""
        place = f"<{_checked(url, 'unsubscribe_url')}>"
        post = "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" if self._content.with_one_click else ""
        if mailto:
            return f"List-Unsubscribe: <{mailto}>,\r\n {place}\r\n{post}"
        return f"List-Unsubscribe: {place}\r\n{post}"

    def missing(self, fields: Mapping[str, object]) -> list[str]:
        """The contact fields this contact has no value for and the message no fallback (for the preview)."""
        return sorted(
            key
            for key in self.fields
            if not self.has_fallback[key] and (fields.get(key) is None or not str(fields[key]).strip())
        )

    def _receipt_line(self, mail_from: str) -> str:
        """RFC 8098 section 2.1: one address, the same as the envelope sender's."""
        if not self._content.receipt_read or not mail_from:
            return ""
        return header.mailbox("Disposition-Notification-To", "", mail_from)


def compile_message(content: Content, known_fields: Collection[str], *, date: datetime) -> CompiledMessage:
    """Read the templates and encode what is common.

    known_fields: keys of contact fields that exist; the special fields of mail/fields.py are known anyway.
    date:         aware; the Date: header.
    Raises BadTemplate (unknown field, syntax; `field` says where: subject, html, text), BadAddress, InputError.
    """
    subject, text, html = _texts(
        content.subject, content.html, content.text, content.literal, frozenset(known_fields)
    )
    bodies = [Body(one, content.constants) for one in (text, html) if one is not None]
    return CompiledMessage(content, subject, bodies, date)


@lru_cache(maxsize=4)  # a page asks for the same several times: what is amiss, which fields, how it looks
def _texts(
    subject: str, html: str, text: str, literal: bool, known_fields: frozenset[str]
) -> tuple[Compiled, Compiled | None, Compiled | None]:
    """Subject, plain text and page, read; None = there is no such part."""
    if too_deep(html):
        raise BadTemplate("The page is too long or nested too deeply.", field="html")

    def read(place: str, source: str, is_html: bool) -> Compiled:
        if literal:
            return literal_text(source, html=is_html)
        return _compile(place, source, is_html, known_fields)

    line = read("subject", subject, False)
    plain = text if text.strip() or not html.strip() else to_text(html)
    has_plain = bool(plain.strip()) or not html.strip()
    return (
        line,
        read("text", _ended(plain), False) if has_plain else None,
        read("html", _ended(inline_css(html)), True) if html.strip() else None,
    )


def _compile(place: str, source: str, html: bool, known_fields: Collection[str]) -> Compiled:
    try:
        return compile_text(source, html=html, known_fields=known_fields)
    except BadTemplate as error:
        raise BadTemplate(error.message, code=error.code, field=place, details=error.details) from None


def _ended(source: str) -> str:
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    return source if source.endswith("\n") else source + "\n"


def _checked(value: str, what: str) -> str:
    """An id, address or URL of ours: printable ASCII without blanks and angle brackets, and no longer than a line."""
    if not _PLAIN(value) or len(value) > 900:
        raise InputError(f"The {what} cannot be written into a header.", field=what)
    return value


def _people_lines(content: Content) -> str:
    lines = ""
    for name, boxes in (("To", content.header_to), ("Cc", content.header_cc)):
        if boxes:
            lines += header.mailboxes(name, [(box.name, box.address) for box in boxes])
    return lines


def _common_lines(content: Content) -> str:
    lines = ""
    if content.reply_to is not None:
        lines += header.mailboxes("Reply-To", [(content.reply_to.name, content.reply_to.address)])
    if content.in_reply_to:
        lines += header.structured("In-Reply-To", [content.in_reply_to])
    if content.references:
        lines += header.structured("References", content.references, "")
    if content.list_id:
        lines += header.structured("List-Id", [f"<{_checked(content.list_id, 'list_id')}>"])
    for name, value in content.extra_headers:
        if name.lower() in _OURS or name.lower().startswith(("content-", "resent-")):
            raise InputError(f"The header {name} is written by Postroom itself.", field="extra_headers")
        lines += header.unstructured(name, value)
    return lines
