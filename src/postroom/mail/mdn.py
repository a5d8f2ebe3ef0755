"""Receipts: message disposition notifications, RFC 8098 (and RFC 2298, RFC 6533)."""

from dataclasses import dataclass

from postroom.mail.mime import Part, header_block
from postroom.mail.report import Kind

TYPES = ("message/disposition-notification", "message/global-disposition-notification")


@dataclass(frozen=True, slots=True)
class Mdn:
    """`disposition` as written, modifiers included; addresses and ids tidied by the caller."""

    kind: Kind
    disposition: str
    original_message_id: str
    recipient: str
    envelope_id: str
    words: str


def parse(part: Part) -> Mdn:
    """The fields of a disposition-notification part. Unknown words count as handled by a program."""
    text = part.text.lstrip("\n")
    fields: dict[str, str] = {}
    for block in text.split("\n\n")[:4]:
        for name, values in header_block(block).items():
            fields.setdefault(name, values[0])
    disposition = " ".join(fields.get("disposition", "").split())
    word = disposition.rpartition(";")[2].partition("/")[0].strip().lower()
    kind = {"displayed": Kind.READ, "read": Kind.READ, "deleted": Kind.DELETED}.get(word, Kind.AUTO_REPLY)
    return Mdn(
        kind=kind,
        disposition=disposition,
        original_message_id=fields.get("original-message-id", ""),
        recipient=fields.get("original-recipient", "") or fields.get("final-recipient", ""),
        envelope_id=fields.get("original-envelope-id", ""),
        words=fields.get("error", "") or fields.get("failure", "") or fields.get("warning", ""),
    )
