"""The encoding of a file: Polish, Bulgarian and their neighbours in the encodings people have."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postroom.mail.charset import guess_bytes, guess_encoding

TEXTS = {
    "polish": "Zażółć gęślą jaźń; Wójcik; Świętosława Łękawska; ul. Kwiatowa, Gdańsk",
    "polish names": "Kraków;Łódź",
    "polish capitals": "ŁUKASZ WÓJCIK;ŚWIĘTOCHŁOWICE;ŻÓŁKIEWSKI",
    "one polish word": "Żółw",
    "czech": "Příliš žluťoučký kůň úpěl ďábelské ódy; Dvořák; Jiří; Šárka",
    "german": "Müller; Jäger; Straße; Köln",
    "hungarian": "Nagy Ödön; Szűcs Győző; Erdős",
    "bulgarian": "Иван Петров; София; Дружество с ограничена отговорност; Жоро Щерев",
    "bulgarian capitals": "ИВАН ПЕТРОВ; СОФИЯ; ГЕОРГИ ДИМИТРОВ",
    "one bulgarian word": "Стоян",
    "russian": "Сергей Кузнецов; Москва; улица Ленина",
    "ukrainian": "Київ; Олександр Шевченко; вулиця",
    "ascii": "Jan Kowalski; Warszawa",
    "empty": "",
}
ENCODINGS = ("cp1250", "iso-8859-2", "cp1251", "koi8-r", "utf-8", "utf-8-sig", "utf-16")


def writable(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


@pytest.mark.parametrize(
    ("name", "encoding"),
    [(name, encoding) for name, text in TEXTS.items() for encoding in ENCODINGS if writable(text, encoding)],
)
def test_the_text_can_be_read_with_the_guess(name, encoding):
    raw = TEXTS[name].encode(encoding)
    guess = guess_bytes(raw)
    assert raw.decode(guess.encoding).removeprefix("\ufeff") == TEXTS[name]
    assert guess.certainty > 0.6


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("name", ["polish", "bulgarian", "ascii"])
def test_utf_16_without_a_mark_is_found(name, encoding):
    raw = TEXTS[name].encode(encoding)
    assert raw.decode(guess_bytes(raw).encoding) == TEXTS[name]


def test_a_letter_late_in_a_long_file_counts():
    raw = b"Jan;Kowalski;Warszawa\n" * 200_000 + "Zażółć;gęślą;jaźń\n".encode("cp1250")
    assert guess_bytes(raw).encoding == "cp1250"
    assert guess_bytes(raw[:-2] + "ż\n".encode()).encoding != "utf-8"


def test_a_file_of_utf_8_with_one_foreign_line_stays_utf_8():
    raw = "Zażółć;gęślą\n".encode() * 50 + "jaźń\n".encode("cp1250")
    guess = guess_bytes(raw)
    assert guess.encoding == "utf-8"
    assert guess.certainty < 1


def test_a_file_cut_in_the_middle_of_a_letter_is_not_utf_8():
    assert guess_bytes("ż".encode()[:1]).encoding != "utf-8"


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_get_a_guess(raw):
    guess = guess_encoding(io.BytesIO(raw))
    assert 0 <= guess.certainty <= 1
    raw.decode(guess.encoding, "replace")
