"""The page around every page."""

import re

import pytest

pytestmark = pytest.mark.django_db


def test_a_stranger_is_asked_to_sign_in(client, alice):
    answer = client.get("/more/")
    assert answer.status_code == 302
    assert answer["Location"] == "/sign-in/?next=/more/"


def test_before_an_owner_exists_every_page_leads_to_the_wizard(client):
    assert client.get("/more/")["Location"] == "/setup/"


def test_someone_who_left_the_firm_is_told_so(as_user, bob):
    bob.memberships.all().delete()
    answer = as_user(bob).get("/more/")
    assert answer.status_code == 403
    assert b"You belong to no workspace" in answer.content


def test_pages_forbid_scripts_and_frames_from_elsewhere(as_user, alice):
    answer = as_user(alice).get("/more/")
    policy = answer["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe-eval" not in policy
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Cache-Control"] == "no-store"
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|javascript:", answer.content.decode())


def test_the_language_of_the_page_is_that_of_the_person(as_user, alice):
    alice.language = "bg"
    alice.save()
    assert '<html lang="bg"' in as_user(alice).get("/more/").content.decode()


def test_an_unknown_address_is_a_page_that_says_so(as_user, alice):
    answer = as_user(alice).get("/nothing/")
    assert answer.status_code == 404
    assert b"There is no such page" in answer.content


def test_the_sign_of_life_needs_no_login(client, db):
    assert client.get("/healthz").status_code == 200


def test_keys_move_between_sections_and_not_while_typing(browse, alice):
    page = browse(alice)
    page.goto("/more/")
    page.keyboard.press("?")
    assert page.locator("#pr-keys").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("#pr-keys").is_visible()
    page.keyboard.press("/")
    page.keyboard.type("gs")
    assert page.locator("#pr-findbox input").input_value() == "gs"
    page.keyboard.press("Escape")
    page.keyboard.type("gs")
    page.wait_for_url("**/settings/**")


def test_single_keys_can_be_switched_off(browse, alice):
    alice.single_keys = False
    alice.save()
    page = browse(alice)
    page.goto("/more/")
    page.keyboard.press("?")
    page.wait_for_timeout(200)
    assert not page.locator("#pr-keys").is_visible()


@pytest.mark.parametrize("width", [320, 390, 768, 1440])
def test_nothing_scrolls_sideways(browse, alice, width):
    page = browse(alice, width=width)
    for address in (
        "/more/",
        "/settings/accounts/",
        "/settings/accounts/new/",
        "/settings/profile/",
        "/messages/",
    ):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address


def test_the_theme_follows_the_system_until_chosen(browse, alice):
    page = browse(alice, dark=True)
    page.goto("/more/")
    assert page.locator("html").get_attribute("data-bs-theme") == "dark"
    alice.theme = "light"
    alice.save()
    page.reload()
    assert page.locator("html").get_attribute("data-bs-theme") == "light"
