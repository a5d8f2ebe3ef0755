"""Answers written by a program: vacation notes and other autoresponders. RFC 3834, and what does not follow it."""

import re

from postroom.mail import evidence
from postroom.mail.mime import Part

#: Headers that only autoresponders write. X-Auto-Response-Suppress is none of them: people's mail carries it.
_HEADERS = frozenset((
    "x-autoreply",
    "x-autorespond",
    "x-autoresponder",
    "x-auto-reply",
    "x-auto-response",
    "x-autoreply-from",
    "x-mail-autoreply",
    "x-vacation",
    "x-ms-exchange-generated-message-source",
))  # fmt: skip
_PRECEDENCE = ("auto_reply", "auto-reply", "autoreply")
_QUIET = ("junk", "bulk")
#: What programs call their answers, before a colon, in brackets or as the whole subject.
_NAMED = re.compile(
    r"(?i)\W{0,4}(?:(?:re|odp|sv|aw)\s*:\s*)?\W{0,3}(?:"
    r"auto(?:matic|mated|matyczna)?[- ]?(?:reply|response|respons|answer|odpowiedź|odpowiedz|responder)"
    r"|(?:automatyczna|automatická|automatische|automatisk|automatisch|automaticka)t? "
    r"(?:odpowiedź|odpowiedz|odpověď|odpoved|antwort|svar|antwoord)"
    r"|odpowiedź automatyczna|odpowiedz automatyczna|autoodpowiedź|autoodpowiedz|autoresponder"
    r"|abwesenheitsnotiz|abwesenheit|out of (?:the )?office(?: (?:auto ?reply|notification|message|reply))?|ooo"
    r"|vacation (?:reply|message|notice|autoreply)|message d'absence|réponse automatique|reponse automatique"
    r"|absence du bureau|respuesta automática|fuera de la oficina|risposta automatica|resposta automática"
    r"|nieobecność|poza biurem|nepřítomnost|mimo kancelář"
    r"|автоматичен отговор|автоматический ответ|автоответ|автоотговор|извън офиса|自動返信|自动回复"
    r")\s{0,3}(?:$|[:\]()!.,–—-])"
)
#: Words that people use as well: believed only beside another sign.
_AWAY = re.compile(
    r"(?i)\W{0,4}(?:(?:re|odp|sv|aw)\s*:\s*)?(?:away\b|out of (?:the )?office|on (?:vacation|holiday|leave)|i'm away"
    r"|i am away|vacation|absence|urlop|nieobecn|poza biurem|dovolená|отпуск|auto)"
)


def is_autoreply(message: Part, subject: str) -> bool:
    """Whether a program answered. `Precedence: list` is no sign of it, bulk or junk only beside a known subject."""
    headers = message.headers
    word = message.header("auto-submitted").strip().lower()
    if word.startswith("auto-replied") or not _HEADERS.isdisjoint(headers):
        return True
    if message.header("x-apple-action").strip().upper().startswith(("OOF", "VACATION")):
        return True
    precedence = message.header("precedence").strip().lower()
    if precedence in _PRECEDENCE:
        return True
    if _NAMED.match(subject[:300]) and "list-id" not in headers:
        return True
    if not _AWAY.match(subject[:300]):
        return False
    beside = precedence in _QUIET or word.startswith("auto") or evidence.from_nobody(message)
    return beside or "x-ms-exchange-inbox-rules-loop" in headers
