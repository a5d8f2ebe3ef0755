"""Answers written by a program: vacation notes and other autoresponders. RFC 3834, and what does not follow it."""

import re

from postroom.mail import evidence
from postroom.mail.mime import Part

#: Headers that only autoresponders write. X-Auto-Response-Suppress is none of them: people's mail carries it.
_HEADERS = (
    "x-autoreply",
    "x-autorespond",
    "x-autoresponder",
    "x-auto-reply",
    "x-auto-response",
    "x-autoreply-from",
    "x-mail-autoreply",
    "x-vacation",
    "x-ms-exchange-generated-message-source",
)
_PRECEDENCE = ("auto_reply", "auto-reply", "autoreply")
_QUIET = ("junk", "bulk")
_SUBJECT = re.compile(
    r"(?i)^\W{0,4}(?:(?:re|odp|sv|aw)\s*:\s*)?\W{0,3}(?:"
    r"auto(?:matic|mated|matyczna)?[- ]?(?:reply|response|respons|answer|odpowiedź|odpowiedz|responder)"
    r"|automat(?:yczna|yczny|ische|ická|ická|isches|isk|icky)\b.{0,12}(?:odpow|antwort|odpověď|svar)"
    r"|odpowiedź automatyczna|odpowiedz automatyczna|autoodpowied|autoresponder|automatisk(?:t)? svar"
    r"|automatisch antwoord|automatische antwort|abwesenheit|out of (?:the )?office|out of office|ooo\b|oof\b"
    r"|away (?:from|until|till)|on (?:vacation|holiday|leave)|vacation (?:reply|message|notice|autoreply)|i am away"
    r"|i'm away|absence du bureau|réponse automatique|reponse automatique|absence\b|respuesta automática"
    r"|fuera de la oficina|risposta automatica|resposta automática|automatická odpověď|nepřítomnost"
    r"|mimo kancelář|nieobecno|poza biurem|urlop\b|автоматич\w{0,6} отговор|автоматич\w{0,6} ответ|автоответ"
    r"|автоотговор|извън офиса|отпуск|otomatik|自動返信|自动回复|不在"
    r")"
)


def is_autoreply(message: Part, subject: str) -> bool:
    """Whether a program answered. `Precedence: list` is no sign of it, bulk or junk only beside a known subject."""
    headers = message.headers
    word = message.header("auto-submitted").strip().lower()
    named = _SUBJECT.search(subject[:300]) is not None
    if word.startswith("auto-replied") or any(name in headers for name in _HEADERS):
        return True
    if message.header("x-apple-action").strip().upper().startswith(("OOF", "VACATION")):
        return True
    precedence = message.header("precedence").strip().lower()
    if precedence in _PRECEDENCE:
        return True
    if not named:
        return False
    return (
        precedence in _QUIET
        or word.startswith("auto")
        or evidence.from_nobody(message)
        or "x-ms-exchange-inbox-rules-loop" in headers
        or "list-id" not in headers
    )
