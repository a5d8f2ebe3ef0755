"""Amazon SES notices that came as mail: JSON in a text part, for bounces, complaints and deliveries."""

import json
from typing import Any

from postroom.mail.finding import Finding, code_in, status_in, step_in, tidy
from postroom.mail.report import Kind

_KINDS = {"bounce": Kind.FAILURE, "complaint": Kind.COMPLAINT, "delivery": Kind.DELIVERED}


def parse(text: str) -> tuple[Kind, list[Finding], str] | None:
    """(kind, findings, Message-ID) of a notice, None when the text is none."""
    start = text.find("{")
    if start < 0 or ("otificationType" not in text and "eventType" not in text):
        return None
    notice = _object(text[start:])
    if "Message" in notice:
        notice = _object(str(notice["Message"]))
    kind = _KINDS.get(str(notice.get("notificationType") or notice.get("eventType")).lower())
    if kind is None:
        return None
    name = {Kind.FAILURE: "bounce", Kind.COMPLAINT: "complaint", Kind.DELIVERED: "delivery"}[kind]
    what = notice.get(name)
    if not isinstance(what, dict):
        return None
    people = what.get("bouncedRecipients") or what.get("complainedRecipients") or what.get("recipients")
    found = [_finding(one, what) for one in people[:200]] if isinstance(people, list) else []
    mail = notice.get("mail")
    common = mail.get("commonHeaders") if isinstance(mail, dict) else None
    message_id = str(common.get("messageId", "")) if isinstance(common, dict) else ""
    for one in found:
        one.action = {Kind.FAILURE: one.action or "failed", Kind.DELIVERED: "delivered"}.get(kind, "")
    return kind, found, message_id


def _object(text: str) -> dict[str, Any]:
    try:
        value, _ = json.JSONDecoder(strict=False).raw_decode(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _finding(one: object, what: dict[str, Any]) -> Finding:
    if not isinstance(one, dict):
        words = str(what.get("smtpResponse", ""))
        return Finding(tidy(str(one)), status=status_in(words), code=code_in(words), words=words)
    words = str(one.get("diagnosticCode", "")).partition(";")[2].strip() or str(one.get("diagnosticCode", ""))
    return Finding(
        recipient=tidy(str(one.get("emailAddress", ""))),
        action=str(one.get("action", "")),
        status=status_in(str(one.get("status", ""))) or status_in(words),
        code=code_in(words),
        words=words,
        step=step_in(words),
        context=f"{what.get('bounceType', '')} {what.get('bounceSubType', '')}",
    )
