"""The catalogue of special fields."""

from postroom.mail.fields import CATALOGUE, CONTACT_KEYS, GROUPS, RESERVED, canonical_key, contact_values
from postroom.mail.template import compile_text


def test_every_field_of_the_catalogue_can_be_used_without_further_ado():
    for field in CATALOGUE:
        compiled = compile_text(f"{{{{ {field.key} }}}}", html=False, known_fields=CONTACT_KEYS)
        assert compiled.fields == {field.key}
        assert compiled.render({field.key: "x"}) == "x"
        assert field.group in GROUPS
        assert field.label


def test_a_contact_has_a_value_for_each_of_its_fields():
    values = contact_values(
        email="a@b.pl", name="Jan", surname="Nowak", attributes={"code": 5, "name": "other"}
    )
    assert values["full_name"] == "Jan Nowak"
    assert values["name"] == "Jan"
    assert values["code"] == 5
    assert values.keys() >= CONTACT_KEYS
    assert contact_values(email="a@b.pl", full_name="Jan N.")["full_name"] == "Jan N."
    assert contact_values(email="a@b.pl")["full_name"] == ""


def test_the_group_contact_may_be_left_out():
    assert canonical_key("contact.name") == "name"
    assert canonical_key("sender.name") == "sender.name"


def test_words_of_the_language_are_no_keys():
    assert {"contact", "sender", "date", "true", "for", "now"} <= RESERVED
