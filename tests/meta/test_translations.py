"""Every word of the pages exists in Polish and in Bulgarian."""

import ast
import io
import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "src" / "postroom" / "web"
LOCALES = WEB / "locale"


def catalogue(language: str) -> Catalog:
    path = LOCALES / language / "LC_MESSAGES" / "django.po"
    if not path.is_file():
        pytest.fail(f"There is no catalogue {path.relative_to(ROOT)}: the pages would be in English.")
    return read_po(io.BytesIO(path.read_bytes()), locale=language)


@pytest.mark.parametrize("language", ["pl", "bg"])
def test_nothing_is_left_untranslated_or_unsure(language):
    entries = [entry for entry in catalogue(language) if entry.id]
    assert entries
    assert [entry.id for entry in entries if entry.fuzzy] == []
    assert [entry.id for entry in entries if not _whole(entry.string)] == []


def _whole(string: object) -> bool:
    """Every plural form is there."""
    return all(string) if isinstance(string, tuple | list) else bool(string)


@pytest.mark.parametrize("language", ["pl", "bg"])
def test_placeholders_are_the_same_on_both_sides(language):
    wrong = {str(entry.id): [str(error) for error in errors] for entry, errors in catalogue(language).check()}
    assert wrong == {}


@pytest.mark.parametrize("language", ["pl", "bg"])
def test_every_word_of_the_pages_is_in_the_catalogue(language):
    known = {_first(entry.id) for entry in catalogue(language)}
    assert sorted(used_in_code() - known) == []
    assert sorted(used_in_templates() - known) == []


def test_words_are_found_in_code_and_in_templates():
    """So that the test above cannot pass because it looks at nothing."""
    assert len(used_in_code()) > 50
    assert len(used_in_templates()) > 50


def used_in_code() -> set[str]:
    found = extract_from_dir(
        WEB,
        method_map=[("**.py", "python")],
        keywords=dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop"))
        | {"ngettext": (1, 2), "ngettext_lazy": (1, 2), "pgettext": ((1, "c"), 2)},
    )
    return {_first(words) for _, _, words, _, _ in found}


#: A string as Django's templatize writes it: gettext('..'), pgettext('context', '..'), ngettext('..', '..', n).
_LITERAL = re.compile(r"""u?('(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")""")


def used_in_templates() -> set[str]:
    found = set()
    for path in WEB.rglob("*.html"):
        code = templatize(path.read_text("utf-8"), origin=str(path))
        for call in re.finditer(r"\b(?:(n?p?)gettext|_)\(\s*", code):
            literal = _LITERAL.match(code, call.end())
            if literal and "p" in (call.group(1) or ""):
                literal = _LITERAL.search(code, literal.end())
            if literal:
                found.add(ast.literal_eval(literal.group(1)))
    return found


def _first(words: object) -> str:
    return str(words[0]) if isinstance(words, tuple | list) else str(words)
