"""In which encoding a file of names and addresses was written: BOM, strict UTF-8, UTF-16, then the likeliest letters.

Old 8-bit encodings cannot be told apart by their bytes alone, so each is read as each language and the reading with the
most usual letters wins. The caller shows a preview and lets the person choose.
"""

import codecs
import io
import math
import re
from collections import Counter
from dataclasses import dataclass
from typing import BinaryIO

#: What a person can choose from, likeliest first.
ENCODINGS = (
    "utf-8",
    "cp1250",
    "iso-8859-2",
    "cp1251",
    "koi8-r",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "cp1252",
)

_CANDIDATES = ("cp1250", "cp1251", "iso-8859-2", "koi8-r")
_CHUNK = 1 << 20
# Enough non-ASCII lines to be sure, few enough to score in milliseconds.
_SAMPLE = 1 << 16

# How often a letter comes, in a thousand letters of the alphabet beyond ASCII (Latin) or of all letters (Cyrillic).
_LANGUAGES: dict[str, str] = {
    "polish": "ł210 ą130 ę130 ó140 ż110 ś100 ć70 ń70 ź25 é2 ü2",
    "czech": "í170 á150 é70 ě80 č60 ř70 ý60 š60 ž60 ů40 ú15 ť10 ď8 ó20 ň10 ľ15 ô10 ä10 ĺ1 ŕ1 ö1",
    "german": "ü330 ä300 ö200 ß150 é15",
    "hungarian": "á300 é300 ö100 ó100 ő80 í60 ü60 ú30 ű20",
    "bulgarian": "а125 и93 о87 е85 т74 н72 в46 р48 с52 д35 п28 л31 к33 м25 з21 ъ17 б16 у15 г15 я20 ч15 ц8 ш6 й8 х8 ж8"
    " ф4 щ5 ю2 ь1 э1 ы1",
    "russian": "о110 е85 а80 и74 н67 т63 с55 р47 в45 л44 к35 м32 д30 п28 у26 я20 ы19 ь17 г17 з16 б16 ч15 й12 х10 ж9"
    " ш7 ю6 ц5 щ4 э3 ф3 ъ1 ё1",
    "ukrainian": "о94 а74 и63 н65 е48 т55 і57 в52 р46 с40 к36 л37 д33 м33 у30 п28 з22 я22 ь18 б17 г15 ч14 х11 й9 ш8"
    " ж8 ц6 ю8 є6 ї6 ф3 щ5 ґ1",
}
# Signs that stand in texts of every language; they decide nothing.
_NEUTRAL = frozenset("„”“’‘–—…«»§°€№\xa0­")
_UNKNOWN = math.log(0.0004)
_WEIGHTS = {
    language: {entry[0]: math.log(int(entry[1:]) / 1000) for entry in letters.split()}
    for language, letters in _LANGUAGES.items()
}

_WORD = re.compile(r"[^\W\d_]+")
_CASE_JUMP = re.compile(r"[a-zà-ɏа-џґ][A-ZÀ-ÞА-ЯЀ-Џ]")
_MIXED = re.compile(r"[A-Za-z][\u0400-\u04ff]|[\u0400-\u04ff][A-Za-z]")
_CROWDED = re.compile(r"[\u0080-\u024f]{3}")
_BROKEN = re.compile(
    r"(?<=[^\W\d_])[^\w\s.,;:!?()'\"@/&+*=<>|#%-](?=[^\W\d_])|[¦¬±¶ˇ˛¤¨¸˘](?=[^\W\d_])|[\x80-\x9f\ufffd\u2500-\u25ff]"
)


@dataclass(frozen=True, slots=True)
class Guess:
    """encoding: a Python codec name; certainty: 0.0 to 1.0, below 0.6 a person should look closely."""

    encoding: str
    certainty: float


def guess_encoding(stream: BinaryIO) -> Guess:
    """Read the stream to its end (memory stays bounded) and name the encoding. The caller seeks back.

    Plain ASCII and the empty file count as UTF-8.
    """
    first = stream.read(_CHUNK)
    for bom, encoding in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if first.startswith(bom):
            return Guess(encoding, 1.0)
    wide = _utf16(first[:_SAMPLE])
    if wide:
        return Guess(wide, 0.9)
    decoder = codecs.getincrementaldecoder("utf-8")()
    valid = True
    sample: list[bytes] = []
    collected = 0
    chunk = first
    while chunk:
        if not chunk.isascii():
            if valid:
                try:
                    decoder.decode(chunk)
                except UnicodeDecodeError:
                    valid = False
            if collected < _SAMPLE:
                lines = [line for line in chunk.split(b"\n") if not line.isascii()]
                for line in lines:
                    sample.append(line[:2000])
                    collected += len(sample[-1])
                    if collected >= _SAMPLE:
                        break
            elif not valid:
                break
        chunk = stream.read(_CHUNK)
    if valid and not decoder.getstate()[0]:
        return Guess("utf-8", 1.0)
    # A file glued together from several: what is not UTF-8 in it will be reported line by line.
    good = sum(_is_utf8(line) for line in sample)
    if good > len(sample) / 2:
        return Guess("utf-8", round(0.9 * good / len(sample), 2))
    return _likeliest(b"\n".join(sample))


def guess_bytes(raw: bytes) -> Guess:
    """The same for bytes at hand."""
    return guess_encoding(io.BytesIO(raw))


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _utf16(raw: bytes) -> str:
    """UTF-16 without BOM: every other byte of Latin text is zero, or a Cyrillic page's 4."""
    if len(raw) < 4 or b"\0" not in raw:
        return ""
    raw = raw[: len(raw) // 2 * 2]
    even, odd = raw[::2], raw[1::2]
    for encoding, high, low in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        pages = sum(high.count(page) for page in (b"\0", b"\x01", b"\x04"))
        if pages > 0.9 * len(high) and low.count(b"\0") < 0.1 * len(low):
            return encoding
    return ""


def _likeliest(raw: bytes) -> Guess:
    readings = {encoding: raw.decode(encoding, "replace") for encoding in _CANDIDATES}
    scores = {encoding: _score(text) for encoding, text in readings.items()}
    best = max(_CANDIDATES, key=lambda encoding: scores[encoding])
    others = [scores[encoding] for encoding in _CANDIDATES if readings[encoding] != readings[best]]
    if not others:
        return Guess(best, 1.0)
    odd = sum(byte > 127 for byte in raw)
    lead = scores[best] - max(others)
    # A lead of 3 nats in all is 1 : 20; an average lead that is small leaves doubt however long the text.
    certainty = (1 - math.exp(-lead)) * (1 - math.exp(-4 * lead / max(odd, 1)))
    return Guess(best, round(min(max(certainty, 0.0), 0.99), 2))


def _score(text: str) -> float:
    """How usual the letters beyond ASCII are, in the language that suits best, less what no language writes."""
    counts = Counter(
        character for character in text.lower() if ord(character) > 127 and character not in _NEUTRAL
    )
    best = max(
        sum(count * weights.get(character, _UNKNOWN) for character, count in counts.items())
        for weights in _WEIGHTS.values()
    )
    odd = 4.0 * len(_BROKEN.findall(text))
    for word in _WORD.findall(text):
        if not word.isascii():
            odd += 4.0 * (
                len(_CASE_JUMP.findall(word)) + len(_MIXED.findall(word)) + len(_CROWDED.findall(word))
            )
    return best - odd
