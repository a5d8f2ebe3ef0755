import pytest

from postroom.actions.contact import attribute_key_add
from postroom.actions.sharing import Sharing, sharing_save
from postroom.actions.template import (
    TemplateValues,
    template_add,
    template_copy,
    template_delete,
    template_edit,
    template_put_back,
)
from postroom.errors import BadTemplate, Conflict, InputError, NotFound
from postroom.models.campaign import Campaign
from postroom.models.template import Template
from postroom.queries.template import template_visible_to, templates_visible_to
from postroom.testing.cast import make_cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return make_cast()


def add(viewer, name="Letter", **values):
    return template_add(viewer=viewer, values=TemplateValues(name, **values))


def test_unknown_fields_of_all_parts_are_named_and_nothing_is_stored(cast):
    with pytest.raises(BadTemplate) as caught:
        add(cast.alice, subject="{{ nope }}", html="<p>{{ wrong }} {{ name }}</p>", text="{{ nope }}")
    assert caught.value.code == "UNKNOWN_FIELD"
    assert set(caught.value.details["unknown"]) == {"nope", "wrong"}
    assert "nope" in caught.value.message
    assert "wrong" in caught.value.message
    assert not Template.objects.exists()


def test_a_free_field_of_the_firm_may_be_used(cast):
    attribute_key_add(viewer=cast.alice, label="Nr klienta")
    add(cast.alice, text="{{ nr_klienta | default: 'none' }}")
    with pytest.raises(BadTemplate):
        add(cast.charlie, text="{{ nr_klienta }}")


def test_a_syntax_error_is_told_at_its_part(cast):
    with pytest.raises(BadTemplate) as caught:
        add(cast.alice, text="{% if name %}never closed")
    assert caught.value.field == "text"


def test_names_are_needed_and_free_whatever_their_case(cast):
    add(cast.alice, "Oferta")
    with pytest.raises(Conflict) as caught:
        add(cast.bob, "OFERTA")
    assert caught.value.code == "NAME_TAKEN"
    with pytest.raises(InputError):
        add(cast.alice, " ")
    with pytest.raises(InputError):
        add(cast.alice, "x" * 121)


@pytest.mark.req("CM-14/15")
def test_templates_are_edited_found_by_name_and_kept_while_a_schedule_uses_them(cast):
    zazolc = add(cast.alice, "Zażółć gęślą", text="Old")
    add(cast.alice, "Other", text="zaz")
    edited = template_edit(
        viewer=cast.alice, template_id=zazolc.id, version=1, values=TemplateValues("Zażółć gęślą", text="New")
    )
    assert (edited.text, edited.version) == ("New", 2)
    assert [one.name for one in templates_visible_to(cast.alice, "zaz")] == ["Zażółć gęślą"]
    used = Campaign.objects.create(
        workspace=cast.alice.workspace, name="Autumn", template=zazolc, text="New", state="scheduled"
    )
    with pytest.raises(Conflict, match="Autumn") as caught:
        template_delete(viewer=cast.alice, template_id=zazolc.id)
    assert caught.value.code == "IN_USE"
    used.state = "finished"
    used.save()
    step = template_delete(viewer=cast.alice, template_id=zazolc.id)
    assert templates_visible_to(cast.alice, "zaz") == []
    assert Campaign.objects.get().text == "New"
    assert template_put_back(viewer=cast.alice, step_id=step).id == zazolc.id


def test_a_save_over_somebody_elses_is_refused(cast):
    one = add(cast.alice, text="One")
    sharing_save(viewer=cast.alice, thing=one, sharing=Sharing("workspace", everyone=["edit"]))
    template_edit(
        viewer=cast.bob, template_id=one.id, version=1, values=TemplateValues("Letter", text="Bob's")
    )
    with pytest.raises(Conflict) as caught:
        template_edit(
            viewer=cast.alice, template_id=one.id, version=1, values=TemplateValues("Letter", text="Mine")
        )
    assert caught.value.code == "STALE_VERSION"
    assert caught.value.details["by"] == "Bob"
    assert caught.value.details["theirs"]["text"] == "Bob's"
    assert caught.value.details["yours"]["text"] == "Mine"
    assert Template.objects.get().text == "Bob's"


def test_copies_get_the_next_free_name(cast):
    one = add(cast.alice, "Oferta", subject="S", html="<p>H</p>", text="T")
    first = template_copy(viewer=cast.alice, template_id=one.id, name="Oferta")
    second = template_copy(viewer=cast.alice, template_id=one.id, name="Oferta")
    assert [first.name, second.name] == ["Oferta 2", "Oferta 3"]
    assert (first.subject, first.html, first.text) == ("S", "<p>H</p>", "T")


def test_another_firms_template_is_not_there(cast):
    one = add(cast.alice)
    for act in (
        lambda: template_visible_to(cast.charlie, one.id),
        lambda: template_edit(viewer=cast.charlie, template_id=one.id, version=1, values=TemplateValues("X")),
        lambda: template_copy(viewer=cast.charlie, template_id=one.id, name="X"),
        lambda: template_delete(viewer=cast.charlie, template_id=one.id),
    ):
        with pytest.raises(NotFound):
            act()
    assert templates_visible_to(cast.charlie) == []
