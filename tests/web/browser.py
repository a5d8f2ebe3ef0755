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

__all__ = ["browse", "chromium", "poor_contrast"]

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


@pytest.fixture(scope="module")
def chromium():
    # not for longer: while it runs, its event loop keeps every other one of this thread from starting
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


def poor_contrast(page):
    """Texts on the page with less than 4.5:1 against the ground they stand on (WCAG 2.2, 1.4.3)."""
    return page.evaluate(_CONTRAST)


_CONTRAST = """
() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgb = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = '#000'; canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const part = (v) => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => .2126 * part(r) + .7152 * part(g) + .0722 * part(b);
  const ground = (el) => {
    for (; el; el = el.parentElement) {
      const found = rgb(getComputedStyle(el).backgroundColor);
      if (found[3] > 250) return found;
    }
    return rgb(getComputedStyle(document.body).backgroundColor);
  };
  const poor = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const el = walk.currentNode.parentElement, text = walk.currentNode.textContent.trim();
    if (!text || !el.checkVisibility({opacityProperty: true, visibilityProperty: true})) continue;
    if (el.closest('.visually-hidden, .pr-skip, template, option') || el.getBoundingClientRect().width < 2) continue;
    const [a, b] = [light(rgb(getComputedStyle(el).color)), light(ground(el))];
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) poor.push(`${ratio.toFixed(2)} ${text.slice(0, 40)}`);
  }
  return poor;
}
"""
