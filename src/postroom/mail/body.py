"""One body of a message: a template, filled in and made fit for the wire. RFC 2045 section 6, RFC 5322 section 2.1.1.

The transfer encoding follows from the finished text alone, so that the quick way (a join of encoded pieces) and the
general way (text first, then encoding) give the same bytes.
"""

import base64
import binascii
import re
from collections.abc import Mapping

from postroom.mail.template import Compiled, Field, escape_html

LINE_MAX = 998
#: How every boundary begins; text that holds a line like it is encoded so that it cannot end a part.
BOUNDARY_MARK = "=_postroom_"
BOUNDARY_BYTES = BOUNDARY_MARK.encode()
_ODD = bytes(range(127, 256))

_NEWLINES = re.compile(r"\r\n|\r|\n")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def crlf(text: str) -> str:
    """The text with CRLF line ends, the last one too, and without control characters."""
    text = _CONTROL.sub("", _NEWLINES.sub("\r\n", text))
    return text if text.endswith("\r\n") else text + "\r\n"


def encode(raw: bytes, *, eight_bit_allowed: bool) -> tuple[str, bytes]:
    """(Content-Transfer-Encoding, bytes) of UTF-8 text with CRLF line ends: 7bit, 8bit, quoted-printable or base64."""
    ascii_only = raw.isascii()
    if (ascii_only or eight_bit_allowed) and BOUNDARY_BYTES not in raw and longest_line(raw) <= LINE_MAX:
        return ("7bit" if ascii_only else "8bit"), raw
    # In base64 4 characters stand for 3 bytes, in quoted-printable 3 for an odd one and 1 for another.
    if (len(raw) - len(raw.translate(None, _ODD))) * 6 > len(raw):
        return "base64", base64.encodebytes(raw).replace(b"\n", b"\r\n")
    return "quoted-printable", binascii.b2a_qp(raw, istext=True, header=False)


def longest_line(raw: bytes) -> int:
    """Bytes of the longest line, without its CRLF."""
    return max(map(len, raw.split(b"\r\n")))


class Body:
    """A compiled body. With plain fields: `pieces`, and `slots` = (index in pieces, key, fallback) to be filled.

    room: bytes one value may have so that no line can pass the limit; 0 = take the general way.
    calm: with `is_calm` values nothing here can look like a boundary, and no line begins with a dot.
    """

    __slots__ = ("calm", "compiled", "html", "pieces", "room", "slots")

    def __init__(self, compiled: Compiled, constants: Mapping[str, str]) -> None:
        self.compiled = compiled
        self.html = compiled.html
        self.pieces: list[bytes] = []
        self.slots: list[tuple[int, str, bytes | None]] = []
        self.room = 0
        self.calm = False
        if compiled.parts is not None:
            self._read_parts(compiled.parts, constants)

    @property
    def quick(self) -> bool:
        return self.room > 0

    def text(self, values: Mapping[str, object], *, empty_values: bool, general: bool = False) -> bytes:
        """The finished text as UTF-8 with CRLF line ends, by Compiled.render, or by python-liquid alone."""
        render = self.compiled.render_general if general else self.compiled.render
        return crlf(render(values, empty_values=empty_values)).encode("utf-8", "replace")

    def _read_parts(self, parts: tuple[str | Field, ...], constants: Mapping[str, str]) -> None:
        merged: list[str | Field] = [""]
        for part in parts:
            if isinstance(part, Field) and constants.get(part.key, "").strip():
                value = constants[part.key]
                part = escape_html(value) if self.html else value
            if isinstance(part, str) and isinstance(merged[-1], str):
                merged[-1] += part
            else:
                merged.append(part)
        literals = "".join(part for part in merged if isinstance(part, str))
        fallbacks = [part.fallback or "" for part in merged if isinstance(part, Field)]
        if _CONTROL.search(literals + "".join(fallbacks)) or _NEWLINES.search("".join(fallbacks)):
            return
        if not isinstance(merged[-1], str) or not merged[-1].endswith("\n"):
            return
        for part in merged:
            if isinstance(part, str):
                self.pieces.append(_NEWLINES.sub("\r\n", part).encode("utf-8", "replace"))
            else:
                fallback = None if part.fallback is None else part.fallback.encode("utf-8", "replace")
                self.slots.append((len(self.pieces), part.key, fallback))
                self.pieces.append(b"")
        self.room = self._value_room()
        self.calm = self._is_calm(fallbacks)

    def _is_calm(self, fallbacks: list[str]) -> bool:
        """Of a boundary's "=_" and of CRLF and dot one half would have to come from a value or a fallback."""
        literals = b"".join(self.pieces)
        dotted = b"\r\n." in literals or literals.startswith(b".")
        return not dotted and b"=_" not in literals and all(map(is_calm, fallbacks))

    def _value_room(self) -> int:
        """What is left of 998 bytes in the fullest line, for each of its fields; 0 when something does not fit."""
        room = LINE_MAX
        literal = fallbacks = fields = 0
        slots = {index: fallback or b"" for index, _, fallback in self.slots}
        for index, piece in enumerate(self.pieces):
            if index in slots:
                fields += 1
                fallbacks += len(slots[index])
                continue
            for at, line in enumerate(piece.split(b"\r\n")):
                if at:
                    room = min(room, _share(literal, fallbacks, fields))
                    literal = fallbacks = fields = 0
                literal += len(line)
        return min(room, _share(literal, fallbacks, fields))


def is_calm(value: str) -> bool:
    """Whether a value can be no part of a boundary, nor begin a line with a dot; it may have no line breaks."""
    return not ("=" in value or "_" in value or value[:1] == ".")


def _share(literal: int, fallbacks: int, fields: int) -> int:
    left = LINE_MAX - literal - fallbacks
    if left < 0:
        return 0
    return left // fields if fields else LINE_MAX
