"""What a file looks like: alphabet, separator, heading and fields as guessed, and its first rows."""

import csv
from collections import Counter
from typing import Any

from postroom.actions.import_child import (
    COLUMNS_MAX,
    FileBroken,
    Lines,
    Problem,
    Rows,
    clean,
    open_text,
)
from postroom.errors import BadAddress
from postroom.mail.address import canonical
from postroom.mail.charset import guess_encoding
from postroom.mail.fold import fold

HEAD_BYTES = 1 << 20
#: Rows looked at for the figures of the page.
SAMPLE_ROWS = 20_000
SAMPLE_CELLS = 400_000
SAMPLE_CHARACTERS = 400

_FIELDS = {
    "email": "email e-mail mail adres_e-mail adres_email adres_mailowy e-mail_address email_address имейл поща e-поща",
    "name": "name first_name firstname imie given_name име собствено_име",
    "surname": "surname last_name lastname nazwisko family_name фамилия фамилно_име",
    "full_name": "full_name imie_i_nazwisko nazwisko_i_imie kontakt osoba_kontaktowa contact contact_person"
    " име_и_фамилия имена лице_за_контакт",
    "salutation": "salutation zwrot zwrot_grzecznosciowy powitanie greeting обръщение",
    "company": "company firma nazwa_firmy organisation organization organizacja nazwa фирма компания организация",
    "kind": "kind rodzaj typ вид",
    "language": "language jezyk lang език",
}
_BY_NAME = {word: field for field, words in _FIELDS.items() for word in words.split()}


def guess_separator(head: str) -> str:
    """The sign that cuts most lines into the same number of columns, more than one."""
    lines = [line[:5000] for line in head.splitlines()[:200] if line.strip()]
    best, found = 0.0, ";"
    for sign in (";", "\t", ",", "|"):
        widths = Counter(_width(line, sign) for line in lines)
        width, times = widths.most_common(1)[0] if widths else (0, 0)
        score = (times / len(lines)) * min(width, 20) if width > 1 else 0.0
        if score > best:
            best, found = score, sign
    return found


def _width(line: str, sign: str) -> int:
    try:
        return len(next(csv.reader([line], delimiter=sign), []))
    except csv.Error:
        return 0


def guess_mapping(
    names: list[str], rows: list[list[str]], has_header: bool, known: dict[str, str]
) -> dict[str, str]:
    """Column -> field, by the names of the columns, then by what stands in them. known: folded label -> "attr:KEY"."""
    mapping: dict[str, str] = {}
    for column, name in enumerate(names):
        word = "_".join(fold(name).replace(".", " ").split())
        field = _BY_NAME.get(word) or known.get(fold(name)) if has_header else None
        if field and field not in mapping.values():
            mapping[str(column)] = field
        elif has_header and name:
            mapping[str(column)] = f"new:{name[:120]}"
    if "full_name" in mapping.values() and {"name", "surname"} <= set(mapping.values()):
        mapping = {column: field for column, field in mapping.items() if field != "full_name"}
    if "email" not in mapping.values():
        at = Counter(column for row in rows[:200] for column, cell in enumerate(row) if "@" in cell)
        if at:
            mapping[str(at.most_common(1)[0][0])] = "email"
    return mapping


def preview(raw: Any, task: dict[str, Any]) -> dict[str, Any]:
    """Guesses for what the task leaves open, and figures of the first rows. raw can be wound back."""
    encoding = task.get("encoding")
    if not encoding:
        encoding = guess_encoding(raw).encoding
        raw.seek(0)
    text = raw.read(HEAD_BYTES).decode(encoding, errors="replace").removeprefix("\ufeff")
    separator = task.get("separator") or guess_separator(text)
    raw.seek(0)
    problems: list[Problem] = []
    lines = Lines(open_text(raw, encoding), encoding)
    rows: list[list[str]] = []
    seen = 0
    whole = True
    for _, cells in Rows(lines, separator, problems.append):
        rows.append([clean(cell[:SAMPLE_CHARACTERS]) for cell in cells[:COLUMNS_MAX]])
        seen += len(rows[-1])
        if len(rows) > SAMPLE_ROWS or seen > SAMPLE_CELLS:
            whole = False
            break
    if not rows:
        raise FileBroken(
            f"No row of the file can be read. Line 1: {problems[0][3]}" if problems else "The file is empty."
        )
    has_header = task.get("has_header")
    if has_header is None:
        has_header = not any("@" in cell for cell in rows[0])
    names = rows[0] if has_header else [""] * max(map(len, rows[:100]))
    data = rows[1:] if has_header else rows
    mapping = task.get("mapping")
    if mapping is None:
        mapping = guess_mapping(names, data, has_header, task.get("known", {}))
    return {
        "choices": {
            "encoding": encoding,
            "separator": separator,
            "has_header": has_header,
            "mapping": mapping,
        },
        "rows": len(data),
        "whole": whole,
        "unreadable": len(problems),
        "names": _readable(data, mapping),
        "columns": [_column(name, column, data) for column, name in enumerate(names)],
    }


def _column(name: str, column: int, rows: list[list[str]]) -> dict[str, Any]:
    cells = [row[column] for row in rows if column < len(row)]
    filled = [cell for cell in cells if cell]
    samples: list[str] = []
    for cell in filled[:200]:
        if cell not in samples:
            samples.append(cell[:60])
        if len(samples) == 2:
            break
    figures: dict[str, Any] = {"name": name[:120], "samples": samples, "filled": len(filled)}
    if any("@" in cell for cell in filled[:200]):
        figures["valid"] = sum(map(_is_address, filled))
    return figures


def _is_address(text: str) -> bool:
    try:
        canonical(text)
    except BadAddress:
        return False
    return True


def _readable(rows: list[list[str]], mapping: dict[str, str]) -> list[str]:
    """Up to five names to judge the alphabet by, those with letters beyond ASCII first."""
    fields = {field: int(column) for column, field in mapping.items()}
    columns = [fields[name] for name in ("full_name", "name", "surname") if name in fields]
    columns = columns or [fields["company"]] if "company" in fields or columns else [0]
    found: list[str] = []
    for wanted in (False, True):
        for row in rows[:5000]:
            name = " ".join(row[column] for column in columns if column < len(row)).strip()
            if name and name.isascii() is wanted and name not in found:
                found.append(name[:60])
            if len(found) == 5:
                return found
    return found
