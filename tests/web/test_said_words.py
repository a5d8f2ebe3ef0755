"""A broken template or address is explained in the reader's own language, whatever is wrong with it."""

import re

import pytest
from django.utils import translation
from liquid.exceptions import LiquidSyntaxError
from liquid.token import Token

from postroom.errors import BadAddress, BadTemplate
from postroom.mail.address import parse
from postroom.mail.address_words import UNREADABLE
from postroom.mail.address_words import explained as address_explained
from postroom.mail.template import compile_text
from postroom.mail.template_words import explained as template_explained
from postroom.web.said import said

TEMPLATES = """
{{ name
{% if name
{% if name %}
{% for i in (1..3) %}
{% case name %}
{% unless name %}
{% capture x %}
{% comment %}
{% endif %}
{% else %}
{% elsif name %}
{% when 1 %}
{% endcase %}
{% fi name %}
{% %}
{% 123 %}
{% # x %}
{% include 'x' %}
{% liquid if name %}
{% raw %}x{% endraw %}
{{ name | nope }}
{{ name | }}
{{ | upcase }}
{{ name | append }}
{{ name | append: 'a', 'b' }}
{{ name | truncate: 'x' }}
{{ name | date: 1, 2 }}
{{ 'now' | date: 5 }}
{{ name | default: 'x', bogus: true }}
{{ name | default: 'x', allow_false: }}
{{ 'x' | truncatewords: surname }}
{{ 'x' | slice: 'y' }}
{{ 'x' | upcase: 1 }}
{{ name name }}
{{ 'x }}
{{ name ! }}
{{ name & }}
{{ name = 'x' }}
{{{ name }}}
{{ name.. }}
{{ name. }}
{{ name[ }}
{{ name] }}
{{ }}
{{ name, surname }}
{{ name || upcase }}
{{ name | upcase downcase }}
{{ name if surname else surname }}
{% if %}x{% endif %}
{% if name == %}x{% endif %}
{% if (name) %}x{% endif %}
{% if not name %}x{% endif %}
{% if name %}{% endfor %}
{% case name %}{% if name %}{% endif %}{% endcase %}
{% case name surname %}{% when 1 %}{% endcase %}
{% for i %}{% endfor %}
{% for i of name %}{% endfor %}
{% for i in (1..3 %}{% endfor %}
{% for i in (1..3) nope %}{% endfor %}
{% for i in (1..3) limit %}{% endfor %}
{% for i in (1..3) limit:'x' %}{% endfor %}
{% for i in (1..3) limit: -1 %}{{ i }}{% endfor %}
{% for a.b in (1..3) %}{% endfor %}
{% assign x %}
{% assign 'x' = 1 %}
{% cycle a: %}
{% break %}
{% break 1 %}
{{ 1 | divided_by: 0 }}
{{ '1e999' | floor }}
{{ 99999999999999 | date: '%Y' }}
{% if 'a' < 2 %}x{% endif %}
{% if 1 contains 2 %}x{% endif %}
{% for i in (1..1000000000) %}x{% endfor %}
{{ (1..1000000000) | join: 'x' }}
{{ nope }}
""".strip().split("\n")
TEMPLATES += ["{% if name %}" * 100 + "{% endif %}" * 100, "x" * 2_000_001, "{% if a" + "[a" * 700 + " %}"]

ADDRESSES = [
    *("", "anna", "@firma.pl", "anna@", "an na@firma.pl", "an,na@firma.pl", "anna..k@firma.pl", ".anna@firma.pl"),
    *("anna.@firma.pl", "anna@.firma.pl", "anna@firma.pl.", "anna@-firma.pl", "anna@firma-", "anna@firma.-pl"),
    *("anna@fir_ma.pl", "anna@[1.2.3.4]", "anna@[IPv6:zz]", '"anna k"@firma.pl', '"anna"x@firma.pl', "a@b@c.pl"),
    *("Anna <anna@firma.pl>", "<anna@firma.pl", "anna\uff20firma.pl", "a" * 65 + "@firma.pl", "x" * 600, "anna@firma"),
    *("anna@" + "a" * 64 + ".pl", "anna@" + "abcdefgh." * 40 + "pl", "anna@xn--zzzzzz.pl", "anna@\u2488.pl"),
    *("an\u200bna@firma.pl", "an\u00adna@firma.pl", "anna@firma\u200b.pl", "anna@1.2.3.4", "\u0301a@firma.pl"),
    *("anna@\u05d0a.pl", "anna@" + "\u0105" * 60 + ".pl", "anna@\ud800.pl", "anna\n@firma.pl", "an\\na@firma.pl"),
]  # fmt: skip


def wrong_template(source: str) -> BadTemplate:
    with pytest.raises(BadTemplate) as told:
        compile_text(source, html=False, known_fields=("name", "surname")).render({"name": "Jan"})
    return told.value


def wrong_address(text: str) -> BadAddress:
    with pytest.raises(BadAddress) as told:
        parse(text)
    return told.value


def english_in(told: str, error: str, language: str) -> set[str]:
    """Words of the English sentence; any in Latin letters for Bulgarian. What is quoted came from the writer."""
    spoken = re.sub(r"„[^“”]*[“”]|: [^ ]{1,6}( [^ ]{1,6})*$|@|anna@\S+|\bU\+\w+", " ", told)
    if language == "bg":
        return set(re.findall(r"[A-Za-z]{2,}", spoken))
    english = set(re.findall(r"[a-z]{2,}", re.sub(r"'[^']*'", " ", error), re.I)) - {
        "do",
        "to",
        "mail",
        "zero",
    }
    return set(re.findall(r"\w{2,}", spoken)) & english


@pytest.mark.parametrize("language", ["pl", "bg"])
def test_no_broken_template_is_explained_in_english(language):
    left = {}
    for source in TEMPLATES:
        error = wrong_template(source).message
        with translation.override(language):
            told = said(error)
        if told == error or english_in(told, error, language) - {"nope", "name"}:
            left[source[:60]] = told
    assert left == {}


@pytest.mark.parametrize("language", ["pl", "bg"])
def test_no_wrong_address_is_explained_in_english(language):
    left = {}
    for text in ADDRESSES:
        error = wrong_address(text).message
        with translation.override(language):
            told = said(error)
        if told == error or english_in(told, error, language):
            left[text[:60]] = told
    assert left == {}


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("a\n\n{{ name | }}", "line 3: the name of a filter is missing after '|'"),
        ("{{ name }}\n{% if name %}\n{% for i in (1..2) %}{% endfor %}", "line 2: the tag 'if' has no end"),
        ("{% if name %}x\n{% if name == %}y{% endif %}{% endif %}", "line 2: a field or a value is missing"),
        ("{{ name }}\n{{ name", "line 2: expected '}}'"),
        ("{{ name }}\n{% assign x %}\n{{ name }}", "line 2: expected '='"),
    ],
)
def test_the_line_is_named_even_where_an_expression_only_stops(source, words):
    assert wrong_template(source).message.startswith(words)


def test_words_of_a_library_that_nobody_knows_are_never_shown():
    token = Token("word", "brandnew", 4, "a\nb {{ brandnew }}")
    new = LiquidSyntaxError("brandnew grievance of the parser", token=token)
    told = template_explained(new, token.source, frozenset(), frozenset())
    assert told == "line 2: this cannot be understood"
    assert address_explained("Brandnew grievance of the validator.") == UNREADABLE
    with translation.override("pl"):
        assert said(told) == "wiersz 2: tego nie da się zrozumieć"
        assert said(UNREADABLE) != UNREADABLE
