"""The files inside an envelope of Outlook's own (winmail.dat, TNEF), which other programs cannot open.

Only attachments are read; what an envelope says of text, meetings and tasks is left in it. Everything is bounded, and
nothing raises: what is cut or wrong ends the reading, and what stood before it is kept.
MS-OXTNEF sections 2.1.3 (structure), 2.1.3.3 (attributes), 2.1.3.4 (encoded properties); MS-OXPROPS for their numbers.
"""

import struct
from dataclasses import dataclass

from postroom.mail import mime
from postroom.mail.parts import safe_name

_SIGNATURE = 0x223E9F78
#: Attributes: the lower half is the name, the upper the type.
_CODEPAGE, _BEGINS, _TITLE, _DATA, _PROPERTIES = 0x9007, 0x9002, 0x8010, 0x800F, 0x9005
#: Properties of an attachment.
_BYTES, _SHORT, _LONG, _SHOWN, _KIND = 0x3701, 0x3704, 0x3707, 0x3001, 0x370E
_NAMES = (_LONG, _SHORT, _SHOWN)
#: Bytes of a value of fixed size, as it is padded.
_FIXED = {
    **dict.fromkeys((0x02, 0x03, 0x04, 0x0A, 0x0B), 4),
    **dict.fromkeys((0x05, 0x06, 0x07, 0x14, 0x40), 8),
    0x48: 16,
    0x01: 0,
}
_STRING, _UNICODE, _OBJECT, _BINARY = 0x1E, 0x1F, 0x0D, 0x102
_MANY = 0x1000
_FILES_MAX, _VALUES_MAX, _DEPTH = 200, 5000, 3


@dataclass(frozen=True, slots=True)
class Packed:
    """One file. name: safe to show and to store, never empty; content_type: "" where the envelope does not say."""

    name: str
    content_type: str
    data: bytes


@dataclass(slots=True)
class _Attachment:
    title: bytes = b""
    name: str = ""
    kind: str = ""
    data: bytes = b""
    #: An attached message: an envelope in the envelope.
    inner: bytes = b""


class _EndOfData(Exception):
    """It is cut, or what stands here is no TNEF."""


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, size: int) -> bytes:
        if size < 0 or self.at + size > len(self.data):
            raise _EndOfData
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, size: int = 4) -> int:
        return int.from_bytes(self.take(size), "little")

    def padded(self, size: int) -> bytes:
        """size bytes, and what fills them up to four."""
        found = self.take(size)
        self.at = min(self.at + -size % 4, len(self.data))
        return found


def is_tnef(data: bytes) -> bool:
    return data[:4] == struct.pack("<I", _SIGNATURE)


def files_in(data: bytes) -> tuple[list[Packed], bool]:
    """The files of an envelope in order, and whether it could be read to its end; ([], False) for what is none."""
    found: list[Packed] = []
    return found, _read(data, found, _DEPTH)


def _read(data: bytes, found: list[Packed], depth: int) -> bool:
    if not is_tnef(data):
        return False
    reader, attached, codepage = _Reader(data), list[_Attachment](), "cp1252"
    reader.at = 6  # the signature and a key that is of no use
    try:
        while reader.at < len(data) and len(attached) + len(found) <= _FILES_MAX:
            reader.take(1)  # of the message or of an attachment: the name says it too
            name = reader.number() & 0xFFFF
            value = reader.take(reader.number())
            reader.take(2)  # a sum that programs get wrong
            if name == _CODEPAGE and len(value) >= 4:
                codepage = f"cp{int.from_bytes(value[:4], 'little')}"
            elif name == _BEGINS:
                attached.append(_Attachment())
            elif attached:
                _note(attached[-1], name, value)
        whole = reader.at >= len(data)
    except _EndOfData:
        whole = False
    for one in attached[:_FILES_MAX]:
        if one.inner and depth:
            whole = _read(one.inner, found, depth - 1) and whole
        elif one.data or one.title or one.name:
            called = safe_name(one.name) or safe_name(_plain(one.title, codepage))
            found.append(Packed(called or f"file-{len(found) + 1}", one.kind, one.data))
    del found[_FILES_MAX:]
    return whole


def _note(attachment: _Attachment, name: int, value: bytes) -> None:
    if name == _TITLE:
        attachment.title = value
    elif name == _DATA:
        attachment.data = value
    elif name == _PROPERTIES:
        try:
            _properties(attachment, _Reader(value))
        except _EndOfData:
            return  # the plain attributes remain


def _properties(attachment: _Attachment, reader: _Reader) -> None:
    names: dict[int, str] = {}
    try:
        for _ in range(min(reader.number(), _VALUES_MAX)):
            kind, number = reader.number(2), reader.number(2)
            if number >= 0x8000:  # a name instead of a number
                reader.take(16)
                if reader.number():
                    reader.padded(reader.number())
                else:
                    reader.take(4)
            value = _value(reader, kind)
            if number in _NAMES and kind in (_STRING, _UNICODE):
                names[number] = value.decode("utf-16-le", "replace") if kind == _UNICODE else _plain(value)
            elif number == _KIND and kind in (_STRING, _UNICODE):
                attachment.kind = _plain(value.replace(b"\0", b"")).lower()[:100]
            elif number == _BYTES and kind == _BINARY:
                attachment.data = attachment.data or value
            elif number == _BYTES and kind == _OBJECT and is_tnef(value[16:20]):
                attachment.inner = value[16:]  # behind the name of its interface
    finally:
        attachment.name = next((found for one in _NAMES if (found := names.get(one, "").rstrip("\0"))), "")


def _value(reader: _Reader, kind: int) -> bytes:
    """The last value of a property; several are passed over."""
    base = kind & ~_MANY
    if base in (_STRING, _UNICODE, _OBJECT, _BINARY):
        found = b""
        for _ in range(min(reader.number(), _VALUES_MAX)):
            found = reader.padded(reader.number())
        return found
    if base not in _FIXED:
        raise _EndOfData
    return reader.padded(_FIXED[base] * (reader.number() if kind & _MANY else 1))


def _plain(value: bytes, codepage: str = "cp1252") -> str:
    """Bytes up to the first zero as text."""
    return mime.decoded(value.partition(b"\0")[0], codepage)
