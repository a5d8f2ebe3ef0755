"""What is this message that came in? The one entry point for returned mail, receipts and answers.

RFC 3464, RFC 8098, RFC 5965, RFC 3834, and the many forms that follow none of them.
"""

import re
from collections.abc import Callable
from dataclasses import replace

from postroom.mail import autoreply, complaint, delivery, evidence, freetext, mdn, mime, receipt, request, ses
from postroom.mail.bounce import BounceClass, classify_reply
from postroom.mail.finding import Finding, addresses_in, tidy
from postroom.mail.mime import Part
from postroom.mail.report import Kind, Recognised, Report

__all__ = ["BounceClass", "Kind", "Recognised", "Report", "classify_reply", "recognise"]

_ID = re.compile(r"<([^<>\s@]{1,250}@[^<>\s@]{1,250})>")
_TEXT_ID = re.compile(r"(?i)message-?id[: <]{1,4}([^<>\s@\"']{1,200}@[^<>\s@\"']{1,200})")
_REACHED = ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to")
_COPIES = ("text/plain", "text/x-preamble")


def recognise(
    raw: bytes, *, our_message_ids: Callable[[str], bool] | None = None, message: Part | None = None
) -> Recognised:
    """Say what `raw` is. Never raises, whatever the bytes; unclear mail is `Kind.OTHER`.

    our_message_ids: is this Message-ID (without brackets) one we sent? Without it no free-text
    receipt is believed. message: `raw` taken apart already, where it is no larger than a report is looked at.
    """
    try:
        return read(raw, our_message_ids=our_message_ids, message=message)
    except Exception:  # A mail nobody can read is still a mail: it waits for a person as what it is.
        return Recognised(Kind.OTHER)


def read(
    raw: bytes,
    *,
    our_message_ids: Callable[[str], bool] | None = None,
    message: Part | None = None,
    depth: int = 0,
) -> Recognised:
    """`recognise` without its net; the tests hold it to never raising as well."""
    message = message or mime.read(raw)
    subject = " ".join(mime.words(message.header("subject")).split())[:1000]
    text, copy = freetext.split_copy(_own_text(message))
    returned = [headers for part in message.parts if (headers := mime.returned_headers(part))]
    if copy and (headers := freetext.copied_headers(copy)):
        returned.append(headers)
    base = _base(message, subject, text, returned)

    if (found := _delivery(message, subject, text, returned, base)) is not None:
        if depth == 0 and not any(one.recipient and one.reason != "undefined" for one in found.reports):
            found = _inner(message, our_message_ids) or found
        return found
    receipts = [part for part in message.parts if part.content_type in mdn.TYPES]
    if receipts:
        return _receipt(receipts[0], base)
    if (found := _complaint(message, returned, base)) is not None:
        return found
    if (wanted := request.kind_of(subject, base.to)) is not None:
        return replace(base, kind=wanted)
    if autoreply.is_autoreply(message, subject):
        vacation = Report("", "", "", "", "vacation", BounceClass.NONE, False, _first(base), "", "")
        return replace(base, kind=Kind.AUTO_REPLY, reports=(vacation,), auto_submitted=True)
    if our_message_ids is not None and any(our_message_ids(one) for one in base.references[:50]):
        said = receipt.said(text)
        if said:
            kind = Kind.READ if said == "displayed" else Kind.DELETED
            return replace(base, kind=kind, heuristic=True, disposition=said)
    if base.references and not base.auto_submitted:
        return replace(base, kind=Kind.REPLY)
    return base


def _own_text(message: Part) -> str:
    texts = [part.text for part in message.parts if part.content_type in _COPIES]
    if not any(text.strip() for text in texts):
        texts = [part.plain for part in message.parts if part.content_type == "text/html"]
    return "\n\n".join(texts)[: mime.TEXT_LIMIT]


def _base(message: Part, subject: str, text: str, returned: list[dict[str, list[str]]]) -> Recognised:
    def ids(values: list[str]) -> list[str]:
        return [found for value in values for found in _ID.findall(value[:20000])]

    references = ids(message.headers.get("in-reply-to", [])) + ids(message.headers.get("references", []))
    back, x_ids = [], []
    for headers in returned:
        values = headers.get("message-id", [])
        back += ids(values) or [value.strip("<> ") for value in values if "@" in value]
        x_ids += [value.strip() for value in headers.get("x-postroom-id", []) if value.strip()]
    senders = addresses_in(mime.words(message.header("from"))) or addresses_in(message.header("from"))
    return Recognised(
        Kind.OTHER,
        returned_message_ids=tuple(dict.fromkeys(back)),
        x_ids=tuple(dict.fromkeys(x_ids)),
        references=tuple(dict.fromkeys(references)),
        text_message_ids=_text_ids(text),
        message_id=next(iter(ids(message.headers.get("message-id", []))), ""),
        subject=subject,
        from_address=senders[0] if senders else "",
        date=message.header("date"),
        to=tuple(addresses_in(" ".join(message.headers.get("to", []) + message.headers.get("cc", [])))),
        reached=tuple(
            addresses_in(" ".join(one for name in _REACHED for one in message.headers.get(name, [])))
        ),
        auto_submitted=evidence.is_automatic(message),
    )


def _text_ids(text: str) -> tuple[str, ...]:
    """Message-IDs that the text names. Few do, and to look for the word is quick."""
    if "message" not in text.lower():
        return ()
    return tuple(dict.fromkeys(_TEXT_ID.findall(text)))[:50]


def _delivery(
    message: Part, subject: str, text: str, returned: list[dict[str, list[str]]], base: Recognised
) -> Recognised | None:
    envid, message_id = "", _first(base)
    notice = ses.parse(text) if "otificationType" in text or "eventType" in text else None
    if notice is not None:
        kind, found, message_id = notice[0], notice[1], notice[2].strip("<>")
        if kind is Kind.COMPLAINT:
            reports = tuple(complaint.report(one.recipient, message_id) for one in found)
            return replace(
                base, kind=kind, reports=reports, returned_message_ids=(message_id,), auto_submitted=True
            )
        base = replace(base, returned_message_ids=(message_id,) if message_id else ())
    else:
        found, fields = delivery.find(message, subject, text, returned)
        envid = fields.envelope_id
        if named := _bare(fields.message_id):
            back = (named, *(one for one in base.returned_message_ids if one != named))
            base = replace(base, returned_message_ids=back)
            message_id = named
    if not found:
        return None
    reports = tuple(delivery.report(one, message_id, envid) for one in found)
    return replace(
        base,
        kind=delivery.kind_of(found),
        reports=reports,
        envelope_ids=(envid,) if envid else (),
        auto_submitted=True,
    )


def _inner(message: Part, ours: Callable[[str], bool] | None) -> Recognised | None:
    """A report that only wraps another one (some gateways do)."""
    for part in message.parts:
        if part.content_type == "message/rfc822":
            found = read(part.body, our_message_ids=ours, depth=1)
            if found.kind in (Kind.FAILURE, Kind.DELAYED, Kind.DELIVERED, Kind.RELAYED, Kind.EXPANDED):
                return found
    return None


def _receipt(part: Part, base: Recognised) -> Recognised:
    notice = mdn.parse(part)
    original = _bare(notice.original_message_id)
    one = Finding(recipient=tidy(notice.recipient), words=notice.words)
    report = Report(
        one.recipient,
        "",
        "",
        "",
        "",
        BounceClass.NONE,
        False,
        original or _first(base),
        notice.envelope_id,
        one.words,
    )
    return replace(
        base,
        kind=notice.kind,
        reports=(report,),
        envelope_ids=(notice.envelope_id,) if notice.envelope_id else (),
        original_message_id=original,
        disposition=notice.disposition,
        auto_submitted=True,
    )


def _complaint(message: Part, returned: list[dict[str, list[str]]], base: Recognised) -> Recognised | None:
    part = next((part for part in message.parts if part.content_type in complaint.TYPES), None)
    by_microsoft = any("x-hmxmroriginalrecipient" in headers for headers in returned)
    if part is None and not by_microsoft and message.params.get("report-type") != "feedback-report":
        return None
    people = complaint.recipients(part, returned) or [""]
    reports = tuple(complaint.report(recipient, _first(base)) for recipient in people)
    return replace(base, kind=Kind.COMPLAINT, reports=reports, auto_submitted=True)


def _bare(message_id: str) -> str:
    """A Message-ID without its brackets and what is written around them."""
    found = _ID.search(message_id)
    return found.group(1) if found else message_id.strip("<> ")


def _first(base: Recognised) -> str:
    """The Message-ID of the message spoken of, as far as the returned part or the headers tell."""
    return next(iter(base.returned_message_ids), "") or next(iter(base.references), "")
