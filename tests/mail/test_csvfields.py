"""Which column is which field, in three languages and without names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.mail.csvfields import attribute_key, guess_mapping
from postroom.mail.template import compile_text

ROWS = [["jan@firm.pl", "Jan", "Kowalski", "Firma"], ["anna@firm.pl", "Anna", "Nowak", "Spółka"]]


@pytest.mark.parametrize(
    "header",
    [
        ["E-mail", "Imię", "Nazwisko", "Firma"],
        ["adres e-mail", "IMIE", "NAZWISKO", "Nazwa firmy"],
        ["Имейл", "Име", "Фамилия", "Фирма"],
        ["Ел. поща", "име", "Фамилно име", "Компания"],
        ["Email Address", "First name", "Last_Name", "Company"],
        ["e-mail", "name", "surname", "organisation"],
    ],
)
def test_columns_are_known_by_name(header):
    assert guess_mapping(header, ROWS) == {0: "email", 1: "name", 2: "surname", 3: "company"}


def test_a_full_name_is_one_field():
    for name in ("Imię i nazwisko", "Имена", "Full name", "Име и фамилия"):
        assert guess_mapping([name, "mail"], [["Jan Nowak", "a@b.pl"]]) == {0: "full_name", 1: "email"}


def test_addresses_are_known_by_content():
    assert guess_mapping([], [["Jan", "a@b.pl"], ["Anna", "c@d.pl"]]) == {1: "email"}
    assert guess_mapping(["x", "y"], [["Jan", "a@b.pl"]]) == {1: "email"}


def test_a_street_is_not_an_address():
    assert guess_mapping(["Adres", "Kontakt"], [["ul. Długa 5", "a@b.pl"]]) == {1: "email"}
    assert guess_mapping(["Adres"], [["ul. Długa 5"]]) == {}


def test_a_key_is_given_once():
    assert guess_mapping(["email", "e-mail 2", "mail"], [["a@b.pl", "c@d.pl", "e@f.pl"]]) == {0: "email"}
    assert guess_mapping(["Imię", "name"], [["Jan", "Jan"]]) == {0: "name"}


def test_no_columns_no_mapping():
    assert guess_mapping([], []) == {}


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Kod rabatowy", "kod_rabatowy"),
        ("Име", "име"),
        ("2nd phone", "field_2nd_phone"),
        ("???", "field"),
        ("Sender", "sender_"),
    ],
)
def test_a_free_column_gets_a_key(name, key):
    assert attribute_key(name) == key


@given(st.text(max_size=30))
def test_every_key_can_stand_in_a_template(name):
    key = attribute_key(name)
    compiled = compile_text(f"{{{{ {key} }}}}", html=False, known_fields=[key])
    assert compiled.render({key: "value"}) == "value"
    assert compiled.render_general({key: "value"}) == "value"
