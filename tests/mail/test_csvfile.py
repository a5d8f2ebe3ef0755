"""CSV: good files, broken files, and files that carry no formulas."""

import csv
import io
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postroom.mail.csvfile import (
    LINE_MAX,
    RowError,
    RowFault,
    defused,
    guess_dialect,
    read_rows,
    undefused,
    write_rows,
)


def read(text: str | bytes, separator: str = ";", encoding: str = "utf-8") -> list[tuple[int, object]]:
    raw = text.encode(encoding) if isinstance(text, str) else text
    return [
        (number, row.fault if isinstance(row, RowError) else row)
        for number, row in read_rows(io.BytesIO(raw), encoding, separator)
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_rows_come_with_their_lines(end):
    text = end.join(["a;b", "", '"c;c";"d ""x"""', "e;f", ""])
    assert read(text) == [(1, ["a", "b"]), (3, ["c;c", 'd "x"']), (4, ["e", "f"])]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1250"])
def test_every_encoding_gives_the_same_rows(encoding):
    text = "imię;miasto\nŻaneta;Łódź\n"
    raw = text.encode(encoding)
    if encoding == "utf-8-sig":
        encoding = "utf-8"
    assert read(raw, encoding=encoding) == [(1, ["imię", "miasto"]), (2, ["Żaneta", "Łódź"])]


def test_a_quoted_line_break_stays_in_its_cell():
    assert read('a;b\n"one\ntwo\nthree";c\nd;e\n') == [
        (1, ["a", "b"]),
        (2, ["one\ntwo\nthree", "c"]),
        (5, ["d", "e"]),
    ]


def test_a_quote_that_is_never_closed_costs_one_row():
    text = 'a;b\n"broken;x\n' + "good;y\n" * 500
    found = read(text)
    assert found[1] == (2, RowFault.QUOTE)
    assert [row for _, row in found[2:]] == [["good", "y"]] * 500


def test_two_broken_quotes_cost_two_rows():
    found = read('a;b\n"one;1\nx;2\n"three;3\ny;4\n"ok";5\n')
    assert found == [
        (1, ["a", "b"]),
        (2, RowFault.QUOTE),
        (3, ["x", "2"]),
        (4, RowFault.QUOTE),
        (5, ["y", "4"]),
        (6, ["ok", "5"]),
    ]


def test_text_after_a_closing_quote_is_a_fault():
    assert read('a;b\n"x"y;z\nc;d\n')[1:] == [(2, RowFault.QUOTE), (3, ["c", "d"])]


def test_a_quote_inside_a_bare_cell_is_a_character():
    assert read('a;b\n5" pipe;Firma "ABC" s.c.\n')[1] == (2, ['5" pipe', 'Firma "ABC" s.c.'])


def test_a_nul_is_a_fault_of_its_row():
    assert read("a;b\nx\0;y\nc;d\n")[1:] == [(2, RowFault.NUL), (3, ["c", "d"])]


def test_foreign_bytes_are_a_fault_that_names_the_column():
    raw = "a;b;c\nŻuk;".encode() + "Łódź".encode("cp1250") + b";x\nok;ok;ok\n"
    rows = list(read_rows(io.BytesIO(raw), "utf-8", ";"))
    assert isinstance(rows[1][1], RowError)
    assert (rows[1][0], rows[1][1].fault, rows[1][1].column) == (2, RowFault.ENCODING, 1)
    assert rows[1][1].text.startswith("Żuk;")
    assert rows[2] == (3, ["ok", "ok", "ok"])


class Endless(io.RawIOBase):
    """Ten megabytes in one line, then a good one, never in memory at once."""

    def __init__(self) -> None:
        self.left = 10_000_000

    def read(self, size: int = -1) -> bytes:
        if self.left > 0:
            self.left -= size
            return b"x" * size
        if self.left != -1_000_000_000:
            self.left = -1_000_000_000
            return b"\ngood;row\n"
        return b""


def test_a_line_of_ten_megabytes_is_one_fault_in_little_memory():
    tracemalloc.start()
    try:
        rows = list(read_rows(Endless(), "utf-8", ";"))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [(number, row.fault if isinstance(row, RowError) else row) for number, row in rows] == [
        (1, RowFault.TOO_LONG),
        (2, ["good", "row"]),
    ]
    assert peak < 4_000_000


def test_a_line_just_short_enough_is_read():
    assert read("x" * LINE_MAX + "\n")[0][1] == ["x" * LINE_MAX]
    assert read("x" * (LINE_MAX + 1) + "\n")[0][1] == RowFault.TOO_LONG


@pytest.mark.parametrize(
    ("text", "separator", "header"),
    [
        ("email;imię\na@b.pl;Jan\nc@d.pl;Anna\n", ";", True),
        ("a@b.pl,Jan\nc@d.pl,Anna\n", ",", False),
        ("E-mail\tName\na@b.pl\tJan, jr.\n", "\t", True),
        ("имейл|име\na@b.bg|Иван\n", "|", True),
        ("sep=,\nemail,x;y;z\na@b.pl,q;w;e\n", ",", True),
        ("a@b.pl\nc@d.pl\n", ",", False),
        ('"Kowalski, Jan";a@b.pl\n"Nowak, Anna";c@d.pl\n', ";", False),
        ("kol1;kol2\nx;a@b.pl\n", ";", True),
        ("", ",", False),
    ],
)
def test_separator_and_header_are_guessed(text, separator, header):
    dialect = guess_dialect(io.BytesIO(text.encode()), "utf-8")
    assert (dialect.separator, dialect.has_header) == (separator, header)


def test_the_sep_line_of_excel_is_no_row():
    assert read("sep=;\r\na;b\r\n") == [(2, ["a", "b"])]


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200) | st.text(st.sampled_from('ab;"\n\r,\0ż'), max_size=60).map(str.encode))
def test_any_bytes_give_rows_and_faults_with_growing_lines(raw):
    for encoding in ("utf-8", "cp1250", "utf-16-le"):
        numbers = [number for number, _ in read_rows(io.BytesIO(raw), encoding, ";")]
        assert numbers == sorted(set(numbers))
        guess_dialect(io.BytesIO(raw), encoding)


cells = st.text(st.characters(exclude_characters="\0\r\n", exclude_categories=("Cs",)), max_size=15)
tables = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(cells, min_size=width, max_size=width), max_size=6)
)


@settings(max_examples=300, deadline=None)
@given(tables, st.sampled_from(";,\t|"))
def test_what_was_written_is_read_back(rows, separator):
    raw = b"".join(write_rows(rows, separator))
    found = [row for _, row in read_rows(io.BytesIO(raw), "utf-8", separator)]
    assert [row for row in found if "".join(row).strip()] == [row for row in rows if "".join(row).strip()]


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("'=+-@\t\r\n 0129a＝.,"), max_size=8))
def test_no_written_cell_is_a_formula_and_every_value_comes_back(value):
    cell = defused(value)
    assert undefused(cell) == value
    bare = cell.strip().replace(" ", "")
    assert (
        not bare.startswith(("=", "+", "-", "@", "＝"))
        or bare[1:].replace(",", "").replace(".", "").isdigit()
    )
    assert not cell.startswith(("\t", "\r", "\n"))


@pytest.mark.parametrize("value", ["+48 601 234 567", "+48601234567", "-12,50", "-5", "601-234-567", "Jan"])
def test_telephones_and_numbers_stay_for_every_reader(value):
    raw = b"".join(write_rows([[value, "x"]]))
    assert next(csv.reader(io.StringIO(raw.decode("utf-8-sig")), delimiter=";")) == [value, "x"]


@pytest.mark.parametrize(
    "value", ["=1+1", "+1+1", "-1-1", "@SUM(A1)", "\t=1", " =1", "=cmd|' /C calc'!A0", "+48-601", "＝1"]
)
def test_formulas_get_an_apostrophe(value):
    raw = b"".join(write_rows([[value]])).decode("utf-8-sig")
    assert raw.lstrip('"').startswith("'")
    assert [row for _, row in read_rows(io.BytesIO(raw.encode()), "utf-8", ";")] == [[value]]


def test_a_large_table_is_written_in_pieces():
    pieces = list(write_rows([["x" * 1000, None, 5]] * 2000))
    assert len(pieces) > 5
    assert b"".join(pieces).count(b"\r\n") == 2000
    assert b";;5\r\n" in pieces[1]
