"""A real browser for tests: Debian's Chromium, or Playwright's own where that is missing.

    @pytest.mark.django_db(transaction=True)
    def test_x(browse, live_server): page = browse(user); page.goto(...)

`browse()` opens a page of its own context (desktop, or `phone=True`, `dark=True`), signed in when a user is given.
A JavaScript error or a blocked resource fails the test.
"""

import os
import shutil

import pytest
from playwright.sync_api import sync_playwright

# Playwright's loop runs in this thread, where Django then refuses plain queries; they are safe here.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

__all__ = ["browse", "chromium"]

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(scope="session")
def chromium():
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def browse(chromium, live_server):
    """browse(user=None, phone=False, dark=False, width=0) -> a Playwright page whose addresses begin at the server."""
    contexts, wrong = [], []

    def open_page(user=None, *, phone=False, dark=False, width=0):
        size = {"width": width, "height": 800} if width else PHONE if phone else DESKTOP
        context = chromium.new_context(
            base_url=live_server.url, viewport=size, color_scheme="dark" if dark else "light", locale="en-GB"
        )
        context.set_default_timeout(10_000)
        contexts.append(context)
        if user is not None:
            context.add_cookies([_session(user, live_server.url)])
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on(
            "console",
            lambda line: wrong.append(line.text) if "Content Security Policy" in line.text else None,
        )
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


def _session(user, url):
    from django.conf import settings
    from django.test import Client

    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return {"name": settings.SESSION_COOKIE_NAME, "value": client.session.session_key, "url": url}
