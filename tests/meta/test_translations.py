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
    known = {(entry.context or "", _first(entry.id)) for entry in catalogue(language)}
    assert sorted(used_in_code() - known) == []
    assert sorted(used_in_templates() - known) == []


def test_words_are_found_in_code_and_in_templates():
    """So that the test above cannot pass because it looks at nothing."""
    assert len(used_in_code()) > 50
    assert len(used_in_templates()) > 50
    assert any(context for context, _ in used_in_code())


def used_in_code() -> set[tuple[str, str]]:
    """(context, words) of every call, the singular where there is a plural."""
    plain = ("_", "gettext", "gettext_lazy", "gettext_noop")
    keywords = dict.fromkeys(plain) | {
        name + lazy: places
        for lazy in ("", "_lazy")
        for name, places in {
            "ngettext": (1, 2),
            "pgettext": ((1, "c"), 2),
            "npgettext": ((1, "c"), 2, 3),
        }.items()
    }
    found = extract_from_dir(WEB, method_map=[("**.py", "python")], keywords=keywords)
    return {(context or "", _first(words)) for _, _, words, _, context in found}


#: A string as Django's templatize writes it: gettext('..'), pgettext('context', '..'), ngettext('..', '..', n).
_CALL = re.compile(r"(?<![\w.])(n?)(p?)(?:gettext|_)\(\s*")
_LITERAL = re.compile(r"""u?('(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")""")


def used_in_templates() -> set[tuple[str, str]]:
    found = set()
    for path in WEB.rglob("*.html"):
        code = templatize(path.read_text("utf-8"), origin=str(path))
        for call in _CALL.finditer(code):
            literals = []
            for literal in _LITERAL.finditer(code, call.end()):
                literals.append(ast.literal_eval(literal.group(1)))
                if len(literals) == 2:
                    break
            if _LITERAL.match(code, call.end()) is None:
                continue
            found.add((literals[0], literals[1]) if call.group(2) else ("", literals[0]))
    return found


def _first(words: object) -> str:
    return str(words[0]) if isinstance(words, tuple | list) else str(words)
