"""Reads an uploaded CSV file in a process of its own, under limits of memory and time: the file is not trusted.

`main` runs with the task as JSON in the first argument and the file as standard input. It writes frames to standard
output: one letter, the number of the last line read, the length in bytes, a line end, then the bytes. R rows for COPY
(columns: STAGED), E row errors as JSON, D the end with its figures, X a file that cannot be read at all, with the
reason, P a preview.
"""

import csv
import io
import json
import re
import resource
import sys
from collections import deque
from collections.abc import Callable, Iterator
from json.encoder import encode_basestring
from typing import Any

from postroom.errors import BadAddress
from postroom.mail.address import canonical, parse
from postroom.mail.fold import contact_search_text, contact_sort_key

#: Columns of the staging table, in the order of the rows.
STAGED = (
    *("line", "email", "canonical", "name", "surname", "salutation", "company", "kind", "language"),
    *("attributes", "text", "sort_key"),
)

MEMORY_BYTES = 512 << 20
CPU_SECONDS = 900
#: Characters of one line, of one field, lines of one row: more is a broken file, not data.
LINE_MAX = 1 << 20
FIELD_MAX = 64 << 10
ROW_LINES_MAX = 500
#: Rows with a broken quote after which the whole file counts as broken.
BROKEN_MAX = 1000
COLUMNS_MAX = 500
VALUE_MAX = 200
ATTRIBUTE_MAX = 10_000
BATCH = 2000
BATCH_CHARACTERS = 4 << 20

MIXED = "Written in another alphabet than the rest of the file."
TOO_LONG = "The line is longer than a million characters."
QUOTE = "A quotation mark is not closed, or not doubled inside the text."

_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\u200b\u200e\u200f\u2060\ufeff]")
_SEP_HINT = re.compile(r'"?sep=.?"?\s*').fullmatch
_LANGUAGE = re.compile(r"[a-z]{2}(-[a-z]{2})?").fullmatch
_KINDS = {
    **dict.fromkeys(("employee", "pracownik", "pracowniczka", "служител"), "employee"),
    **dict.fromkeys(
        ("contractor", "kontrahent", "współpracownik", "контрагент", "външен изпълнител"), "contractor"
    ),
}
_LANGUAGES = {
    **dict.fromkeys(("polish", "polski", "polska", "полски"), "pl"),
    **dict.fromkeys(("bulgarian", "bulgarski", "bułgarski", "български"), "bg"),
    **dict.fromkeys(("english", "angielski", "английски"), "en"),
}

Problem = tuple[int, str, str, str]  # line, column, value, reason


class FileBroken(Exception):
    """The file as a whole cannot be read."""


class Lines:
    """The lines of the file for csv.reader, never longer than LINE_MAX, with the way back to the start of a row."""

    def __init__(self, file: io.TextIOWrapper, encoding: str) -> None:
        self.number = 0  # of the last line handed out
        self.row: list[str] = []  # lines of the row that is being read
        self.problem = ""  # what is wrong with the row that is being read
        self._again: deque[str] = deque()
        self._long: set[int] = set()  # lines that were cut, should they be handed out again
        self._read = file.readline
        self._encoding = "" if encoding.startswith(("utf", "UTF")) else encoding

    def __iter__(self) -> Iterator[str]:
        read, row = self._read, self.row
        while True:
            line = self._again.popleft() if self._again else read(LINE_MAX)
            if not line:
                return
            self.number += 1
            if self.number == 1 and _SEP_HINT(line):  # Excel's word of the separator
                continue
            if len(line) >= LINE_MAX and line[-1] not in "\r\n":
                while (rest := read(LINE_MAX)) and rest[-1] not in "\r\n":
                    pass
                self._long.add(self.number)
                line = line[:100].replace('"', "") + "\n"
            if self.number in self._long:
                self.problem = TOO_LONG
            elif not line.isascii() and self._is_mixed(line):
                self.problem = MIXED
            row.append(line)
            if len(row) > ROW_LINES_MAX:
                raise csv.Error("too many lines")
            yield line

    def back(self) -> None:
        """Hand all lines of the row but its first out again."""
        self._again.extendleft(reversed(self.row[1:]))
        self.number -= len(self.row) - 1
        self.row.clear()

    def _is_mixed(self, line: str) -> bool:
        if "\ufffd" in line:
            return True
        if not self._encoding:
            return False
        try:  # letters of one byte each hardly ever make valid UTF-8 by chance
            line.encode(self._encoding).decode("utf-8")
        except UnicodeError:
            return False
        return True


class Rows:
    """The rows of the file: (line, cells); what cannot be read goes to `problem`."""

    def __init__(self, lines: Lines, separator: str, problem: Callable[[Problem], None]) -> None:
        self._lines, self._separator, self._problem = lines, separator, problem
        self._broken = 0

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        lines, row_lines = self._lines, self._lines.row
        while True:
            reader = csv.reader(lines, delimiter=self._separator, strict=True)
            try:
                for cells in reader:
                    first = lines.number - len(row_lines) + 1
                    if lines.problem:
                        self._problem((first, "", row_lines[0][:80].strip(), lines.problem))
                        lines.problem = ""
                    elif cells and any(cells):
                        yield first, cells
                    row_lines.clear()
                return
            except csv.Error:
                self._broken += 1
                first = lines.number - len(row_lines) + 1
                if self._broken > BROKEN_MAX:
                    raise FileBroken(
                        f"More than {BROKEN_MAX} rows have broken quotation marks; the last is line {first}."
                        " Check the separator, or save the file again as CSV."
                    ) from None
                self._problem((first, "", row_lines[0][:80].strip(), QUOTE))
                lines.problem = ""
                lines.back()


def open_text(raw: Any, encoding: str) -> io.TextIOWrapper:
    encoding = "utf-8-sig" if encoding == "utf-8" else encoding  # with or without a byte order mark
    return io.TextIOWrapper(raw, encoding=encoding, errors="replace", newline="")


def clean(value: str) -> str:
    """Blanks of every kind become one space; control characters and invisible marks go."""
    return " ".join(_CONTROL.sub("", value).split())


def kind_of(word: str) -> str:
    return _KINDS.get(word.casefold(), "other")


def language_of(word: str) -> str:
    word = word.casefold().replace("_", "-")
    return word if _LANGUAGE(word) else _LANGUAGES.get(word, "")


class Reader:
    """Turns the rows of a file into rows for COPY."""

    def __init__(self, task: dict[str, Any], send: Callable[[str, int, bytes], None]) -> None:
        mapping: dict[int, str] = {int(column): field for column, field in task["mapping"].items() if field}
        self._columns = {field: column for column, field in mapping.items()}
        self._attributes = [
            (column, encode_basestring(field.removeprefix("attr:")) + ": ")
            for column, field in mapping.items()
            if field.startswith("attr:")
        ]
        self._email = self._columns["email"]
        self._width = max(mapping) + 1
        self._send = send
        self._task = task
        self._problems: list[Problem] = []
        self.rejected = 0

    def problem(self, problem: Problem) -> None:
        self.rejected += 1
        if self.rejected <= self._task.get("errors_max", 100_000):
            self._problems.append((problem[0], problem[1][:120], problem[2][:300], problem[3][:300]))

    def run(self, raw: Any) -> None:
        task, out = self._task, []
        lines = Lines(open_text(raw, task["encoding"]), task["encoding"])
        rows = iter(Rows(lines, task["separator"], self.problem))
        self._header = next(rows, (0, []))[1] if task["has_header"] else []
        limit = len(self._header) or None
        count = line = size = 0
        for line, cells in rows:
            count += 1
            record = self._record(line, cells, limit)
            if record:
                out.append(record)
                size += len(record)
                if len(out) >= BATCH or size > BATCH_CHARACTERS:
                    self._flush(out, line)
                    size = 0
        self._flush(out, line)
        end = {"rows": count + self._unread, "rejected": self.rejected, "last": lines.number}
        self._send("D", lines.number, json.dumps(end).encode())

    #: Rows that never came out of csv.reader are rows of the file too.
    @property
    def _unread(self) -> int:
        return self.rejected - self._refused

    _refused = 0

    def _flush(self, out: list[str], line: int) -> None:
        if self._problems:
            self._send("E", line, json.dumps(self._problems).encode())
            self._problems.clear()
        if out:
            self._send("R", line, ("\n".join(out) + "\n").encode())
            out.clear()

    def _refuse(self, line: int, column: int | None, value: str, reason: str) -> str:
        names = self._header
        name = "" if column is None else names[column] if column < len(names) else str(column + 1)
        self._refused += 1
        self.problem((line, name, value, reason))
        return ""

    def _record(self, line: int, cells: list[str], limit: int | None) -> str:
        """The row for COPY in text format; "" when it was refused."""
        if limit and len(cells) > limit and any(cells[limit:]):
            reason = f"The row has {len(cells)} columns, the heading {limit}. Is a separator inside a value?"
            return self._refuse(line, None, self._task["separator"].join(cells)[:80], reason)
        if len(cells) < self._width:
            cells += [""] * (self._width - len(cells))
        joined = "".join(cells)
        if not joined.isprintable():
            if "\0" in joined:
                return self._refuse(
                    line, None, joined.replace("\0", "␀")[:80], "The row holds a NUL character."
                )
            cells = [clean(cell) for cell in cells]
        long = len(joined) > VALUE_MAX

        def value(field: str) -> str:
            column = columns.get(field)
            return "" if column is None else cells[column].strip()

        columns = self._columns
        email = cells[self._email].strip()
        try:
            bare = canonical(email)
            if bare != email:
                email = parse(email).spec
        except BadAddress as error:
            return self._refuse(line, self._email, email, error.message)
        name, surname = value("name"), value("surname")
        if "full_name" in columns and not name and not surname:
            name, _, surname = value("full_name").rpartition(" ")
            name, surname = (name, surname) if name else (surname, "")
        salutation, company = value("salutation"), value("company")
        if long:
            for field, text in (
                ("name", name),
                ("surname", surname),
                ("salutation", salutation),
                ("company", company),
            ):
                if len(text) > VALUE_MAX:
                    column = columns.get(field, columns.get("full_name"))
                    return self._refuse(line, column, text, f"Longer than {VALUE_MAX} characters.")
            for column, _ in self._attributes:
                if len(cells[column]) > ATTRIBUTE_MAX:
                    return self._refuse(
                        line, column, cells[column], f"Longer than {ATTRIBUTE_MAX} characters."
                    )
        pairs = [
            key + encode_basestring(text)
            for column, key in self._attributes
            if (text := cells[column].strip())
        ]
        record = "\t".join(
            (
                *(str(line), email, bare, name, surname, salutation, company),
                kind_of(value("kind")) if "kind" in columns else "",
                language_of(value("language")) if "language" in columns else "",
                "{" + ", ".join(pairs) + "}",
                contact_search_text(name=name, surname=surname, company=company, email=email),
                contact_sort_key(name=name, surname=surname, company=company, email=email),
            )
        )
        return record.replace("\\", "\\\\") if "\\" in record else record


def main() -> int:
    task = json.loads(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    csv.field_size_limit(FIELD_MAX)
    out = sys.stdout.buffer

    def send(kind: str, line: int, data: bytes) -> None:
        out.write(b"%s %d %d\n" % (kind.encode(), line, len(data)))
        out.write(data)

    try:
        if task.get("mode") == "preview":
            from postroom.actions.import_preview import preview

            send("P", 0, json.dumps(preview(sys.stdin.buffer, task)).encode())
        else:
            Reader(task, send).run(sys.stdin.buffer)
    except FileBroken as error:
        send("X", 0, str(error).encode())
    except MemoryError:
        send("X", 0, b"The file needs too much memory to be read. Split it.")
    out.flush()
    return 0
