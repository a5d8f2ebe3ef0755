"""People: adding, changing, finding, deleting, and the way back."""

import pytest

from postroom.actions.contact import (
    ContactValues,
    attribute_key_add,
    contact_add,
    contact_delete,
    contact_edit,
    contact_put_back,
)
from postroom.actions.contact_list import contact_list_add, contact_list_fill
from postroom.actions.suppression import suppression_add
from postroom.errors import BadAddress, Conflict, InputError, NotFound
from postroom.models.contact import Contact, ContactList
from postroom.models.delivery import Delivery
from postroom.queries.contact import (
    contact_count,
    contact_deliveries,
    contact_export,
    contact_page,
    contact_visible_to,
)
from postroom.testing.cast import make_cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return make_cast()


def add(viewer, email, **values):
    return contact_add(viewer=viewer, values=ContactValues(email=email, **values))


def names(page):
    return [str(row.contact) for row in page.rows]


def test_a_person_is_added_with_free_fields(cast):
    key = attribute_key_add(viewer=cast.alice, label="Nr klienta")
    contact = add(cast.alice, " Jan@Firma.PL ", name="Jan", attributes={key.key: "K-1"})
    assert (contact.email, contact.canonical) == ("Jan@firma.pl", "jan@firma.pl")
    assert contact.attributes == {"nr_klienta": "K-1"}


def test_the_same_address_is_refused_with_the_name_of_who_has_it(cast):
    first = add(cast.alice, "jan@firma.pl", name="Jan")
    with pytest.raises(Conflict, match="Jan has this address") as caught:
        add(cast.alice, "JAN@firma.pl")
    assert caught.value.code == "CONTACT_EXISTS"
    assert caught.value.details == {"contact_id": first.id}
    add(cast.charlie, "jan@firma.pl")  # another firm may have it


@pytest.mark.parametrize("bad", ["", "jan", "jan@", "jan@firma.pl\nBcc: x@y.pl", "a b@firma.pl"])
def test_what_is_no_address_is_refused(cast, bad):
    with pytest.raises(BadAddress) as caught:
        add(cast.alice, bad)
    assert caught.value.field == "email"


def test_a_field_that_does_not_exist_is_refused(cast):
    with pytest.raises(InputError):
        add(cast.alice, "a@b.example", attributes={"nope": "x"})


def test_a_change_over_somebody_elses_is_refused(cast):
    contact = add(cast.alice, "jan@firma.pl")
    contact_edit(
        viewer=cast.bob,
        contact_id=contact.id,
        version=1,
        values=ContactValues(email=contact.email, name="Bob's"),
    )
    with pytest.raises(Conflict) as caught:
        contact_edit(
            viewer=cast.alice, contact_id=contact.id, version=1, values=ContactValues(email="x@y.example")
        )
    assert caught.value.code == "STALE_VERSION"
    assert Contact.objects.get(id=contact.id).name == "Bob's"


def test_a_change_is_found_by_its_new_name_and_not_by_the_old(cast):
    contact = add(cast.alice, "jan@firma.pl", surname="Kowalski")
    contact_edit(
        viewer=cast.alice,
        contact_id=contact.id,
        version=1,
        values=ContactValues(email="jan@firma.pl", surname="Żuławski"),
    )
    assert names(contact_page(cast.alice, words="zulaw")) == ["Żuławski"]
    assert names(contact_page(cast.alice, words="kowalski")) == []


def test_search_takes_words_in_any_order_without_accents_and_no_wildcards(cast):
    add(cast.alice, "z@stolarnia.example", name="Zofia", surname="Dąbrowska", company="Stolarnia Dąbek")
    add(cast.alice, "x@other.example", name="Ola", surname="Nowak")
    add(cast.charlie, "z@elsewhere.example", surname="Dąbrowska")
    for words in ("dabrow", "DĄBROWSKA zofia", "stolarnia zof", "@stolarnia"):
        assert names(contact_page(cast.alice, words=words)) == ["Zofia Dąbrowska"]
    for words in ("%", "_", "d%a", "zofia nowak"):
        assert names(contact_page(cast.alice, words=words)) == []


def test_pages_follow_one_another_both_ways_in_polish_order(cast):
    for name in ["Żak", "Zając", "Łoś", "Lis", "Mazur", "Ćwik", "Cyran"]:
        add(cast.alice, f"{len(name)}{ord(name[0])}@b.example", surname=name)
    first = contact_page(cast.alice, size=3)
    assert names(first) == ["Cyran", "Ćwik", "Lis"]
    assert first.previous == ""
    second = contact_page(cast.alice, size=3, at=first.following)
    assert names(second) == ["Łoś", "Mazur", "Zając"]
    third = contact_page(cast.alice, size=3, at=second.following)
    assert names(third) == ["Żak"]
    assert third.following == ""
    back = contact_page(cast.alice, size=3, at=third.previous)
    assert names(back) == names(second)
    assert names(contact_page(cast.alice, size=3, at=back.previous)) == names(first)
    newest = contact_page(cast.alice, size=3, sort="newest")
    assert names(newest) == ["Cyran", "Ćwik", "Mazur"]
    assert names(contact_page(cast.alice, size=3, sort="newest", at=newest.following)) == [
        "Lis",
        "Łoś",
        "Zając",
    ]


def test_the_page_says_who_may_not_be_written_to_and_why(cast):
    firm = cast.alice.workspace.id
    for email in ["gone@b.example", "x@firm.example", "x@a.school.example", "jobs@c.example", "ok@b.example"]:
        add(cast.alice, email)
    for form, value, source in [
        ("address", "gone@b.example", "bounce"),
        ("domain", "firm.example", "manual"),
        ("subdomains", "school.example", "import"),
        ("local", "jobs", "unsubscribe"),
    ]:
        suppression_add(workspace_id=firm, entry_form=form, value=value, source=source)
    rows = {
        row.contact.email: [entry.source for entry in row.blocks] for row in contact_page(cast.alice).rows
    }
    assert rows == {
        "gone@b.example": ["bounce"],
        "x@firm.example": ["manual"],
        "x@a.school.example": ["import"],
        "jobs@c.example": ["unsubscribe"],
        "ok@b.example": [],
    }
    assert len(contact_page(cast.alice, only="blocked").rows) == 4
    assert contact_count(cast.alice, only="blocked").number == 4
    assert contact_count(cast.alice, only="unlisted").number == 5


def test_deleted_people_come_back_with_lists_and_deliveries(cast):
    contact = add(cast.alice, "jan@firma.pl", name="Jan")
    some = contact_list_add(viewer=cast.alice, name="Some")
    contact_list_fill(viewer=cast.alice, list_id=some.id, contact_ids=[contact.id])
    Delivery.objects.create(
        workspace=cast.alice.workspace, contact=contact, address=contact.email, canonical=contact.canonical
    )
    count, step = contact_delete(viewer=cast.alice, ids=[contact.id])
    assert count == 1
    assert not Contact.objects.exists()
    assert ContactList.objects.get().size == 0
    assert Delivery.objects.get().contact_id is None
    with pytest.raises(Conflict):
        contact_put_back(viewer=cast.bob, step_id=step)
    assert contact_put_back(viewer=cast.alice, step_id=step) == 1
    assert names(contact_page(cast.alice, words="jan", list_id=some.id)) == ["Jan"]
    assert ContactList.objects.get().size == 1
    assert len(contact_deliveries(cast.alice, contact_visible_to(cast.alice, contact.id))) == 1
    with pytest.raises(Conflict):
        contact_put_back(viewer=cast.alice, step_id=step)


def test_another_firms_people_cannot_be_seen_changed_or_deleted(cast):
    contact = add(cast.alice, "jan@firma.pl")
    with pytest.raises(NotFound):
        contact_visible_to(cast.charlie, contact.id)
    with pytest.raises(NotFound):
        contact_edit(
            viewer=cast.charlie, contact_id=contact.id, version=1, values=ContactValues(email="x@y.example")
        )
    with pytest.raises(NotFound):
        contact_delete(viewer=cast.charlie, ids=[contact.id])
    own = contact_list_add(viewer=cast.charlie, name="Mine")
    assert contact_list_fill(viewer=cast.charlie, list_id=own.id, contact_ids=[contact.id]) == 0


def test_the_export_holds_everybody_once_with_their_fields(cast):
    key = attribute_key_add(viewer=cast.alice, label="Miasto")
    for number in range(3):
        add(cast.alice, f"p{number}@b.example", surname=f"Żak{number}", attributes={key.key: "Łódź"})
    rows = list(contact_export(cast.alice))
    assert rows[0][0] == "email"
    assert rows[0][-1] == "Miasto"
    assert [(row[0], row[2], row[-1]) for row in rows[1:]] == [
        (f"p{number}@b.example", f"Żak{number}", "Łódź") for number in range(3)
    ]


def test_a_page_of_a_kind_looks_at_a_part_of_the_people_and_goes_on_beside_it(cast, monkeypatch):
    monkeypatch.setattr("postroom.queries.contact.LOOK", {"blocked": 3, "unlisted": 3})
    for number in range(8):
        add(cast.alice, f"p{number}@example.net", name=f"Person {number}")
    suppression_add(
        workspace_id=cast.alice.workspace.id, entry_form="address", value="p7@example.net", source="bounce"
    )
    at, seen, pages = "", [], 0
    while pages == 0 or at:
        page = contact_page(cast.alice, only="blocked", at=at)
        seen += [row.contact.email for row in page.rows]
        at, pages = page.following, pages + 1
        assert page.looking == bool(at)
    assert (seen, pages) == (["p7@example.net"], 3)


def test_a_page_of_a_kind_is_read_backwards_too(cast, monkeypatch):
    monkeypatch.setattr("postroom.queries.contact.LOOK", {"blocked": 3, "unlisted": 3})
    for number in range(8):
        add(cast.alice, f"p{number}@example.net", name=f"Person {number}")
    forward, at = [], ""
    while not forward or at:
        page = contact_page(cast.alice, only="unlisted", at=at, size=2)
        forward += names(page)
        last, at = page, page.following
    back = names(last)
    while last.previous:
        last = contact_page(cast.alice, only="unlisted", at=last.previous, size=2)
        back = names(last) + back
    assert forward == back == [f"Person {number}" for number in range(8)]
