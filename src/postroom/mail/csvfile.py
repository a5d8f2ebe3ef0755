"""CSV files as people have them, and CSV files that carry no formulas. RFC 4180.

Reading never stops at a bad row: it becomes a RowError with its line, and the next line is read.
"""

import codecs
import csv
import io
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO

from postroom.mail.csvfields import looks_like_header

#: Bytes a line may have; a longer one is reported and never held in memory.
LINE_MAX = 131_072
#: Physical lines that one row with quoted line breaks may span.
ROW_LINES_MAX = 200

_CHUNK = 1 << 18
_SEPARATORS = (";", ",", "\t", "|")
_SEP_LINE = re.compile(r'\ufeff?"?sep=(.)"?\s*', re.IGNORECASE)


class RowFault(StrEnum):
    #: A quoted field is not closed, or text follows a closing quote.
    QUOTE = "quote"
    #: A NUL character: not a text file, or a damaged one.
    NUL = "nul"
    #: The line is longer than LINE_MAX, or the row spans more than ROW_LINES_MAX lines.
    TOO_LONG = "too_long"
    #: Bytes that the encoding does not know.
    ENCODING = "encoding"


@dataclass(frozen=True, slots=True)
class RowError:
    """A row that cannot be read. column: from 0, None when unknown; text: how the line begins."""

    fault: RowFault
    column: int | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Dialect:
    """separator: one character; has_header: the first row names the columns."""

    separator: str
    has_header: bool


def read_rows(stream: BinaryIO, encoding: str, separator: str) -> Iterator[tuple[int, list[str] | RowError]]:
    """The rows of a CSV file with the number of the line each begins at, from 1. Memory stays bounded.

    Empty lines and Excel's "sep=" line are left out, a BOM too. An apostrophe that `write_rows` put before a
    formula is taken away. Raises LookupError for an unknown encoding.
    """
    return _rows(_Lines(stream, encoding), separator)


def sample_rows(stream: BinaryIO, encoding: str, separator: str, limit: int = 50) -> list[list[str]]:
    """The first readable rows; the caller seeks back."""
    rows: list[list[str]] = []
    for _, row in read_rows(stream, encoding, separator):
        if isinstance(row, list):
            rows.append(row)
        if len(rows) == limit:
            break
    return rows


def guess_dialect(stream: BinaryIO, encoding: str) -> Dialect:
    """Separator and header from the first lines; the caller seeks back. One column and the empty file: a comma."""
    head = stream.read(_CHUNK)
    first = head[:2000].decode(encoding, "replace").splitlines()[:1]
    told = _SEP_LINE.fullmatch(first[0]) if first else None
    best, best_score = ",", 0.0
    for separator in (told[1],) if told else _SEPARATORS:
        rows = sample_rows(io.BytesIO(head), encoding, separator)
        widths = [len(row) for row in rows]
        if not widths:
            continue
        usual = max(set(widths), key=widths.count)
        score = widths.count(usual) / len(widths) * (1 + min(usual, 50) / 100) if usual > 1 else 0.0
        if score > best_score:
            best, best_score = separator, score
    best = told[1] if told else best
    return Dialect(best, looks_like_header(sample_rows(io.BytesIO(head), encoding, best)))


class _Lines:
    """Physical lines with a few in reserve. A line is text, or the RowError that stands for it."""

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        codec = codecs.lookup(encoding).name
        self._wide = wide = codec.startswith(("utf-16", "utf-32"))
        self.encoding = "utf-8" if wide else codec.removesuffix("-sig")
        self._chunks = _transcoded(stream, encoding) if wide else iter(lambda: stream.read(_CHUNK), b"")
        self._raw = _physical(self._chunks)
        self._ahead: deque[str | RowError] = deque()
        self.number = 0

    def take(self) -> str | RowError | None:
        """The next line; None at the end."""
        line = self._ahead.popleft() if self._ahead else self._next()
        self.number += line is not None
        return line

    def peek(self, at: int) -> str | RowError | None:
        """The line `at` places after the one taken last, from 0, without taking it."""
        while len(self._ahead) <= at:
            line = self._next()
            if line is None:
                return None
            self._ahead.append(line)
        return self._ahead[at]

    def _next(self) -> str | RowError | None:
        raw = next(self._raw, None)
        if raw is None:
            return None
        if len(raw) > LINE_MAX:
            return RowError(RowFault.TOO_LONG, None, raw[:100].decode(self.encoding, "replace"))
        try:
            line = raw.decode(self.encoding)
        except UnicodeDecodeError as error:
            # The column is found by whoever knows the separator.
            return RowError(RowFault.ENCODING, error.start, raw.decode(self.encoding, "replace"))
        if self._wide and "\ufffd" in line:
            return RowError(RowFault.ENCODING, None, line)
        if "\0" in line:
            return RowError(RowFault.NUL, None, line[:100].replace("\0", "\ufffd"))
        return line


def _transcoded(stream: BinaryIO, encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    while chunk := stream.read(_CHUNK):
        yield decoder.decode(chunk).encode("utf-8", "replace")
    yield decoder.decode(b"", True).encode("utf-8", "replace")


def _physical(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Lines without their ends (LF, CRLF, or CR alone in a file without LF). Of one that is too long, the beginning."""
    rest = b""
    skipping = False  # the rest of a line that was too long
    only_cr: bool | None = None
    for chunk in chunks:
        if only_cr is None:
            chunk = chunk.removeprefix(codecs.BOM_UTF8)
            only_cr = b"\r" in chunk and b"\n" not in chunk
        if only_cr:
            chunk = chunk.replace(b"\r", b"\n")
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if skipping:
                skipping = False
                continue
            yield line[:-1] if line.endswith(b"\r") else line
        if skipping:
            rest = b""
        elif len(rest) > LINE_MAX:
            yield rest[: LINE_MAX + 1]
            rest, skipping = b"", True
    if rest and not skipping:
        yield rest[:-1] if rest.endswith(b"\r") else rest


def _rows(lines: _Lines, separator: str) -> Iterator[tuple[int, list[str] | RowError]]:
    opening = f'{separator}"'
    columns = 0  # of the first row
    row: list[str] | RowError
    while (line := lines.take()) is not None:
        number = lines.number
        if isinstance(line, RowError):
            row = _placed(line, separator)
        elif not line or line.isspace() or (number == 1 and _SEP_LINE.fullmatch(line)):
            continue
        elif '"' not in line or not (line.startswith('"') or opening in line):
            # Without a quote that opens a field, quotes are only characters (5" pipe).
            row = _plain(line.split(separator), line)
        elif line.count('"') % 2 == 0:
            row = _parsed(line, separator)
        else:
            row = _spanning(lines, line, separator, columns)
        columns = columns or len(row) if isinstance(row, list) else columns
        yield number, row


def _spanning(lines: _Lines, line: str, separator: str, columns: int) -> list[str] | RowError:
    """A row whose quoted field goes on in the next lines; these are taken only when they make a good row."""
    text = line
    for extra in range(ROW_LINES_MAX):
        further = lines.peek(extra)
        if further is None or isinstance(further, RowError):
            break
        text += "\n" + further
        if further.count('"') % 2:
            row = _parsed(text, separator)
            if isinstance(row, list) and (not columns or len(row) == columns):
                for _ in range(extra + 1):
                    lines.take()
                return row
            break
        if len(text) > LINE_MAX:
            return RowError(RowFault.TOO_LONG, None, line[:100])
    return RowError(RowFault.QUOTE, None, line[:100])


def _parsed(text: str, separator: str) -> list[str] | RowError:
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True):
            return _plain(row, text)
    except csv.Error as error:
        fault = RowFault.TOO_LONG if "larger" in str(error) else RowFault.QUOTE
        return RowError(fault, None, text[:100])
    return RowError(RowFault.QUOTE, None, text[:100])


def _plain(row: list[str], text: str) -> list[str]:
    return [undefused(cell) for cell in row] if "'" in text else row


def _placed(error: RowError, separator: str) -> RowError:
    """An encoding error with the number of its column in place of its byte."""
    if error.fault is not RowFault.ENCODING:
        return error
    before = error.text.partition("\ufffd")[0]
    return RowError(error.fault, before.count(separator), error.text[:100])


# What a spreadsheet takes for a formula (OWASP, "CSV injection"), the full-width signs included.
_FORMULA = re.compile(r"'*\s*[=+\-@\t\r\n＝＋－＠]")
# A sign and digits with blanks between: a telephone or a plain number. Nothing in it can be calculated.
_NUMBER = re.compile(r"[+-]\d[\d ]*(?:[.,]\d+)?")


def defused(value: str) -> str:
    """The value as a cell that no spreadsheet calculates: an apostrophe goes before what looks like a formula.

    "+48 601 234 567" and "-12,50" stay as they are, so that every reader gets them back; for the rest our own
    reading takes the apostrophe away again (`undefused`), whatever the value.
    """
    return f"'{value}" if _FORMULA.match(value) and not _NUMBER.fullmatch(value) else value


def undefused(value: str) -> str:
    """The value that `defused` was given."""
    return value[1:] if value.startswith("'") and _FORMULA.match(value) else value


def write_rows(rows: Iterable[Sequence[object]], separator: str = ";") -> Iterator[bytes]:
    """A CSV file in pieces: UTF-8 with BOM (Excel needs it), CRLF, every cell defused, None as an empty cell."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=separator, lineterminator="\r\n")
    yield codecs.BOM_UTF8
    for row in rows:
        writer.writerow(["" if cell is None else defused(str(cell).replace("\0", "")) for cell in row])
        if buffer.tell() > _CHUNK:
            yield buffer.getvalue().encode("utf-8", "replace")
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode("utf-8", "replace")
