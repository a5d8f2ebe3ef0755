"""Is this mail written by a machine about delivery, by a machine at all, or by a person? RFC 3834, RFC 5321."""

import re
from functools import lru_cache

from postroom.mail import mime
from postroom.mail.mime import Part

_DAEMON = re.compile(
    r"(?i)mailer[-_. ]?daemon|po?ost[-_. ]?master|mail delivery|maildelivery|mail administrator|mail system"
    r"|mail deliver system|delivery (?:sub)?system|delivery (?:notification|status)|system administrator"
    r"|microsoft ?exchange|mdaemon|daemon@|notification ?service|content-filter|mail-?gateway|poczty elektronicznej"
)
_NULL_PATHS = ("<>", "<null>", "null", "<mailer-daemon>", "mailer-daemon")
_SUBJECT = re.compile(
    r"(?i)failure notice|undeliver|un-deliver|non[- ]?deliver|returned (?:mail|e-?mail|message|to sender)"
    r"|(?:mail|message|e-?mail) (?:could not|was not|not|cannot) (?:be )?deliver"
    r"|delivery (?:status|failure|failed|report|has failed|problem|error|notification|notice|delay|unsuccess|incompl)"
    r"|mail (?:delivery|system|failure|status)|failure (?:delivery|notification)|message (?:delivery|delayed|status)"
    r"|could not (?:be )?(?:deliver|send)|couldn't be deliver|not be delivered|error sending|warning: |loop alert"
    r"|mail failure|bounced|rejected (?:mail|message)|returning message|message rejected|mail rejected|blocked mail"
    r"|considered (?:unsolicited|spam)|unzustellbar|nicht zugestellt|zustellung|fehlgeschlagen|niedostarczon"
    r"|nie dostarczon|nie można dostarczyć|zwrot (?:poczty|wiadomości)|nedoru|недостав|неуспешн|не е достав|non remis"
    r"|non distribu|échec|non consegn|mancata consegna|no entregad|no se pudo entregar|mislukt|配信|送信エラー|退信"
)
_SAYINGS = (
    "could not be delivered", "couldn't be delivered", "cannot be delivered", "can not be delivered",
    "not be delivered", "wasn't able to deliver", "was not able to deliver", "unable to deliver", "were unable to",
    "was unable to deliver", "not delivered", "wasn't delivered", "undeliverable", "undelivered", "delivery failed",
    "failed permanently", "delivery has failed", "delivery to the following", "error delivering",
    "error while attempting to deliver", "error has occurred while attempting", "failed to deliver", "failed to send",
    "permanent fatal errors", "had delivery", "permanent delivery errors", "transcript of session",
    "did not reach the following", "following recipients", "following address", "following message to",
    "returned to sender", "message was rejected", "was automatically rejected", "error message below",
    "trouble delivering", "delivery errors", "failure reasons", "could not send message",
    "couldn't deliver", "could not deliver", "mail delivery failed", "wasn't sent", "could not be sent",
    "has been delayed", "delivery is delayed", "not yet been delivered", "still undelivered", "delivery status",
    "delivered to the following", "generated response", "you tried to contact", "nie została dostarczona",
    "nie zostala dostarczona", "nie mogła zostać dostarczona", "nie można dostarczyć", "nie udało się dostarczyć",
    "nie moglem dostarczyc", "nie mogłem dostarczyć", "nie dostarczono", "nie mogla zostac dostarczona",
    "nemohla být doručena", "nebyla doručena", "nelze doručit", "nepodařilo se doručit", "nemohl být doručen",
    "не може да бъде доставен", "не може да бъде доставено", "не беше доставено", "не е доставено", "не бе доставено",
    "не може быть доставлен", "не доставлено", "не удалось доставить", "konnte nicht zugestellt",
    "nicht zugestellt werden", "n'a pas pu être", "n'a pas été remis", "no se pudo entregar", "non è stato possibile",
    "original mail as follows", "配信できません", "送信できません",
)  # fmt: skip
_DELAY_SUBJECT = re.compile(
    r"(?i)delay|warning: (?:could not|message)|opóźnien|забав|zpožděn|warning-timeout|deferred"
)
_DELAY_SAYINGS = (
    "warning message only", "will be retried", "will keep trying", "will continue to be attempted", "still undelivered",
    "not yet been delivered", "delivery is delayed", "has been delayed", "no action is required on your part",
    "delivery will be attempted", "will retry for", "will be attempted for", "do not need to resend",
)  # fmt: skip
_FORWARDED = re.compile(r"(?i)^\s*(?:fwd?|wg|pd|tr|i|rv|doorst|re|aw|odp|sv|отн|пр)\s*(?:\[\d{1,3}\])?\s*:")


def by_daemon(message: Part) -> bool:
    """From says that a mail system wrote it."""
    return _is_daemon(mime.words(message.header("from"))[:300])


@lru_cache(4096)
def _is_daemon(sender: str) -> bool:
    """The same people write again and again, and several readers of one mail ask."""
    return _DAEMON.search(sender) is not None


def from_nobody(message: Part) -> bool:
    """Sent with the null path (as far as the last hop wrote it down), RFC 5321 section 4.5.5."""
    paths = message.headers.get("return-path")
    return paths is not None and paths[0].strip().lower() in _NULL_PATHS


def about_delivery(message: Part, subject: str, text: str) -> bool:
    """A mail system speaks of delivery in free text."""
    machine = by_daemon(message) or from_nobody(message) or "x-mlserver" in message.headers
    if not machine:
        return False
    if _SUBJECT.search(subject):
        return True
    text = " ".join(text[:8000].split()).lower()
    return any(saying in text for saying in _SAYINGS)


def about_delay(subject: str, text: str) -> bool:
    """Nothing is final yet: the system goes on trying."""
    if _DELAY_SUBJECT.search(subject):
        return True
    text = " ".join(text[:8000].split()).lower()
    return any(saying in text for saying in _DELAY_SAYINGS)


def by_machine(message: Part, subject: str) -> bool:
    """Whether a mail that carries the fields of a report is that report: people attach reports to their mail too."""
    if by_daemon(message) or from_nobody(message):
        return True
    by_person = _FORWARDED.match(subject) is not None or bool(message.header("in-reply-to"))
    return not by_person and (is_automatic(message) or _SUBJECT.search(subject) is not None)


def is_vague(message: Part, subject: str) -> bool:
    """Neither the sender nor the subject says that it is a report; shops write of deliveries as well."""
    return not by_daemon(message) and _SUBJECT.search(subject) is None


def is_automatic(message: Part) -> bool:
    """RFC 3834 section 5: a program sent it. `Precedence: list` and X-Auto-Response-Suppress are no signs of it."""
    word = message.header("auto-submitted").partition(";")[0].partition("(")[0].strip().lower()
    return word.startswith("auto")
