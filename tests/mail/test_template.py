"""Templates: plain fields, the general language, and templates that mean harm."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postroom.errors import BadTemplate, MissingValue
from postroom.mail.template import compile_text

KNOWN = ("name", "surname", "imię", "salutation", "vip")


def render(source, values=None, *, html=False, **options):
    return compile_text(source, html=html, known_fields=KNOWN).render(values or {}, **options)


def test_fields_are_filled_in():
    values = {"name": "Jan", "sender.name": "Firma", "imię": "Żaneta"}
    assert (
        render("{{ name }}, {{contact.name}}, {{ sender.name }}, {{ imię }}", values)
        == "Jan, Jan, Firma, Żaneta"
    )


def test_values_are_escaped_in_html_only():
    values = {"name": '<b>"O\'Neil" & Co</b>'}
    assert render("{{ name }}", values) == values["name"]
    escaped = "&lt;b&gt;&#34;O&#39;Neil&#34; &amp; Co&lt;/b&gt;"
    assert render("{{ name }}", values, html=True) == escaped
    assert render("{% if name %}{{ name }}{% endif %}", values, html=True) == escaped


@pytest.mark.parametrize("value", [None, "", "  ", "\xa0"])
def test_an_empty_value_takes_the_fallback(value):
    assert render("Dear {{ name | default: 'Customer' }}", {"name": value}) == "Dear Customer"
    assert render("{% if name %}y{% else %}n{% endif %}", {"name": value}) == "n"
    assert render("{% if name == '' %}y{% else %}n{% endif %}", {"name": value}) == "y"
    assert render("{{ name | upcase | default: 'Customer' }}", {"name": value}) == "Customer"
    assert render("[{{ name }}{% if name %}{% endif %}]", {"name": value}, empty_values=True) == "[]"


@pytest.mark.parametrize(
    "source",
    ["{{ name }}", "{% if true %}{{ name }}{% endif %}", "{{ name | upcase }}", "{{ 'a' | append: name }}"],
)
def test_an_empty_value_without_fallback_is_named(source):
    with pytest.raises(MissingValue) as error:
        render(source)
    assert error.value.field == "name"


def test_unknown_fields_are_all_named_with_their_line_and_neighbour():
    with pytest.raises(BadTemplate) as error:
        render("{{ nope9 }}\n{{ surnam }}\n{% if sender.nme == contact.imie %}{% endif %}")
    assert error.value.code == "UNKNOWN_FIELD"
    assert error.value.details["unknown"] == {
        "nope9": "",
        "surnam": "surname",
        "sender.nme": "sender.name",
        "contact.imie": "imię",
    }
    assert "surnam (line 2, did you mean surname?)" in error.value.message


@pytest.mark.parametrize(
    "source", ["{{ now }}", "{{ contact }}", "{{ contact[name] }}", "{{ today }}", "{{ forloop.index }}"]
)
def test_nothing_but_known_fields_can_be_read(source):
    with pytest.raises(BadTemplate):
        render(source)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("a\nb {{ name", "line 2"),
        ("\n\n{% endfor %}", "line 3"),
        ("{% if name %}", "endif"),
        ("{{ name | nope }}", "nope"),
        ("{{ name | safe }}", "safe"),
        ("{% include 'x' %}", "include"),
        ("{% render 'x' %}", "render"),
        ("{% raw %}{% endraw %}", "raw"),
        ("{{ name name }}", "line 1"),
        ("{{{ name }}}", "line 1"),
    ],
)
def test_a_broken_template_is_refused_with_its_place(source, words):
    with pytest.raises(BadTemplate) as error:
        render(source)
    assert words in error.value.message


def test_the_language_works():
    source = "{% for i in (1..3) %}{{ i }}{% endfor %} {{ name | upcase | truncate: 4 }}"
    source += " {% assign x = name %}{{ x.size }}"
    assert render(source, {"name": "Bartosz"}) == "123 B... 7"
    assert render("{{ date.today | date: '%d.%m.%Y' }}", {"date.today": "2026-03-01"}) == "01.03.2026"
    assert render("{% if vip > 3 %}y{% endif %}{{ vip }}", {"vip": 4}) == "y4"


def test_fields_and_fallbacks_are_known():
    compiled = compile_text(
        "{{ name | default: 'x' }}{{ contact.surname }}{% if vip %}{{ sender.name | upcase }}{% endif %}",
        html=True,
        known_fields=KNOWN,
    )
    assert compiled.fields == {"name", "surname", "vip", "sender.name"}
    assert compiled.has_fallback == {"name": True, "surname": False, "vip": True, "sender.name": False}


HOSTILE = [
    "{% for i in (1..1000000000) %}x{% endfor %}",
    "{% for i in (1..1000) %}{% for j in (1..1000) %}x{% endfor %}{% endfor %}",
    "{% assign a='aaaaaaaaaa' %}{% for i in (1..100) %}{% assign a = a | append: a %}{% endfor %}",
    "{% assign a='aaaaaaaaaa' %}{% for i in (1..100) %}{% capture a %}{{ a }}{{ a }}{% endcapture %}{% endfor %}",
    "{{ 'aaaaaaaaaa'" + " | replace: 'a', 'aaaaaaaaaa'" * 10 + " }}",
    "{% assign a=2 %}{% for i in (1..1000) %}{% assign a = a | times: a %}{% endfor %}",
    "{{ (1..1000000000) | join: 'x' }}",
    "{{ (1..1000000000) | reverse | first }}",
    "{% capture a %}{% for i in (1..999) %}"
    + "x" * 999
    + "{% endfor %}{% endcapture %}{% for i in (1..999) %}{{ a }}{% endfor %}",
    "{% capture a %}{% for i in (1..999) %}" + "x" * 900 + "{% endfor %}{% endcapture %}"
    "{% for i in (1..5000) %}{% assign b = a | upcase | downcase %}{% endfor %}",
    "{% if " + "a[" * 5000 + "name" + "]" * 5000 + " %}{% endif %}",
    "{% if name " + "and name " * 50_000 + " %}{% endif %}",
    "{% if name %}" * 100 + "{% endif %}" * 100,
    "{{" + " " * 200_000 + "x",
    "{{" + " " * 200_000 + "}}",
    "{% raw %}" * 3000,
    "{{ 1 | divided_by: 0 }}",
    "x" * 2_000_001,
]


@pytest.mark.parametrize("source", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_template_is_stopped(source):
    with pytest.raises(BadTemplate):
        render(source)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "{{",
                "}}",
                "{%",
                "%}",
                " ",
                "name",
                "contact.",
                "if ",
                "endif",
                "|",
                "default:",
                "'x'",
                "for i in ",
                "\n",
                "-",
                "[",
            ]
        ),
        max_size=25,
    ).map("".join),
    st.booleans(),
)
def test_any_source_is_read_or_refused_and_both_ways_agree(source, html):
    values = {"name": "<Jan>"}
    try:
        compiled = compile_text(source, html=html, known_fields=KNOWN)
        text = compiled.render(values)
    except BadTemplate:
        return
    assert text == compiled.render_general(values)
