"""Requests by mail: to be taken off, or to be put on. RFC 2369 (the mailto of List-Unsubscribe)."""

import re

from postroom.mail.report import Kind
from postroom.mail.token import tokens_in

_OFF = frozenset((
    "unsubscribe", "unsubscribe me", "please unsubscribe", "please unsubscribe me", "unsubscribe please",
    "remove", "remove me", "signoff", "sign off", "opt out", "opt-out", "optout", "stop", "rezygnacja",
    "rezygnuję", "rezygnuje", "wypisz", "wypisz mnie", "wypisz mnie z listy", "wypisuję się", "wypisanie",
    "proszę wypisać", "proszę o wypisanie", "proszę wypisać mnie", "proszę o usunięcie", "usuń",
    "usuń mnie", "usun mnie", "rezygnuję z subskrypcji", "rezygnacja z subskrypcji",
    "rezygnacja z newslettera", "nie chcę", "отписване", "отписвам се", "отпиши", "отпиши ме",
    "отпишете ме", "отказ", "отказвам се", "отписка", "отписаться", "odhlásit", "odhlásit se", "odhlášení",
    "odhlaste mě", "odhlasit", "abmelden", "abbestellen", "désabonner", "désinscription", "désinscrire",
    "baja", "darse de baja", "cancelar suscripción", "disiscrivi", "disiscrizione", "cancellami",
    "afmelden", "uitschrijven",
))  # fmt: skip
_ON = frozenset((
    "subscribe", "subscribe me", "please subscribe me", "zapisz", "zapisz mnie", "zapisuję się",
    "subskrypcja", "subskrybuj", "абониране", "абонирай ме", "записване", "запиши ме", "přihlásit",
    "přihlášení", "odebírat", "anmelden", "s'abonner", "inscription", "suscribir", "iscrivimi", "aanmelden",
))  # fmt: skip
#: The address behind our List-Unsubscribe, or a customary one.
_OFF_ADDRESS = re.compile(
    r"(?i)^(?:unsub(?:scribe)?(?:[-+_.=].{0,100})?|.{1,100}[-+_.](?:unsub(?:scribe)?|leave))@"
)
_ON_ADDRESS = re.compile(r"(?i)^(?:subscribe(?:[-+_.=].{0,100})?|.{1,100}[-+_.](?:subscribe|join))@")
_TRIM = " \t\"'.!?„”«»<>[]()-–:"


def kind_of(subject: str, to: tuple[str, ...]) -> Kind | None:
    """UNSUBSCRIBE or SUBSCRIBE when the whole subject says so or the address does, None otherwise.

    A token in the subject is no word of it: the mailto of our List-Unsubscribe puts one there.
    """
    whole = " ".join(subject.split()).lower()
    for token in tokens_in(whole):
        whole = whole.replace(token, "")
    whole = whole.strip(_TRIM)
    if whole in _OFF:
        return Kind.UNSUBSCRIBE
    if whole in _ON:
        return Kind.SUBSCRIBE
    for address in to:
        if _OFF_ADDRESS.match(address):
            return Kind.UNSUBSCRIBE
        if _ON_ADDRESS.match(address):
            return Kind.SUBSCRIBE
    return None
