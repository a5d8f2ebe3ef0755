"""Receipts in free text, as some phones and web mailers write them: believed only with a reference to our mail."""

import re

_BLANK = re.compile(r"[\s\u00a0]+")
_READ = (
    "this is a receipt for the mail you sent", "this is a return receipt for the mail", "your message was read on",
    "was read on", "has been read on", "your message has been displayed", "the message has been displayed on",
    "message was displayed on", "this return receipt only acknowledges that the message was displayed",
    "message sent on * was displayed", "was displayed on the recipient's", "your mail was read", "has been opened on",
    "read receipt:", "reading confirmation", "i have read your message", "your email was read", "was opened on",
    "your message * was read", "wiadomość została wyświetlona", "wiadomość została przeczytana",
    "wiadomość została odczytana", "potwierdzenie przeczytania", "potwierdzenie odczytu", "wiadomosc zostala odczytana",
    "wiadomosc zostala przeczytana", "wiadomość * została odczytana", "wiadomość * została przeczytana",
    "wiadomość * została wyświetlona", "съобщението беше прочетено", "съобщението е прочетено",
    "съобщението е било прочетено", "вашето съобщение беше прочетено", "съобщението беше показано",
    "потвърждение за прочитане", "zpráva byla přečtena", "zpráva byla zobrazena", "potvrzení o přečtení",
    "ihre nachricht wurde gelesen", "wurde gelesen am", "lesebestätigung", "nachricht wurde angezeigt",
    "votre message a été lu", "accusé de lecture", "confirmation de lecture", "su mensaje ha sido leído",
    "il tuo messaggio è stato letto", "ваше сообщение прочитано", "сообщение было прочитано",
)  # fmt: skip
_UNREAD = (
    "was deleted without being read", "deleted without being displayed", "deleted without being read",
    "usunięta bez przeczytania", "usunięta bez odczytania", "usunięta bez wyświetlenia",
    "изтрито, без да бъде прочетено", "ungelesen gelöscht", "smazána bez přečtení",
)  # fmt: skip
#: A receipt is short; a person who quotes one writes around it.
_LONGEST = 1200


def said(text: str) -> str:
    """ "displayed" or "deleted" when a whole text is a customary receipt, "" otherwise."""
    text = _BLANK.sub(" ", text[: _LONGEST * 2]).strip().lower()
    if not text or len(text) > _LONGEST:
        return ""
    if any(_in(saying, text) for saying in _UNREAD):
        return "deleted"
    return "displayed" if any(_in(saying, text) for saying in _READ) else ""


def _in(saying: str, text: str) -> bool:
    first, star, second = saying.partition(" * ")
    at = text.find(first)
    return at >= 0 and (not star or text.find(second, at) >= 0)
