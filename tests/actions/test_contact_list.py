import pytest

from postroom.actions.contact import ContactValues, contact_add
from postroom.actions.contact_list import (
    contact_list_add,
    contact_list_delete,
    contact_list_fill,
    contact_list_members_put_back,
    contact_list_put_back,
    contact_list_rename,
    contact_list_take_off,
)
from postroom.errors import Conflict, InputError, NotFound
from postroom.models.contact import ContactList, ListMember
from postroom.queries.contact_list import contact_list_visible_to, contact_lists_visible_to
from postroom.testing.cast import make_cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return make_cast()


def test_names_are_needed_and_free_whatever_their_case(cast):
    contact_list_add(viewer=cast.alice, name=" Klienci  2026 ")
    assert ContactList.objects.get().name == "Klienci 2026"
    with pytest.raises(Conflict) as caught:
        contact_list_add(viewer=cast.bob, name="KLIENCI 2026")
    assert caught.value.code == "NAME_TAKEN"
    with pytest.raises(InputError):
        contact_list_add(viewer=cast.alice, name="  ")
    contact_list_add(viewer=cast.charlie, name="Klienci 2026")


def test_the_size_is_kept_when_people_come_and_go(cast):
    people = [contact_add(viewer=cast.alice, values=ContactValues(email=f"p{n}@b.example")) for n in range(4)]
    some = contact_list_add(viewer=cast.alice, name="Some")
    ids = [person.id for person in people]
    assert contact_list_fill(viewer=cast.alice, list_id=some.id, contact_ids=ids[:3]) == 3
    assert contact_list_fill(viewer=cast.alice, list_id=some.id, contact_ids=ids) == 1
    count, step = contact_list_take_off(viewer=cast.alice, list_id=some.id, contact_ids=ids[:2])
    some.refresh_from_db()
    assert (count, some.size) == (2, 2)
    assert contact_list_members_put_back(viewer=cast.alice, step_id=step) == 2
    some.refresh_from_db()
    assert some.size == ListMember.objects.filter(contact_list=some).count() == 4


def test_a_deleted_list_comes_back_with_its_people(cast):
    person = contact_add(viewer=cast.alice, values=ContactValues(email="p@b.example"))
    some = contact_list_add(viewer=cast.alice, name="Some")
    contact_list_fill(viewer=cast.alice, list_id=some.id, contact_ids=[person.id])
    step = contact_list_delete(viewer=cast.alice, list_id=some.id)
    with pytest.raises(NotFound):
        contact_list_visible_to(cast.alice, some.id)
    assert contact_list_put_back(viewer=cast.alice, step_id=step).size == 1


def test_lists_stand_in_polish_order_and_are_found_without_accents(cast):
    for name in ("Żeglarze", "Zarząd", "Ćwiczenia", "Ceramika"):
        contact_list_add(viewer=cast.alice, name=name)
    assert [one.name for one in contact_lists_visible_to(cast.alice)] == [
        "Ceramika",
        "Ćwiczenia",
        "Zarząd",
        "Żeglarze",
    ]
    assert [one.name for one in contact_lists_visible_to(cast.alice, "zeg")] == ["Żeglarze"]


def test_another_firms_list_is_not_there(cast):
    some = contact_list_add(viewer=cast.alice, name="Some")
    for act in (
        lambda: contact_list_visible_to(cast.charlie, some.id),
        lambda: contact_list_rename(viewer=cast.charlie, list_id=some.id, name="X"),
        lambda: contact_list_delete(viewer=cast.charlie, list_id=some.id),
        lambda: contact_list_fill(viewer=cast.charlie, list_id=some.id, contact_ids=[]),
    ):
        with pytest.raises(NotFound):
            act()
