"""The one place that writes headers. RFC 5322 sections 2.2 and 3, RFC 2047, RFC 2231, RFC 6532.

Every function returns whole header lines as text, folded, each with its CRLF. A line break in a value cannot get
through: `unstructured` turns it into a blank, everything else raises InputError.
"""

import binascii
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from urllib.parse import quote

from postroom.errors import InputError
from postroom.mail.address import checked_spec

#: RFC 5322 section 2.1.1: lines should have at most 78 characters; an encoded word's line 76 (RFC 2047 section 2).
_WIDTH = 76
_LINE_MAX = 998
# "=?utf-8?b?" and "?=" around the payload of an encoded word of at most 75 characters.
_WORD_MAX = 75 - 12

_NAME = re.compile(r"[!-9;-~]+")
_BREAKS = re.compile(r"\s*[\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]\s*")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~\-]+)*")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`{|}~\-]+")
_Q_SAFE = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!*+-/")
_Q = [chr(byte) if byte in _Q_SAFE else "_" if byte == 32 else f"={byte:02X}" for byte in range(256)]
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def one_line(value: str) -> str:
    """The value as a subject can hold it: line breaks become a blank, control characters go."""
    if value.isprintable():
        return value.strip(" ")
    return _CONTROL.sub("", _BREAKS.sub(" ", value)).replace("\t", " ").strip(" ")


def unstructured(name: str, value: str) -> str:
    """Subject and other free text. Encoded words where needed; comes back exactly as `one_line(value)`."""
    _check_name(name)
    value = one_line(value)
    if value.isascii() and "=?" not in value:
        if len(name) + 2 + len(value) <= _WIDTH:
            return f"{name}: {value}\r\n"
        folded = _fold_blanks(name, value)
        if folded is not None:
            return folded
    return f"{name}: {_encoded(value, len(name) + 2)}\r\n"


def structured(name: str, items: Sequence[str], separator: str = ",") -> str:
    """Items of ASCII text we made (ids, URLs in brackets), folded between them only.

    Raises InputError when an item holds a control character, is not ASCII or is longer than a line can be.
    """
    _check_name(name)
    for item in items:
        if not item.isascii() or not item.isprintable() or len(item) > _LINE_MAX - len(name) - 4:
            raise InputError(f"That cannot be written into the header {name}.", field=name)
    return _fold_items(name, items, separator)


def mailbox(name: str, display_name: str, address: str) -> str:
    """The header with one mailbox; as `mailboxes`, quicker for plain names."""
    if len(display_name) + len(name) + len(address) < 70:
        if not display_name:
            return f"{name}: {checked_spec(address)}\r\n"
        if _ATOMS.fullmatch(display_name) and "=?" not in display_name:
            return f"{name}: {display_name} <{checked_spec(address)}>\r\n"
    return mailboxes(name, ((display_name, address),))


def mailboxes(name: str, boxes: Iterable[tuple[str, str]]) -> str:
    """From, To, Cc, Reply-To: (display name, address) each. A non-ASCII local part is written as it is (RFC 6532).

    Raises BadAddress, or InputError for a display name with line breaks or control characters.
    """
    _check_name(name)
    items = []
    for display_name, address in boxes:
        spec = checked_spec(address)
        if not display_name:
            items.append(spec)
            continue
        phrase = display_phrase(display_name)
        joined = f"{phrase} <{spec}>"
        if len(joined) + len(name) + 2 > _WIDTH and len(phrase) + len(name) > 20:
            joined = f"{phrase}\r\n <{spec}>"
        items.append(joined)
    return _fold_items(name, items, ",")


def display_phrase(display_name: str) -> str:
    """A display name as atoms, a quoted string or encoded words. Raises InputError for control characters."""
    if _BREAKS.search(display_name) or _CONTROL.search(display_name):
        raise InputError(
            "A display name cannot hold line breaks or control characters.", field="display_name"
        )
    display_name = display_name.replace("\t", " ").strip(" ")
    if display_name.isascii() and "=?" not in display_name and len(display_name) <= 60:
        if _ATOMS.fullmatch(display_name):
            return display_name
        return '"' + display_name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return _encoded(display_name, 14)


def with_parameters(name: str, value: str, parameters: Sequence[tuple[str, str]]) -> str:
    """Content-Type and Content-Disposition: token, quoted string, or RFC 2231 with continuations."""
    _check_name(name)
    items = [value]
    for key, text in parameters:
        text = one_line(text)
        if text.isascii() and len(key) + len(text) + 4 <= _WIDTH:
            if _TOKEN.fullmatch(text):
                items.append(f"{key}={text}")
            else:
                escaped = text.replace("\\", "\\\\").replace('"', '\\"')
                items.append(f'{key}="{escaped}"')
        else:
            items.extend(_rfc2231(key, text))
    if not all(item.isascii() and item.isprintable() for item in items):
        raise InputError(f"That cannot be written into the header {name}.", field=name)
    return _fold_items(name, items, ";")


def date(name: str, when: datetime) -> str:
    """An aware time, RFC 5322 section 3.3."""
    offset = when.utcoffset()
    if offset is None:
        raise ValueError("a date in a header needs its zone")
    minutes = int(offset.total_seconds()) // 60
    zone = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}{abs(minutes) % 60:02}"
    day = f"{_DAYS[when.weekday()]}, {when.day:02} {_MONTHS[when.month - 1]} {when.year:04}"
    return f"{name}: {day} {when:%H:%M:%S} {zone}\r\n"


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise InputError(f"{name!r} cannot be the name of a header.", field=name)


def _fold_blanks(name: str, value: str) -> str | None:
    """ASCII text broken before blanks; None when a line would still pass the limit."""
    lines: list[str] = []
    line = f"{name}:"
    # Each piece is blanks and the word after them, so that unfolding gives the same blanks back.
    for piece in re.findall(r" *[^ ]+", f" {value}"):
        if len(line) + len(piece) > _WIDTH and len(line) > len(name) + 1:
            lines.append(line)
            line = piece
        else:
            line += piece
    lines.append(line)
    if max(map(len, lines)) > _LINE_MAX:
        return None
    return "\r\n".join(lines) + "\r\n"


def _fold_items(name: str, items: Sequence[str], separator: str) -> str:
    text = f"{name}:"
    room = _WIDTH - len(text)
    for at, item in enumerate(items):
        piece = f" {item}{separator if at < len(items) - 1 else ''}"
        first = piece.split("\r\n", 1)[0]
        if at and len(first) > room:
            text += "\r\n"
            room = _WIDTH
        text += piece
        room = room - len(piece) if "\r\n" not in piece else _WIDTH - len(piece.rsplit("\r\n", 1)[1])
    return text + "\r\n"


def _encoded(value: str, used: int) -> str:
    """Encoded words (RFC 2047) of UTF-8, B or Q whichever is shorter, on lines of their own after the first.

    used: characters already on the first line.
    """
    raw = value.encode()
    q = "".join([_Q[byte] for byte in raw])
    b_size = (len(raw) + 2) // 3 * 4
    by_q = len(q) < b_size
    room = min(_WORD_MAX, _WIDTH - used - 12)
    if min(len(q), b_size) <= room:
        return f"=?utf-8?q?{q}?=" if by_q else _word(value, by_q)
    words: list[str] = []
    start, size = 0, 0
    for at, character in enumerate(value):
        piece = character.encode()
        cost = sum(len(_Q[byte]) for byte in piece) if by_q else len(piece)
        if size + cost > (room if by_q else room // 4 * 3) and at > start:
            words.append(_word(value[start:at], by_q))
            start, size, room = at, 0, _WORD_MAX
        size += cost
    words.append(_word(value[start:], by_q))
    return "\r\n ".join(words)


def _word(text: str, by_q: bool) -> str:
    if by_q:
        return "=?utf-8?q?" + "".join([_Q[byte] for byte in text.encode()]) + "?="
    return "=?utf-8?b?" + binascii.b2a_base64(text.encode(), newline=False).decode() + "?="


def _rfc2231(key: str, text: str) -> list[str]:
    units = re.findall(r"%..|.", quote(text, safe="!#$&+-.^_`|~"))
    room = _WIDTH - len(key) - 8
    if len(units) and sum(map(len, units)) <= room - 7:
        return [f"{key}*=utf-8''{''.join(units)}"]
    pieces = [""]
    for unit in units:
        if len(pieces[-1]) + len(unit) > room - (7 if len(pieces) == 1 else 0):
            pieces.append("")
        pieces[-1] += unit
    pieces[0] = "utf-8''" + pieces[0]
    return [f"{key}*{at}*={piece}" for at, piece in enumerate(pieces)]
