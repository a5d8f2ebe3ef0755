"""Mails that want to act, phone home or hang the reader: they are shown in a browser, and nothing else happens."""

import re
import time

import pytest

from postroom.models.conversation import PictureTrust
from postroom.testing.cast import make_account
from tests.mail.test_reading import BOMBS, PNG, attached, mail, plain
from tests.web.letters import letter, receive

SPY = "http://127.0.0.1:9"

HOSTILE = (
    "<html><head><title>x</title><base href='%s/base/'><meta http-equiv='refresh' content='0;url=%s/refresh'>"
    "<link rel='stylesheet' href='%s/link.css'><link rel='prefetch' href='%s/prefetch'>"
    "<link rel='dns-prefetch' href='%s'>"
    "<style>@import url('%s/import.css'); body{background:url(%s/body.png)} "
    "@font-face{font-family:x;src:url(%s/f)}</style></head>"
    "<body background='%s/background.png' onload='parent.document.title=\"caught\"'>"
    "<h1 style='font-family:x;background-image:url(%s/style.png)'>Dear customer</h1>"
    "<script>parent.document.title='caught'</script><script src='%s/script.js'></script>"
    "<img src='%s/picture.png' srcset='%s/set.png 2x' onerror='parent.document.title=\"caught\"'>"
    "<img src='x' onerror='parent.document.title=\"caught\"'><picture><source srcset='%s/source.png'></picture>"
    "<svg xmlns='http://www.w3.org/2000/svg' onload='parent.document.title=\"caught\"'><image href='%s/svg.png'/>"
    "<use href='%s/use.svg#x'/><foreignObject><iframe src='%s/foreign'></iframe></foreignObject></svg>"
    "<iframe src='%s/iframe'></iframe><iframe srcdoc='<script>top.document.title=1</script>'></iframe>"
    "<object data='%s/object'></object><embed src='%s/embed'><video poster='%s/poster' src='%s/video' autoplay></video>"
    "<audio src='%s/audio' autoplay></audio><form action='%s/form'><input name='q' autofocus><button>Go</button></form>"
    "<math><mtext><img src=x onerror='parent.document.title=\"caught\"'></mtext></math>"
    "<a href='javascript:parent.document.title=\"caught\"'>press</a><a ping='%s/ping' href='https://shop.example/'>shop</a>"
    "<table background='%s/table.png'><tr>"
    "<td style='background:\\75rl(%s/escaped.png)'>cell</td></tr></table></body></html>"
).replace("%s", SPY)


@pytest.fixture
def sales(cast):
    return make_account(cast.alice, port=0, is_mailbox=True)


@pytest.mark.django_db(transaction=True)
def test_a_hostile_mail_is_read_and_nothing_runs_or_leaves(browse, cast, sales):
    message = receive(sales, letter(HOSTILE, kind="text/html; charset=utf-8", subject="You won"))
    page = browse(cast.alice.user)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"/messages/c/{message.conversation_id}/")
    frame = page.frame_locator(".pr-mailframe")
    frame.get_by_text("Dear customer").wait_for()
    assert page.title().startswith("You won")
    assert [url for url in asked if SPY in url] == []
    held = page.frame(name=f"mail-frame-{message.id}")
    found = held.evaluate("[...document.querySelectorAll('*')].map((el) => el.tagName)")
    assert not {"SCRIPT", "IFRAME", "FORM", "INPUT", "SVG", "svg", "OBJECT", "META"} & set(found) - {"META"}
    assert page.locator(".pr-mailframe").bounding_box()["height"] > 60
    page.get_by_text("pictures from elsewhere are not fetched").wait_for()

    # a person may fetch the pictures, and gets pictures only
    with page.expect_request(f"{SPY}/picture.png"):
        page.get_by_role("button", name="Fetch").click()
    page.wait_for_timeout(300)
    assert {url.removeprefix(SPY) for url in asked if SPY in url} == {"/picture.png"}
    assert page.title().startswith("You won")


@pytest.mark.django_db
def test_the_frame_allows_nothing_and_remote_pictures_come_with_a_post_only(as_user, alice, sales):
    message = receive(sales, letter(HOSTILE, kind="text/html; charset=utf-8"))
    client = as_user(alice)
    url = f"/messages/m/{message.id}/page/"
    for answer in (client.get(url), client.get(f"{url}?pictures=1")):
        policy = answer["Content-Security-Policy"]
        assert policy.startswith("sandbox ")
        assert "allow-scripts" not in policy
        assert "default-src 'none'" in policy
        assert "img-src data:;" in policy
        assert SPY not in answer.content.decode()
        assert answer["X-Frame-Options"] == "SAMEORIGIN"
        assert answer["Referrer-Policy"] == "no-referrer"
    shown = client.post(url)
    assert f"{SPY}/picture.png" in shown.content.decode()
    assert shown.content.decode().count(SPY) == 1
    assert "allow-scripts" not in shown["Content-Security-Policy"]
    page = client.get(f"/messages/c/{message.conversation_id}/").content.decode()
    assert 'sandbox="allow-same-origin allow-popups allow-popups-to-escape-sandbox"' in page


@pytest.mark.django_db
def test_files_are_handed_out_and_only_pixels_and_text_are_shown(as_user, alice, sales):
    raw = mail(
        plain(b"see"),
        attached(b"filename=a.png", PNG, b"image/png"),
        attached(b"filename=a.svg", b"<svg onload=alert(1)>", b"image/svg+xml"),
        attached(b"filename=a.html", b"<script>alert(1)</script>", b"text/html"),
        attached('filename="ża.txt"'.encode(), b"<b>hello", b"text/plain"),
        attached(b"filename=winmail.dat", b"x", b"application/ms-tnef"),
        attached(b"filename=pay.exe", b"MZ"),
    )
    message = receive(sales, raw)
    client = as_user(alice)
    page = client.get(f"/messages/c/{message.conversation_id}/").content.decode()
    for words in ("a.svg", "ża.txt", "an envelope of Outlook", "may run as a program"):
        assert words in page
    kinds = {}
    for number in range(1, 7):
        kept = client.get(f"/messages/m/{message.id}/file/{number}/")
        assert kept["Content-Disposition"].startswith("attachment"), number
        assert kept["Content-Type"] == "application/octet-stream"
        seen = client.get(f"/messages/m/{message.id}/file/{number}/?see=1")
        kinds[number] = (seen["Content-Disposition"].split(";")[0], seen["Content-Type"])
        for answer in (kept, seen):
            assert answer["X-Content-Type-Options"] == "nosniff"
            assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert kinds[1] == ("inline", "image/png")
    assert kinds[4] == ("inline", "text/plain; charset=utf-8")
    for number in (2, 3, 5, 6):
        assert kinds[number] == ("attachment", "application/octet-stream")
    assert client.get(f"/messages/m/{message.id}/file/99/").status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["attributes", "formatting that is opened anew", "ampersands", "nesting"])
def test_a_bomb_does_not_hold_the_page_up(as_user, alice, sales, name):
    client = as_user(alice)
    bomb = receive(sales, letter(f"<h1>Hello</h1>{BOMBS[name]}", kind="text/html; charset=utf-8"))
    begin = time.process_time()
    page = client.get(f"/messages/c/{bomb.conversation_id}/")
    frame = client.get(f"/messages/m/{bomb.id}/page/")
    assert time.process_time() - begin < 5
    assert page.status_code == frame.status_code == 200
    assert len(page.content) + len(frame.content) < 6_000_000


@pytest.mark.django_db
def test_a_script_in_plain_text_is_text(as_user, alice, sales):
    words = "<script>alert(1)</script> see https://shop.example/?a=1&b=2. or javascript:alert(1)"
    message = receive(sales, letter(words))
    page = as_user(alice).get(f"/messages/c/{message.conversation_id}/").content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert (
        'href="https://shop.example/?a=1&amp;b=2" target="_blank" rel="noopener noreferrer nofollow"' in page
    )
    assert 'href="javascript' not in page


PROVEN = "Authentication-Results: mx.alderpike.example; dkim=pass header.d=northgate.example\r\n"
LAID_OUT = f"<h1>News</h1><img src='{SPY}/picture.png'>"


def pictured(account, number, head=PROVEN, sender="James <James@northgate.example>"):
    head += f"Message-ID: <p{number}@n.example>\r\n"
    return receive(account, letter(LAID_OUT, sender=sender, head=head, kind="text/html; charset=utf-8"))


@pytest.mark.django_db
def test_pictures_of_a_proven_sender_are_always_fetched_for_who_says_so_and_no_one_else(
    as_user, cast, alice, bob
):
    sales = make_account(
        cast.alice, port=0, visibility="workspace", everyone=["use", "view"], is_mailbox=True
    )
    first, again = pictured(sales, 1), pictured(sales, 2)
    forged = pictured(sales, 3, head="Authentication-Results: mx.alderpike.example; dkim=fail; spf=fail\r\n")
    other = pictured(sales, 4, sender="Eve <eve@northgate.example>")
    client = as_user(alice)

    def fetched(message):
        answer = client.get(f"/messages/m/{message.id}/page/")
        assert ("img-src data:;" in answer["Content-Security-Policy"]) == (SPY not in answer.content.decode())
        return SPY in answer.content.decode()

    def page(message):
        return client.get(f"/messages/c/{message.conversation_id}/").content.decode()

    assert not fetched(first), "off at first"
    assert "Always from James@northgate.example" in page(first)
    assert "Always from" not in page(forged), "anybody may have written it"
    client.post(f"/messages/m/{forged.id}/pictures/")
    assert not fetched(forged)

    told = client.post(f"/messages/m/{first.id}/pictures/", follow=True).content.decode()
    assert "Pictures from james@northgate.example are fetched from now on, for you alone." in told
    assert "are always fetched for you" in page(again)
    assert [fetched(one) for one in (first, again, forged, other)] == [True, True, False, False]
    as_user(bob)
    assert not fetched(first), "each for themselves"
    assert "james@northgate.example" not in client.get("/settings/pictures/").content.decode()

    as_user(alice)
    assert "james@northgate.example" in client.get("/settings/pictures/").content.decode()
    number = PictureTrust.objects.get().id
    off = client.post(f"/settings/pictures/{number}/off/", follow=True).content.decode()
    assert not fetched(first)
    client.post(re.search(r'action="(/settings/pictures/undo/\d+/)"', off)[1])
    assert fetched(first)
