"""The README's pictures, taken of `postroom demo` with Chromium: docs/images/*.png.

.venv/bin/python scripts/screenshots.py [--only campaign,phone]
"""

import argparse
import contextlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

IMAGES = Path(__file__).parent.parent / "docs" / "images"
#: Letters a second: slow enough for a picture of a campaign on its way.
RECIPIENTS, RATE = 600, 12
MOST_SECONDS = 300
#: A picture of a campaign is taken when so much of it is done.
PERCENT = 60
WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}

DRAFTS: list[dict[str, Any]] = [
    {
        "name": "Statements, November",
        "subject": "Your statement for November, {{ company }}",
        "html": "Dear {{ full_name }},\n\nyour statement for November is attached.\nThe next lorry to "
        '{{ city | default: "your town" }} leaves on Tuesday.\n\n'
        "If you have paid in the last days, please put this letter aside.\n\n"
        "Kind regards\n{{ sender.name }}",
        "receipt_delivery": True,
    },
    {"name": "Winter opening hours", "subject": "Open on 24 December until noon"},
]


NOTE = "The warehouse says Tuesday is full; offer Wednesday."
WORDS = "Thank you for your answer. Tuesday is full already; would Wednesday before noon suit you?"
DOMAIN = "practice.example"
GROUPS: list[dict[str, Any]] = [
    {"name": "drivers", "RealName": "Drivers", "Members": ["jan", "elena"]},
    {
        "name": "delivery",
        "RealName": "Delivery",
        "Description": "Whoever has to do with a lorry",
        "Members": ["drivers", "hannah", "tom", "dispatch@haulier.example"],
    },
]


def main() -> int:
    parser = argparse.ArgumentParser(description="Take the pictures of the README.")
    parser.add_argument("--only", default="", help="names of pictures, separated by commas")
    only = {name for name in parser.parse_args().only.split(",") if name}
    IMAGES.mkdir(parents=True, exist_ok=True)
    with _demo() as (url, login, password), sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--headless", "--no-sandbox", "--disable-gpu"]
        )
        take = Pictures(browser, url, only)
        take.sign_in(login, password)
        draft = take.drafts()
        take.wait()
        take("campaign", "/campaigns/1/", panel=True)
        take("campaign-dark", "/campaigns/1/", panel=True, dark=True)
        take("campaigns", "/campaigns/")
        take("phone", "/campaigns/1/", phone=True)
        take("editor", f"/campaigns/{draft}/")
        talk = take.conversation()
        take("inbox", talk)
        take("inbox-dark", talk, dark=True)
        take("composer", talk, act=_answer)
        take("group", take.group())
        browser.close()
    return 0


@contextlib.contextmanager
def _demo() -> Iterator[tuple[str, str, str]]:
    """A demo that runs: address, login and password."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = [f"--recipients={RECIPIENTS}", f"--rate={RATE}", f"--port={port}"]
    process = subprocess.Popen(  # noqa: S603  our own program
        [sys.executable, "-m", "postroom.cli.main", "demo", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        said = ""
        assert process.stdout is not None
        for line in process.stdout:
            said += line
            found = re.search(r"sign in as (\S+) with (\S+)", line, re.IGNORECASE)
            if found:
                yield f"http://localhost:{port}", found[1], found[2]
                return
        raise SystemExit(f"The demo ended too early:\n{said}")
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=90)


def _answer(page: Page) -> None:
    """Begin an answer and have it saved."""
    page.locator("#pr-dock button[value=answer]").click()
    composer = page.locator("#pr-dock [data-compose]")
    page.locator("#pr-dock [data-compose][data-ready=rich]").wait_for()
    composer.locator(".pr-rich > p").first.click()
    with page.expect_response("**/save/"):
        page.keyboard.type(WORDS)
    page.wait_for_timeout(500)


class Pictures:
    """Takes one picture after another, always signed in."""

    def __init__(self, browser: Browser, url: str, only: set[str]) -> None:
        self.browser, self.url, self.only = browser, url, only
        self.cookies: list[Any] = []

    def page(self, *, phone: bool = False, dark: bool = False) -> Page:
        context = self.browser.new_context(
            base_url=self.url,
            viewport=PHONE if phone else WIDE,  # type: ignore[arg-type]
            color_scheme="dark" if dark else "light",
            locale="en-GB",
        )
        context.add_cookies(self.cookies)
        return context.new_page()

    def sign_in(self, login: str, password: str) -> None:
        page = self.page()
        page.goto("/sign-in/")
        page.fill("input[name=login]", login)
        page.fill("input[name=password]", password)
        page.keyboard.press("Enter")
        page.wait_for_url(lambda address: "sign-in" not in address)
        self.cookies = page.context.cookies()
        page.context.close()

    def api(self, page: Page, path: str, body: dict[str, Any] | None = None) -> Any:
        token = next(one["value"] for one in self.cookies if one["name"] == "csrftoken")
        headers = {"X-CSRFToken": token, "Origin": self.url, "Referer": self.url}
        if body is None:
            return page.request.get(f"/api/v1{path}").json()
        answer = page.request.post(f"/api/v1{path}", data=body, headers=headers)
        assert answer.ok, answer.text()
        return answer.json()

    def drafts(self) -> int:
        """Drafts for the list and the editor; the id of the first."""
        page = self.page()
        lists = self.api(page, "/campaigns/1")["lists"]
        made = [self.api(page, "/campaigns", {**draft, "lists": lists})["id"] for draft in DRAFTS]
        page.context.close()
        return int(made[0])

    def conversation(self) -> str:
        """The page of a conversation in which somebody answered the campaign, with a note of a colleague."""
        page, until = self.page(), time.monotonic() + MOST_SECONDS
        while not (found := self.api(page, "/conversations")["items"]):
            if time.monotonic() > until:
                raise SystemExit("Nobody answers the campaign of the demo.")
            time.sleep(1)
        number = found[0]["id"]
        self.api(page, f"/conversations/{number}/notes", {"text": NOTE})
        page.context.close()
        return f"/messages/c/{number}/"

    def group(self) -> str:
        """The page of a group with people of every kind."""
        page = self.page()
        domain = self.api(page, "/domains", {"name": DOMAIN})["id"]
        self.api(page, f"/domains/{domain}/word", {})
        made = [self.api(page, "/groups", {"domain": DOMAIN, **group}) for group in GROUPS]
        page.context.close()
        return f"/groups/{made[-1]['id']}/"

    def wait(self) -> None:
        """Until enough of the campaign is done for a picture."""
        page, until = self.page(), time.monotonic() + MOST_SECONDS
        while True:
            figures = self.api(page, "/campaigns/1")["figures"]
            if figures["total"] and 100 * figures["done"] >= PERCENT * figures["total"]:
                break
            if time.monotonic() > until:
                raise SystemExit("The campaign of the demo does not get on.")
            time.sleep(0.5)
        page.context.close()

    def __call__(
        self,
        name: str,
        path: str,
        *,
        phone: bool = False,
        dark: bool = False,
        panel: bool = False,
        act: Callable[[Page], None] | None = None,
    ) -> None:
        """act: what is done on the page before the picture."""
        if self.only and name not in self.only:
            return
        page = self.page(phone=phone, dark=dark)
        page.goto(path)
        page.wait_for_load_state("networkidle")
        if panel:
            page.locator(".pr-people tbody tr", has_text="Deferred").or_(
                page.locator(".pr-people tbody tr", has_text="Read")
            ).first.locator("a").first.click()
            page.locator("#pr-panel .pr-line").wait_for()
            page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
            page.mouse.move(700, 40)
        if act is not None:
            act(page)
        file = IMAGES / f"{name}.png"
        page.screenshot(path=file)
        page.context.close()
        print(f"{file.name}: {file.stat().st_size // 1000} kB", flush=True)


if __name__ == "__main__":
    sys.exit(main())
