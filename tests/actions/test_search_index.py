"""Words are found in the middle of others: before the index of triplets is written, behind it, and by it alone."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from postroom.actions.contact import (
    ContactValues,
    contact_add,
    contact_delete,
    contact_edit,
    contact_put_back,
)
from postroom.actions.message_send import Letter, message_send
from postroom.actions.search_index import search_index
from postroom.actions.suppression import suppression_add
from postroom.mail.grams import grams
from postroom.models.search import SearchDue, SearchGrams, SearchNoun
from postroom.queries import search_grams
from postroom.queries.archive import ArchiveFind, archive_page
from postroom.queries.contact import contact_count, contact_page
from postroom.queries.search_grams import things_holding
from postroom.queries.suppression import Show, suppression_page
from postroom.testing.cast import make_account, make_cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return make_cast()


def add(viewer, email, **values):
    return contact_add(viewer=viewer, values=ContactValues(email=email, **values))


def found(viewer, words):
    names = [str(row.contact) for row in contact_page(viewer, words=words).rows]
    assert contact_count(viewer, words=words).number == len(names)
    return names


def held(viewer, *words):
    return things_holding(SearchNoun.CONTACT, viewer.workspace.id, words)


def test_the_triplets_of_a_text_are_those_of_its_words_folded():
    assert grams("Żół na 12", -9) == grams("zol", -9)
    assert set(grams("abcd", -9)[1:-1].split(",")) == {
        *grams("abc", -9)[1:-1].split(","),
        *grams("bcd", -9)[1:-1].split(","),
    }
    assert grams("", -9) == "{-9}"


def test_people_are_found_by_the_middle_of_a_word_whatever_is_written(cast):
    zofia = add(cast.alice, "z@stolarnia.example", name="Zofia", surname="Dąbrowska")
    add(cast.alice, "x@other.example", name="Ola")
    add(cast.charlie, "c@elsewhere.example", surname="Dąbrowska")
    for written in (False, True):
        if written:
            assert search_index() == 3
            assert not SearchDue.objects.exists()
            assert held(cast.alice, "browsk") == [zofia.id]
        assert found(cast.alice, "browsk") == ["Zofia Dąbrowska"]
        assert found(cast.alice, "BROWSK larnia.ex") == ["Zofia Dąbrowska"]
        assert found(cast.alice, "bro other") == []
        assert found(cast.alice, "of") == ["Zofia Dąbrowska"]


def test_a_change_a_deletion_and_its_undoing_are_found_at_once(cast):
    person = add(cast.alice, "a@firm.example", name="Ola")
    search_index()
    contact_edit(
        viewer=cast.alice,
        contact_id=person.id,
        version=1,
        values=ContactValues(email="a@firm.example", name="Grażyna"),
    )
    for _again in range(2):
        assert found(cast.alice, "azyn") == ["Grażyna"]
        assert found(cast.alice, "ola") == []
        search_index()
    _count, step = contact_delete(viewer=cast.alice, ids=[person.id])
    assert found(cast.alice, "azyn") == []
    search_index()
    assert not SearchGrams.objects.exists()
    contact_put_back(viewer=cast.alice, step_id=step)
    assert found(cast.alice, "azyn") == ["Grażyna"]


def test_words_that_many_have_give_full_pages_in_order_without_the_index(cast, monkeypatch):
    for number in range(8):
        add(cast.alice, f"p{number}@firm.example", surname=f"Nowak {number}")
    search_index()
    monkeypatch.setattr(search_grams, "MOST", 3)
    monkeypatch.setattr("postroom.queries.contact.NEAR", 2)
    assert held(cast.alice, "nowak") is None
    first = contact_page(cast.alice, words="owak", size=5)
    rest = contact_page(cast.alice, words="owak", size=5, at=first.following)
    names = [row.contact.surname for row in [*first.rows, *rest.rows]]
    assert names == [f"Nowak {number}" for number in range(8)]
    assert rest.following == ""
    monkeypatch.setattr("postroom.queries.contact.NEAR", 7)  # the page is full among the first
    assert [row.contact.surname for row in contact_page(cast.alice, words="owak", size=5).rows] == names[:5]


def test_while_much_waits_to_be_written_the_texts_are_read(cast, monkeypatch):
    add(cast.alice, "a@firm.example", name="Ola")
    monkeypatch.setattr(search_grams, "DUE_MOST", 0)
    assert held(cast.alice, "ola") is None
    assert found(cast.alice, "ola") == ["Ola"]


def test_an_entry_is_found_by_its_address_its_reason_and_who_made_it(cast):
    for value, why in (("ann@wide.example", ""), ("bob@other.example", "Said so by telephone")):
        suppression_add(
            workspace_id=cast.alice.workspace.id,
            entry_form="address",
            value=value,
            source="manual",
            why=why,
            by=cast.alice.user,
        )
    for _again in range(2):
        for words, values in (
            ("@wide.exam", ["ann@wide.example"]),
            ("eleph", ["bob@other.example"]),
            ("lic", ["bob@other.example", "ann@wide.example"]),
            ("alice ide.", ["ann@wide.example"]),
            ("nobody", []),
        ):
            page = suppression_page(cast.alice, Show(words=words))
            assert [entry.value for entry in page.entries] == values
        search_index()


def test_the_archive_finds_a_subject_by_the_middle_of_a_word_along_the_index(cast):
    make_account(cast.alice, port=9)
    for subject in ("Price list for autumn", "Invoice 2026/11"):
        message_send(viewer=cast.alice, letter=Letter(to="ann@example.net", subject=subject, text="Hello."))
    for _again in range(2):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            lines, _next = archive_page(cast.alice, ArchiveFind(subject="autu rice"))
        assert [line.message.subject for line in lines] == ["Price list for autumn"]
        assert any("postroom_searchgrams" in query["sql"] for query in asked)
        search_index()
    assert archive_page(cast.alice, ArchiveFind(subject="6/1"))[0]
