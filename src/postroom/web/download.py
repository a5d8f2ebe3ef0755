"""CSV that a spreadsheet opens without running anything, in the words and the time zone of who asks."""

import csv
import re
from collections.abc import Iterable, Iterator
from datetime import datetime

from django.http import StreamingHttpResponse
from django.utils import timezone, translation
from django.utils.functional import Promise
from django.utils.http import content_disposition_header

# A spreadsheet takes a cell that begins so for a formula. Plain numbers and phone numbers are none.
_FORMULA = re.compile(r"[=@\t\r]|[+-](?![\d .()/-]+\Z)").match


class _Line:
    """What csv.writer writes to: hands the line back."""

    def write(self, line: str) -> str:
        return line


def cell(value: object) -> str:
    """The value as text; what would be run as a formula gets an apostrophe before it."""
    text = str(value)
    return f"'{text}" if _FORMULA(text) else text


def moment(at: datetime | None) -> str:
    """A time as spreadsheets read it, in the time zone of who looks; "" for None."""
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S}" if at else ""


def in_words(rows: Iterable[Iterable[object]]) -> Iterator[list[object]]:
    """The rows in the language and time zone of now: they are read while the answer is sent, when both are gone."""
    language, zone, source = translation.get_language(), timezone.get_current_timezone(), iter(rows)

    def told() -> Iterator[list[object]]:
        while True:
            with translation.override(language), timezone.override(zone):
                row = next(source, None)
                if row is None:
                    return
                values = [str(value) if isinstance(value, Promise) else value for value in row]
            yield values

    return told()


def csv_answer(name: str, rows: Iterable[Iterable[object]]) -> StreamingHttpResponse:
    """A download, written row by row as it is read. name: of the file, without ending."""

    told = in_words(rows)

    def lines() -> Iterator[str]:
        writer = csv.writer(_Line(), delimiter=";")
        yield "\ufeff"  # spreadsheets read UTF-8 only with it
        for row in told:
            yield writer.writerow([cell(value) for value in row])

    answer = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = content_disposition_header(True, f"{name}.csv") or "attachment"
    return answer
