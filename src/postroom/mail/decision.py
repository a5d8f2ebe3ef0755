"""What a moderator says of a held posting in a mail: yes or no, in one word (FEATURES 1.8, RETURNED_MAIL goal 17)."""

import re
import unicodedata

from postroom.mail import quote
from postroom.mail.token import tokens_in

#: What a notice asks for, by language: (yes, no). Understood is each of them, whatever the notice said.
ASKED = {"en": ("accept", "reject"), "pl": ("akceptuj", "odrzuć"), "bg": ("приеми", "отхвърли")}
_YES = frozenset((
    "accept", "accepted", "approve", "approved", "akceptuj", "akceptuję", "akceptuje", "zaakceptuj", "przyjmij",
    "przyjmuję", "przyjmuje", "zatwierdź", "zatwierdz", "zatwierdzam", "приеми", "приемам", "приема", "одобри",
    "одобрявам", "priemi", "priemam", "odobri", "odobriavam", "odobryavam",
))  # fmt: skip
_NO = frozenset((
    "reject", "rejected", "decline", "declined", "refuse", "discard", "odrzuć", "odrzuc", "odrzucam", "odmawiam",
    "отхвърли", "отхвърлям", "отхвърля", "отказ", "отказвам", "othvarli", "othvarlyam", "otkaz",
))  # fmt: skip
_BLANK = re.compile(r"\s*(?:>.*)?")
_WORD = re.compile(r"\w+")
#: The word alone, or before a stop: "accept, thanks" is clear, "accept only if ..." is not.
_CLEAR = re.compile(r"[^\w?]*(\w+)[^\w?]*(?:$|(?<=[.,;:!)\]\u2013\u2014-])\s)")


def decision_of(subject: str, text: str) -> bool | None:
    """True: let it through, False: throw it away, None: it does not say, or says both.

    subject: whole, as the mailto: links of a notice set it; text: of the answer, what it quotes is no word of it.
    """
    for token in tokens_in(subject):
        subject = subject.replace(token, "")
    told = {
        said for line in (subject.replace("[]", ""), _first_line(text)) if (said := _said(line)) is not None
    }
    return told.pop() if len(told) == 1 else None


def _first_line(text: str) -> str:
    own = quote.split(text.replace("\r\n", "\n"))[0]
    return next((line for line in own.split("\n") if not _BLANK.fullmatch(line)), "")


def _said(line: str) -> bool | None:
    line = unicodedata.normalize("NFC", line).casefold()[:300]
    found = _CLEAR.match(line)
    if found is None:
        return None
    words = set(_WORD.findall(line))
    if words & _YES and words & _NO:
        return None
    return True if found[1] in _YES else False if found[1] in _NO else None
