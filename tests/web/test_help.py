"""The built-in help: a chapter for every screen, in three languages, with contents and ways back."""

import re

import pytest
from django.urls import resolve

from postroom.web.help.chapters import (
    CHAPTERS,
    LANGUAGES,
    PAGES,
    SCREENS,
    chapter_of,
    chapter_text,
    chapter_title,
)
from tests.web.matrix import PAGES as ROUTES

pytestmark = pytest.mark.django_db

#: No screens: blocks, answers for programs, one-click pages of people outside, the help itself.
NO_SCREENS = ("", "now/", "healthz", "u/<str:token>", "u/<str:token>/", "help/", "help/<slug:name>/")


def links(page):
    return re.findall(r'href="([^"]+)"', page)


@pytest.mark.req("CM-56")
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_link_of_every_chapter_leads_somewhere(as_user, alice, language):
    alice.language = language
    alice.save()
    web = as_user(alice)
    seen = set()
    for path in ("/help/", *(f"/help/{name}/" for name in CHAPTERS)):
        answer = web.get(path, {"from": "/settings/"} if path == "/help/" else {})
        assert answer.status_code == 200, path
        page = answer.content.decode()
        main = page.split('<main id="main"')[1].split("</main>")[0]
        assert 'href="#top"' in main, "back to top"
        assert 'id="top"' in main
        assert main.count('href="/settings/"') >= 2, "back to the system"
        assert 'href="/help/"' in main or path == "/help/", "contents"
        for name in CHAPTERS:
            assert f'href="/help/{name}/"' in main, "the contents stand on every page"
        seen |= {link for link in links(main) if link.startswith("/") and not link.startswith("/static/")}
    for link in seen:
        assert web.get(link).status_code == 200, link
    assert len(seen) > len(CHAPTERS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_chapter_is_written_in_every_language(language):
    assert {one.stem for one in (PAGES / language).iterdir()} == set(CHAPTERS)
    for name in CHAPTERS:
        text = chapter_text(name, language)
        assert len(re.sub(r"<[^>]+>", "", text)) > 150, name
        assert language == "en" or text != chapter_text(name, "en")
        assert re.findall(r'href="(.*?)"', text) == re.findall(r'href="(.*?)"', chapter_text(name, "en"))
    assert len({chapter_title(name, language) for name in CHAPTERS}) == len(CHAPTERS)


@pytest.mark.req("CM-56")
def test_every_screen_has_a_chapter():
    screens = [
        route.lstrip("^") for route, (get, _post) in ROUTES.items() if get != "-" and route not in NO_SCREENS
    ]
    assert len(screens) > 80
    assert [route for route in screens if not chapter_of(f"/{route}")] == []
    assert set(SCREENS.values()) == set(CHAPTERS), "no chapter is left over, and none is missing"
    for path in SCREENS:
        assert path.startswith("/"), path


@pytest.mark.parametrize(
    ("path", "chapter"),
    [
        ("/settings/status/", "status"),
        ("/settings/status/log/?trouble=1", "log"),
        ("/settings/accounts/", "accounts"),
        ("/contacts/", "contacts"),
        ("/campaigns/", "campaigns"),
        ("/settings/", "settings"),
    ],
)
def test_the_question_mark_opens_the_chapter_of_the_screen_and_leads_back(as_user, alice, path, chapter):
    web = as_user(alice)
    page = web.get(path).content.decode()
    (link,) = [one for one in links(page.split("<main")[0]) if one.startswith("/help/")]
    assert resolve(link.split("?")[0]).kwargs == {"name": chapter}
    help_page = web.get(link.replace("&amp;", "&")).content.decode()
    assert f'href="{path}"' in help_page
    further = web.get("/help/start/").content.decode()
    assert f'href="{path}"' in further, "also after reading on"


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", ""])
def test_the_way_back_leads_nowhere_else(as_user, alice, back):
    page = as_user(alice).get("/help/status/", {"from": back}).content.decode()
    assert "evil.example" not in page
    assert "javascript:" not in page


def test_a_chapter_that_is_none_is_not_found(as_user, alice):
    assert as_user(alice).get("/help/nothing/").status_code == 404
