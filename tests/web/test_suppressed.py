"""Contacts > Suppressed."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from postroom.actions.contact import ContactValues, contact_add
from postroom.actions.suppression import suppression_enter
from postroom.models.suppression import Suppression

pytestmark = pytest.mark.django_db


@pytest.fixture
def web(as_user, alice):
    return as_user(alice)


@pytest.mark.parametrize(
    ("typed", "form", "value"),
    [
        ("User@Firm.PL", "address", "user@firm.pl"),
        ("@firm.pl", "domain", "firm.pl"),
        ("@*.firm.pl", "subdomains", "firm.pl"),
        ("Jobs@", "local", "jobs"),
    ],
)
def test_every_form_of_entry_is_taken(web, typed, form, value):
    assert web.post("/contacts/suppressed/add/", {"entry": typed, "why": "asked"}).status_code == 302
    entry = Suppression.objects.get()
    assert (entry.form, entry.value, entry.why) == (form, value, "asked")
    page = web.get("/contacts/suppressed/").content.decode()
    assert value in page


def test_a_bad_line_is_named_by_its_number_and_nothing_is_stored(web):
    answer = web.post("/contacts/suppressed/add/", {"entry": "a@firm.pl\n*@firm.pl\n@ok.pl"})
    assert answer.status_code == 422
    assert "Line 2:" in answer.content.decode()
    assert not Suppression.objects.exists()


@pytest.mark.req("SX-03")
def test_a_file_with_one_bad_line_answers_422_with_a_row_report_and_stores_the_good_lines(web):
    lines = "\ufeff# opt-outs\r\na@firm.pl\r\n@competitor.example\r\nnot an entry\r\njobs@\r\n"
    file = SimpleUploadedFile("optouts.csv", lines.encode())
    answer = web.post("/contacts/suppressed/import/", {"file": file})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "not an entry" in page
    assert '<th scope="row">4</th>' in page
    assert set(Suppression.objects.values_list("form", "value")) == {
        ("address", "a@firm.pl"),
        ("domain", "competitor.example"),
        ("local", "jobs"),
    }
    assert set(Suppression.objects.values_list("source", "why")) == {("import", "optouts.csv")}


def test_a_file_of_good_lines_answers_200(web):
    answer = web.post("/contacts/suppressed/import/", {"file": SimpleUploadedFile("x.txt", b"a@firm.pl\n")})
    assert answer.status_code == 200
    assert web.post("/contacts/suppressed/import/", {}).status_code == 422


def test_an_entry_is_lifted_and_put_back(cast, web):
    suppression_enter(viewer=cast.alice, entry="a@firm.pl", why="asked")
    page = web.post(
        "/contacts/suppressed/lift/", {"id": Suppression.objects.get().id}, follow=True
    ).content.decode()
    assert "1 entry lifted" in page
    assert not Suppression.objects.exists()
    path = page.split('action="/contacts/suppressed/undo/')[1].split('"')[0]
    web.post(f"/contacts/suppressed/undo/{path}")
    assert Suppression.objects.get().why == "asked"


def test_the_page_filters_by_source_form_and_words(cast, web):
    suppression_enter(viewer=cast.alice, entry="a@firm.pl", why="phone")
    suppression_enter(viewer=cast.alice, entry="@other.example")
    shown = web.get("/contacts/suppressed/?q=phone").content.decode()
    assert "a@firm.pl" in shown
    assert "@other.example" not in shown
    assert "@other.example" in web.get("/contacts/suppressed/?form=domain").content.decode()
    assert "No entry fits" in web.get("/contacts/suppressed/?why=bounce").content.decode()
    assert "@other.example" in web.get("/contacts/suppressed/?q=%40other.example").content.decode()


def test_what_an_entry_covers_is_said_while_it_is_typed(cast, web):
    for email in ("a@x.firm.pl", "b@firm.pl"):
        contact_add(viewer=cast.alice, values=ContactValues(email=email))
    said = web.get("/contacts/suppressed/covers/?entry=@*.firm.pl").content.decode()
    assert "1 person matches" in said


def test_the_export_has_every_entry_as_it_is_written(cast, web):
    suppression_enter(viewer=cast.alice, entry="@*.firm.pl", why="=1+1")
    text = b"".join(web.get("/contacts/suppressed/export/").streaming_content).decode("utf-8-sig")
    assert "'@*.firm.pl;subdomains;By hand;'=1+1;Alice;" in text


def test_a_stranger_can_neither_see_nor_lift(cast, as_user, charlie):
    suppression_enter(viewer=cast.alice, entry="secret@firm.pl")
    web = as_user(charlie)
    assert "secret@firm.pl" not in web.get("/contacts/suppressed/").content.decode()
    assert web.post("/contacts/suppressed/lift/", {"id": Suppression.objects.get().id}).status_code == 404
