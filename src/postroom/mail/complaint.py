"""Complaints: feedback reports, RFC 5965, and Microsoft's older form."""

from postroom.mail.finding import addresses_in, tidy
from postroom.mail.mime import Part, header_block
from postroom.mail.report import BounceClass, Report

TYPES = ("message/feedback-report",)
_IN_COPY = ("x-hmxmroriginalrecipient", "x-original-to", "delivered-to", "to")


def recipients(part: Part | None, returned: list[dict[str, list[str]]]) -> list[str]:
    """Who complained, as far as the report tells; many reporters black it out."""
    fields: dict[str, list[str]] = {}
    if part is not None:
        for block in part.text.split("\n\n")[:8]:
            for name, values in header_block(block).items():
                fields.setdefault(name, []).extend(values)
    named = [address for value in fields.get("original-rcpt-to", []) if (address := tidy(value))]
    for headers in returned:
        for name in _IN_COPY:
            if not named:
                named = addresses_in(" ".join(headers.get(name, [])))
    if not named:
        named = [address for value in fields.get("removal-recipient", []) if (address := tidy(value))]
    return list(dict.fromkeys(named))[:200]


def report(recipient: str, message_id: str) -> Report:
    return Report(recipient, "", "", "", "feedback", BounceClass.NONE, False, message_id, "", "")
