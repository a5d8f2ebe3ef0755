"""The page around every page."""

import itertools
import re

import pytest
from django.db import OperationalError

from postroom.testing.cast import make_account
from postroom.web.errors import server_error
from tests.web.browser import poor_contrast

pytestmark = pytest.mark.django_db


def test_a_stranger_is_asked_to_sign_in(client, alice):
    answer = client.get("/more/")
    assert answer.status_code == 302
    assert answer["Location"] == "/sign-in/?next=/more/"


def test_before_an_owner_exists_every_page_leads_to_the_wizard(client):
    assert client.get("/more/")["Location"] == "/setup/"
    assert client.get("/sign-in/")["Location"] == "/setup/"


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


def test_an_unknown_address_of_the_api_is_json(as_user, alice):
    answer = as_user(alice).get("/api/v1/nothing")
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


def test_a_block_asks_every_2_seconds_and_every_10_when_nothing_moved(browse, alice):
    page = browse(alice)
    asked = []

    def answer(route):
        asked.append(route.request.headers.get("x-seen"))
        if len(asked) == 1:
            block = '<p id="b" data-poll hx-get="/block/" hx-trigger="pr:poll" hx-swap="outerHTML">second</p>'
            return route.fulfill(body=block, content_type="text/html")
        if len(asked) == 2:
            return route.fulfill(status=204)
        return route.fulfill(body='<p id="b">finished</p>', content_type="text/html")

    def with_block(route):
        block = (
            '<p id="b" data-poll hx-get="/block/" hx-trigger="pr:poll" hx-swap="outerHTML" '
            """hx-headers='{"X-Seen": "v1"}'>first</p>"""
        )
        whole = route.fetch()
        route.fulfill(
            response=whole, body=whole.text().replace('<div id="pr-errors"', block + '<div id="pr-errors"')
        )

    page.route("**/more/", with_block)
    page.route("**/block/", answer)
    page.clock.install()
    page.goto("/more/")

    def after(seconds, times):
        page.clock.run_for(seconds * 1000)
        page.wait_for_timeout(300)
        assert len(asked) == times, asked

    after(1, 0)
    after(1.5, 1)
    assert asked == ["v1"]
    assert page.locator("#b").inner_text() == "second"
    after(2.5, 2)
    after(5, 2)
    after(6, 3)
    assert page.locator("#b").inner_text() == "finished"
    after(30, 3)


def test_a_toast_goes_after_10_seconds_but_waits_while_looked_at_and_z_undoes(browse, alice):
    page = browse(alice)
    page.clock.install()
    page.goto("/more/")
    show = "document.body.dispatchEvent(new CustomEvent('pr:toast', {detail: {text: 'Gone', undo: '/undo-it/'}}))"
    page.evaluate(show)
    page.clock.run_for(8_000)
    assert page.locator(".pr-toast").inner_text().startswith("Gone")
    page.locator(".pr-toast").hover()
    page.clock.run_for(20_000)
    assert page.locator(".pr-toast").count() == 1
    page.mouse.move(0, 0)
    page.clock.run_for(4_000)
    assert page.locator(".pr-toast").count() == 0
    page.evaluate(show)
    with page.expect_request("**/undo-it/") as request:
        page.keyboard.press("z")
    assert request.value.method == "POST"


def test_j_k_and_enter_walk_through_a_list(browse, cast, alice):
    for number in (1, 2):
        make_account(cast.alice, port=2500 + number, name=f"Account {number}")
    page = browse(alice)
    page.goto("/settings/accounts/")
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert "Account 2" in page.locator("tr.is-here").inner_text()
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    page.wait_for_url("**/settings/accounts/*/")
    assert page.locator("h1").inner_text() == "Account 1"


def test_every_control_has_a_name_and_headings_come_in_order(browse, cast, alice):
    account = make_account(cast.alice, port=2525)
    page = browse(alice)
    for address in (
        "/more/",
        "/settings/",
        "/settings/accounts/",
        f"/settings/accounts/{account.id}/",
        "/settings/profile/",
        "/settings/workspace/",
        "/settings/second-factor/",
        "/password/change/",
        "/messages/",
        "/messages/unmatched/",
        "/groups/",
        "/archive/",
    ):
        page.goto(address)
        assert page.evaluate(NAMELESS) == [], address
        levels = page.evaluate(
            "[...document.querySelectorAll('main h1, main h2, main h3')].map(h => +h.tagName[1])"
        )
        assert levels[0] == 1, address
        assert all(b - a <= 1 for a, b in itertools.pairwise(levels)), (address, levels)
        ids = page.evaluate("[...document.querySelectorAll('[id]')].map(el => el.id)")
        assert len(ids) == len(set(ids)), address


@pytest.mark.parametrize("dark", [False, True])
def test_every_text_can_be_read_in_both_themes(browse, cast, alice, dark):
    make_account(
        cast.alice, port=2525, status="failing", status_reason="535 5.7.8 no", verify_certificate=False
    )
    make_account(cast.alice, port=2526, status="untested", name="New")
    page = browse(alice, dark=dark)
    for address in (
        "/settings/accounts/",
        "/settings/accounts/new/",
        "/settings/profile/",
        "/messages/",
        "/groups/",
    ):
        page.goto(address)
        assert poor_contrast(page) == [], address
    stranger = browse(dark=dark)
    stranger.goto("/sign-in/")
    assert poor_contrast(stranger) == []


NAMELESS = """
[...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, iframe')].filter((el) => {
  const label = el.labels && [...el.labels].map((l) => l.textContent).join('');
  return !(el.textContent.trim() || el.getAttribute('aria-label') || el.title || (label && label.trim()));
}).map((el) => el.outerHTML.slice(0, 120))
"""


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


def test_a_page_says_that_the_database_is_away(rf):
    try:
        raise OperationalError("connection failed")
    except OperationalError:
        answer = server_error(rf.get("/contacts/"))
    assert answer.status_code == 503
    assert b"The database is away" in answer.content
    assert b"connection failed" not in answer.content


def test_enter_in_the_find_box_looks_among_people(browse, alice):
    page = browse(alice)
    page.goto("/more/")
    page.keyboard.press("/")
    page.keyboard.type("ann")
    page.keyboard.press("Enter")
    page.wait_for_url("**/contacts/?q=ann*")


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
