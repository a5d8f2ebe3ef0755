"""What mail/, wire/ and the daemons say in English is told in the reader's language."""

import ast
import re
from pathlib import Path

import pytest
from django.utils import translation

from postroom.errors import NameNotFound, NotFound, PostroomError
from postroom.mail.address import parse
from postroom.mail.suppression import parse_entry
from postroom.mail.template import compile_text
from postroom.web.said import FORMS, said, said_with_reply

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "postroom"
EDGES = ("mail", "wire", "actions/import_child.py", "actions/import_preview.py")


@pytest.fixture
def polish():
    with translation.override("pl"):
        yield


@pytest.mark.parametrize(
    "wrong", ["", "anna", "@firma.pl", "anna@firma", "anna..k@firma.pl", "an na@firma.pl"]
)
def test_a_mistyped_address_is_explained_in_polish(polish, wrong):
    with pytest.raises(PostroomError) as told:
        parse(wrong)
    assert said(told.value) != told.value.message


def test_an_error_inside_an_error_is_translated_too(polish):
    with pytest.raises(PostroomError) as told:
        parse_entry("*anna@firma.pl")
    assert "leave the star out" not in said(told.value)


def test_an_unknown_field_of_a_template_is_told_in_polish(polish):
    with pytest.raises(PostroomError) as told:
        compile_text("{{ nname }} {{ zzz }}", html=False, known_fields=["name"])
    assert said(told.value) == "Nieznane pole: nname (wiersz 1, może name?); zzz (wiersz 1)"


def test_names_in_a_message_stay(polish):
    words = said(NameNotFound("No server named 'mail.firma.pl' is known. Check the spelling."))
    assert "'mail.firma.pl'" in words
    assert "spelling" not in words


def test_the_words_of_the_other_server_stay(polish):
    words = said_with_reply("The server refused the user name or the password. 535 5.7.8 Bad login")
    assert words.endswith(" 535 5.7.8 Bad login")
    assert "password" not in words


def test_an_error_without_words_of_its_own_says_what_its_kind_says(polish):
    assert said(NotFound()) != NotFound().message


def test_what_nobody_knows_is_shown_as_it_is(polish):
    assert said("451 4.7.1 Greylisted") == "451 4.7.1 Greylisted"
    assert said("") == ""


def test_every_message_with_values_in_mail_and_wire_has_a_form():
    unknown = [words for words in made_up() if not any(fits(form, words) for form in FORMS)]
    assert unknown == []


def fits(form: str, words: str) -> bool:
    return bool(re.fullmatch(re.sub(r"%\\\(\w+\\\)s|%\(\w+\)s", ".+?", re.escape(form)), words, re.DOTALL))


def made_up():
    """The f-strings that begin a sentence and stand in an exception, with "line 1" for each value."""
    for place in EDGES:
        top = PACKAGE / place
        for path in top.rglob("*.py") if top.is_dir() else [top]:
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and raises(node) and isinstance(node.args[0], ast.JoinedStr):
                    words = [
                        part.value if isinstance(part, ast.Constant) else "line 1"
                        for part in node.args[0].values
                    ]
                    if "".join(words) != "line 1.":  # the words were chosen by the caller
                        yield "".join(words)


def raises(node: ast.Call) -> bool:
    name = getattr(node.func, "id", "")
    known = [kind.__name__ for kind in every(PostroomError)] + ["FileBroken"]
    return name in known and bool(node.args)


def every(kind: type) -> list[type]:
    return [kind] + [below for sub in kind.__subclasses__() for below in every(sub)]
