"""Contacts > People, as a person uses it."""

import csv
import io

import pytest

from postroom.actions.contact import ContactValues, attribute_key_add, contact_add
from postroom.actions.suppression import suppression_enter
from postroom.models.contact import Contact, ContactList
from postroom.models.delivery import Delivery
from postroom.models.suppression import Suppression

pytestmark = pytest.mark.django_db


@pytest.fixture
def web(as_user, alice):
    return as_user(alice)


@pytest.fixture
def zofia(cast):
    return contact_add(
        viewer=cast.alice,
        values=ContactValues(
            email="zofia@stolarnia.example", name="Zofia", surname="Dąbrowska", company="Stolarnia Dąbek"
        ),
    )


def rows(answer):
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text), delimiter=";"))


def test_an_empty_page_says_what_to_do(web):
    page = web.get("/contacts/").content.decode()
    assert "Bring your people in" in page
    assert "/contacts/imports/new/" in page


def test_a_person_is_added_changed_and_found(web):
    assert web.post("/contacts/new/", {"email": "jan@firma.pl", "surname": "Żuławski"}).status_code == 302
    contact = Contact.objects.get()
    assert "Żuławski" in web.get("/contacts/?q=zulaw").content.decode()
    form = {"email": "jan@firma.pl", "surname": "Kowalski", "version": 1}
    assert web.post(f"/contacts/{contact.id}/", form).status_code == 302
    assert "Nobody's name" in web.get("/contacts/?q=zulaw").content.decode()


def test_an_address_that_is_none_keeps_what_was_typed(web):
    answer = web.post("/contacts/new/", {"email": "bad@", "name": "Ewa"})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert 'value="bad@"' in page
    assert 'value="Ewa"' in page
    assert not Contact.objects.exists()


def test_an_address_that_is_here_already_is_a_conflict(web, zofia):
    answer = web.post("/contacts/new/", {"email": "ZOFIA@stolarnia.example"})
    assert answer.status_code == 409
    assert "Zofia Dąbrowska has this address already" in answer.content.decode()


def test_a_stale_save_keeps_what_was_typed_and_shows_what_is_stored(web, zofia):
    web.post(f"/contacts/{zofia.id}/", {"email": zofia.email, "surname": "Theirs", "version": 1})
    mine = {"email": zofia.email, "surname": "Mine", "version": 1}
    answer = web.post(f"/contacts/{zofia.id}/", mine)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert 'value="Mine"' in page
    assert "<b>Theirs</b>" in page
    assert Contact.objects.get().surname == "Theirs"
    assert 'name="version" value="2"' in page
    assert web.post(f"/contacts/{zofia.id}/", {**mine, "version": 2}).status_code == 302
    assert Contact.objects.get().surname == "Mine"


def test_the_page_of_a_person_shows_what_was_sent_and_why_not(cast, web, zofia):
    Delivery.objects.create(
        workspace=cast.alice.workspace,
        contact=zofia,
        address=zofia.email,
        canonical=zofia.canonical,
        state="failed",
        words="550 5.1.1 <zofia> no such user",
    )
    suppression_enter(viewer=cast.alice, entry="@stolarnia.example", why="Competitor")
    page = web.get(f"/contacts/{zofia.id}/").content.decode()
    assert "550 5.1.1 &lt;zofia&gt; no such user" in page
    assert "No, suppressed" in page
    assert "@stolarnia.example" in page


def test_markup_in_a_name_is_shown_as_it_is(cast, web):
    contact_add(viewer=cast.alice, values=ContactValues(email="x@y.example", name="<b>Eve</b>"))
    page = web.get("/contacts/").content.decode()
    assert "&lt;b&gt;Eve&lt;/b&gt;" in page
    assert "<b>Eve" not in page


def test_deleting_counts_and_can_be_undone(web, zofia):
    answer = web.post("/contacts/do/", {"id": zofia.id, "act": "delete"}, follow=True)
    page = answer.content.decode()
    assert "1 person is deleted." in page
    path = page.split('action="/contacts/undo/')[1].split('"')[0]
    assert not Contact.objects.exists()
    assert "1 person is back." in web.post(f"/contacts/undo/{path}", follow=True).content.decode()
    assert Contact.objects.get().id == zofia.id


def test_a_selection_goes_on_a_new_list_or_is_suppressed(web, zofia):
    web.post("/contacts/do/", {"id": zofia.id, "act": "list", "list": "new", "new_list": "Klienci"})
    assert ContactList.objects.get().size == 1
    page = web.get(f"/contacts/?list={ContactList.objects.get().id}").content.decode()
    assert "Zofia" in page
    web.post("/contacts/do/", {"id": zofia.id, "act": "suppress", "why": "asked by phone"})
    entry = Suppression.objects.get()
    assert (entry.value, entry.why, entry.source) == ("zofia@stolarnia.example", "asked by phone", "manual")


def test_nobody_chosen_is_said_in_words(web):
    answer = web.post("/contacts/do/", {"act": "delete"})
    assert answer.status_code == 422
    assert "Choose somebody first." in answer.content.decode()


def test_the_way_back_never_leads_elsewhere(web, zofia):
    for bad in ("https://evil.example/", "//evil.example/", "/contacts//evil.example", "javascript:alert(1)"):
        answer = web.post("/contacts/do/", {"id": zofia.id, "act": "suppress", "back": bad})
        assert answer.headers["Location"] == "/contacts/"


def test_an_export_runs_no_formulas(cast, web):
    key = attribute_key_add(viewer=cast.alice, label="Note")
    contact_add(
        viewer=cast.alice,
        values=ContactValues(
            email="a@b.example",
            name="=HYPERLINK(1)",
            surname="@SUM(1)",
            company="+48 600 100 200",
            salutation="-cmd|' /C calc'!A1",
            attributes={key.key: "+1+cmd"},
        ),
    )
    _, row = rows(web.get("/contacts/export/"))
    assert row == [
        "a@b.example",
        "'=HYPERLINK(1)",
        "'@SUM(1)",
        "'-cmd|' /C calc'!A1",
        "+48 600 100 200",
        "Other",
        "",
        "'+1+cmd",
    ]


def test_a_free_field_is_made_and_filled(web, zofia):
    web.post("/contacts/fields/", {"label": "Nr klienta", "back": f"/contacts/{zofia.id}/"})
    form = {"email": zofia.email, "version": 1, "attr_nr_klienta": "K-1"}
    assert web.post(f"/contacts/{zofia.id}/", form).status_code == 302
    assert Contact.objects.get().attributes == {"nr_klienta": "K-1"}


def test_a_stranger_sees_nothing_of_it(as_user, charlie, zofia):
    web = as_user(charlie)
    assert web.get(f"/contacts/{zofia.id}/").status_code == 404
    assert web.post(f"/contacts/{zofia.id}/", {"email": "x@y.example", "version": 1}).status_code == 404
    assert web.post("/contacts/do/", {"id": zofia.id, "act": "delete"}).status_code == 404
    assert "Zofia" not in web.get("/contacts/?q=zofia").content.decode()
    assert len(rows(web.get("/contacts/export/"))) == 1


@pytest.mark.parametrize(
    "query", ["?at=zzz", "?at=a~x~y", "?list=abc", "?only=nope&sort=nope", "?q=%00%25", "?at=a~9%27--~x"]
)
def test_an_address_typed_wrong_is_no_error(web, zofia, query):
    assert web.get(f"/contacts/{query}").status_code == 200
