"""The link in a mail: GET shows a button and changes nothing, POST acts (RFC 8058)."""

import pytest
from django.test import Client

from postroom.conf import keys
from postroom.mail.token import UNSUBSCRIBE, token_make
from postroom.models.contact import Contact
from postroom.models.delivery import Delivery
from postroom.models.message import Message
from postroom.models.suppression import Suppression

pytestmark = pytest.mark.django_db


@pytest.fixture
def delivery(cast):
    return Delivery.objects.create(
        workspace=cast.alice.workspace,
        address="Anna.Nowak@Firm.Example",
        canonical="anna.nowak@firm.example",
        state="accepted",
    )


@pytest.fixture
def link(delivery):
    return f"/u/{token_make(delivery.id, keys.current().token_keys[0], UNSUBSCRIBE)}"


@pytest.fixture
def stranger():
    """A client that checks CSRF, has no session and no cookie."""
    return Client(enforce_csrf_checks=True)


def gone():
    return list(Suppression.objects.values_list("value", "source"))


def test_a_get_shows_a_button_and_changes_nothing(stranger, link):
    for _ in range(2):
        page = stranger.get(link)
        assert page.status_code == 200
        assert b"No more mailings?" in page.content
    stranger.head(link)
    assert gone() == []


def test_the_page_tells_the_firm_and_not_the_whole_address(stranger, link):
    page = stranger.get(link).content.decode()
    assert "Alder &amp; Pike" in page
    assert "An…@Firm.Example" in page
    assert "Nowak" not in page


def test_one_click_acts_without_cookies_or_token(stranger, link, delivery):
    answer = stranger.post(link, {"List-Unsubscribe": "One-Click"})
    assert (answer.status_code, answer.content) == (200, b"ok\n")
    assert gone() == [("anna.nowak@firm.example", "unsubscribe")]
    delivery.refresh_from_db()
    assert delivery.unsubscribed_at
    assert stranger.post(link, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert len(gone()) == 1


def test_any_other_post_needs_the_page_it_came_from(stranger, link):
    assert stranger.post(link, {}).status_code == 403
    assert gone() == []


def test_the_button_works(browse, link, transactional_db):
    page = browse()
    page.goto(link)
    page.get_by_role("button", name="Unsubscribe").click()
    page.get_by_role("heading", name="You are off the list").wait_for()
    assert gone() == [("anna.nowak@firm.example", "unsubscribe")]


@pytest.mark.parametrize(
    ("language", "lang"), [("pl-PL,pl;q=0.9,en;q=0.5", "pl"), ("bg", "bg"), ("de,fr;q=0.5", "en")]
)
def test_the_page_speaks_the_readers_language(stranger, link, language, lang):
    page = stranger.get(link, headers={"accept-language": language}).content.decode()
    assert f'<html lang="{lang}"' in page


@pytest.mark.parametrize("token", ["x", "aaaaaaaaaaaaaaaaaaaaaaaa", "%00", "a" * 300, "ż"])
def test_a_forged_or_cut_link_is_a_404_that_helps(stranger, token):
    page = stranger.get(f"/u/{token}")
    assert page.status_code == 404
    assert b"does not work" in page.content
    assert stranger.post(f"/u/{token}", {"List-Unsubscribe": "One-Click"}).status_code == 404
    assert gone() == []


def test_the_token_of_a_return_path_does_not_unsubscribe(stranger, delivery):
    token = token_make(delivery.id, keys.current().token_keys[0])
    assert stranger.post(f"/u/{token}", {"List-Unsubscribe": "One-Click"}).status_code == 404
    assert gone() == []


def test_other_methods_are_refused(stranger, link):
    assert stranger.put(link).status_code == 405


def test_the_page_speaks_the_language_we_know_the_reader_by(cast, stranger, link, delivery):
    told = stranger.get(link, HTTP_ACCEPT_LANGUAGE="bg").content.decode()
    assert '<html lang="bg"' in told, "nothing is known of them: the browser's"
    person = Contact.objects.create(
        workspace=cast.alice.workspace, email=delivery.address, canonical=delivery.canonical, language="pl"
    )
    Delivery.objects.filter(id=delivery.id).update(contact=person)
    told = stranger.get(link, HTTP_ACCEPT_LANGUAGE="bg").content.decode()
    assert '<html lang="pl"' in told
    assert "Wypisz" in told or "Rezygn" in told


@pytest.mark.parametrize("values", [{}, {"List-Unsubscribe": "One-Click"}])
def test_the_link_of_a_test_takes_nobody_off(cast, link, delivery, values):
    message = Message.objects.create(
        workspace=cast.alice.workspace,
        direction="out",
        purpose="test",
        subject="Test",
        from_address="a@alder.example",
    )
    Delivery.objects.filter(id=delivery.id).update(message=message)
    assert "This is a test" in Client().get(link).content.decode()
    assert Client().post(link, values).status_code == 200
    assert gone() == []
    delivery.refresh_from_db()
    assert delivery.unsubscribed_at is None
