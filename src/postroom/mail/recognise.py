"""What is this message that came in? The one entry point for returned mail, receipts and answers."""

from collections.abc import Callable

from postroom.mail import freetext, mime
from postroom.mail.bounce import BounceClass, bounce_class, classify_reply, is_permanent, reason_of
from postroom.mail.dsn import TYPES, parse
from postroom.mail.finding import Finding, addresses_in, tidy
from postroom.mail.report import Kind, Recognised, Report

__all__ = ["BounceClass", "Kind", "Recognised", "Report", "classify_reply", "recognise"]


def recognise(raw: bytes, *, our_message_ids: Callable[[str], bool] | None = None) -> Recognised:
    message = mime.read(raw)
    texts = [p.text for p in message.parts if p.content_type in ("text/plain", "text/x-preamble")]
    if not texts:
        texts = [mime.html_text(p.text) for p in message.parts if p.content_type == "text/html"]
    human, copy = freetext.split_copy("\n\n".join(texts))
    fs = [f for p in message.parts if p.content_type in TYPES for f in parse(p.text).findings]
    if not fs and "final-recipient" in human.lower(): fs = parse(human).findings
    failed = [tidy(a) for v in message.headers.get("x-failed-recipients", []) for a in v.split(",")]
    failed=[a for a in failed if a]
    senders = frozenset(addresses_in(message.header("to")+" "+message.header("from")))
    if not fs:
        fs = freetext.findings(human, senders=senders)
        if failed:
            d = {f.recipient: f for f in fs}
            fs = [d.get(a) or Finding(recipient=a, words="", context=human) for a in failed]
    reports=[]
    for i,f in enumerate(fs):
        if not f.recipient and i < len(failed): f.recipient = failed[i]
        if not f.recipient: f.recipient = next(iter(addresses_in(human)), "")
        if f.words: 
            pass
        if not f.step:
            from postroom.mail.finding import step_in
            f.step = step_in(freetext.around(human, f.recipient)) or (step_in(human))
        if len(f.context) < 20: f.context = f.context + "\n" + (freetext.around(human, f.recipient) or human)
        r = reason_of(f); p = is_permanent(r, f)
        reports.append(Report(f.recipient,f.action,f.status,f.code,r,bounce_class(r,permanent=p),p,"","",f.words))
    return Recognised(Kind.FAILURE, tuple(reports))
