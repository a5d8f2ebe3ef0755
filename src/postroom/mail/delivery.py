"""From a delivery report in any form to one `Report` a recipient. RFC 3464, and what came before it."""

import re

from postroom.mail import dsn, evidence, freetext
from postroom.mail.autoreply import is_autoreply
from postroom.mail.bounce import REASONS, bounce_class, is_permanent, reason_of
from postroom.mail.finding import Finding, addresses_in, code_in, said_in, status_in, step_in, tidy
from postroom.mail.mime import Part
from postroom.mail.report import Kind, Report

#: Several actions in one mail: the first of these names the kind.
_KINDS = (
    ("failed", Kind.FAILURE),
    ("delayed", Kind.DELAYED),
    ("expanded", Kind.EXPANDED),
    ("relayed", Kind.RELAYED),
    ("delivered", Kind.DELIVERED),
)

#: Reasons that are more than a guess.
_NAMED = frozenset(REASONS) - {"undefined", "onhold", "delivered"}
#: The first line of a reply of several; Sendmail's fields hold no more than that.
_UNFINISHED = re.compile(r"[45]\d\d-")


def find(
    message: Part, subject: str, text: str, returned: list[dict[str, list[str]]]
) -> tuple[list[Finding], dsn.Dsn]:
    """(what `message` says of delivery, the fields it has); ([], nothing) when it is no delivery report.

    text: what the mail itself says; returned: headers of the messages it gives back.
    """
    parts = [part for part in message.parts if part.content_type in dsn.TYPES]
    report = message.content_type == "multipart/report"
    failed = _failed_recipients(message)
    if parts and not report and not evidence.by_machine(message, subject):
        return [], dsn.Dsn()
    free_text = not parts and not failed
    if free_text and not evidence.about_delivery(message, subject, text):
        return [], dsn.Dsn()
    notice = dsn.parse("\n\n".join(part.text for part in parts))
    if not notice.findings and dsn.looks_like_fields(text):
        notice = dsn.parse(text)
    senders = frozenset(addresses_in(f"{message.header('to')} {message.header('from')}"))
    found = notice.findings or freetext.findings(text, senders=senders)
    if failed:
        found = _for_these(found, failed, text)
    blocks = freetext.blocks(text)
    for one in found:
        _complete(one, len(found) == 1, text, blocks, returned)
    if not found:
        found = _from_copy(text, returned)
    action = "delayed" if evidence.about_delay(subject, text) else "failed"
    vague = free_text and evidence.is_vague(message, subject)
    if vague and (is_autoreply(message, subject) or not any(reason_of(one) in _NAMED for one in found)):
        return [], dsn.Dsn()
    for one in found:
        one.action = one.action or ("delivered" if one.status.startswith("2") else action)
    return found, notice


def kind_of(found: list[Finding]) -> Kind:
    actions = {one.action for one in found}
    return next((kind for action, kind in _KINDS if action in actions), Kind.FAILURE)


def report(one: Finding, message_id: str, envid: str) -> Report:
    """The finding with its reason. A delayed message is nothing final, whatever the words are."""
    if one.action in ("delivered", "relayed", "expanded"):
        reason, permanent = "delivered", False
    else:
        reason = reason_of(one)
        permanent = one.action == "failed" and is_permanent(reason, one)
    return Report(
        recipient=one.recipient,
        action=one.action,
        status=one.status,
        smtp_code=one.code,
        reason=reason,
        bounce_class=bounce_class(reason, permanent=permanent),
        permanent=permanent,
        message_id=message_id,
        envelope_id=envid,
        words=""
        if one.words.strip(" <>:*\n\t").lower() == one.recipient.lower()
        else " ".join(one.words.split())[:1000],
    )


def _failed_recipients(message: Part) -> list[str]:
    values = ",".join(message.headers.get("x-failed-recipients", []))
    return [address for value in values.split(",")[:200] if (address := tidy(value))]


def _for_these(found: list[Finding], failed: list[str], text: str) -> list[Finding]:
    """X-Failed-Recipients says for sure who; `found` says why."""
    by_address = {one.recipient: one for one in found}
    if not any(address in by_address for address in failed) and len(found) == len(failed):
        for one, address in zip(found, failed, strict=True):
            one.recipient = address
        return found
    chosen = []
    for address in failed:
        words = said_in(text)
        chosen.append(
            by_address.get(address)
            or Finding(address, status=status_in(words), code=code_in(words), words=words, context=text)
        )
    return chosen


def _complete(
    one: Finding, alone: bool, text: str, blocks: dict[str, str], returned: list[dict[str, list[str]]]
) -> None:
    """Fills in what the fields left out from the text beside them. alone: nobody else is spoken of."""
    if not one.recipient and alone:
        named = freetext.findings(text, senders=frozenset())
        one.recipient = named[0].recipient if named else _to(returned)
    block = blocks.get(one.recipient, "")
    whole = text if alone else ""
    around = block or whole
    rejected = whole.partition("was automatically rejected:")[2]
    if rejected:
        # Dovecot: the recipient's own rule or quota refused it, whatever code it travels with.
        one.words = f"{rejected[:300].strip().partition(chr(10))[0]} {one.words}"
    if not one.step:
        one.step = step_in(block) or step_in(whole)
    if not one.step and "address couldn't be found" in whole:
        one.step = "RCPT"
    if _UNFINISHED.match(one.words) and (reply := said_in(around)).startswith(one.words[:3]):
        one.words = reply
    if not one.words:
        one.words = said_in(around)
        one.status = one.status if one.status[1:] not in ("", ".0.0") else status_in(one.words) or one.status
        one.code = one.code or code_in(one.words)
    # Fields with the server's words need no guessing from the text around them.
    beside = around if one.words and one.host else whole or around
    one.context = f"{one.context}\n{beside}".strip()


def _to(returned: list[dict[str, list[str]]]) -> str:
    for headers in returned:
        for name in ("x-original-to", "delivered-to", "to", "cc"):
            named = addresses_in(" ".join(headers.get(name, [])))
            if named:
                return named[0]
    return ""


def _from_copy(text: str, returned: list[dict[str, list[str]]]) -> list[Finding]:
    """Nobody is named: the message was to somebody all the same."""
    recipient = _to(returned)
    words = said_in(text)
    return [Finding(recipient, status=status_in(words), code=code_in(words), words=words, context=text)]
