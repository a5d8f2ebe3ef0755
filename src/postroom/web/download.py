"""CSV that a spreadsheet opens without running anything."""

import csv
import re
from collections.abc import Iterable, Iterator

from django.http import StreamingHttpResponse
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


def csv_answer(name: str, rows: Iterable[Iterable[object]]) -> StreamingHttpResponse:
    """A download, written row by row as it is read. name: of the file, without ending."""

    def lines() -> Iterator[str]:
        writer = csv.writer(_Line(), delimiter=";")
        yield "\ufeff"  # spreadsheets read UTF-8 only with it
        for row in rows:
            yield writer.writerow([cell(value) for value in row])

    answer = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = content_disposition_header(True, f"{name}.csv") or "attachment"
    return answer
