"""Messages that came in, and reports that fit nothing."""

import pytest

from postroom.actions.blob import blob_put
from postroom.models.event import Event, EventReport
from postroom.models.message import Message
from postroom.testing.cast import make_account

pytestmark = pytest.mark.django_db

HOSTILE = (
    b"From: x@y.example\r\nSubject: hello\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
    b"<p onclick='steal()'>Dear <b>you</b></p><script>steal()</script><img src='http://spy.example/p.png'>"
    b"<a href='javascript:steal()'>here</a><form action='http://spy.example'><input name='q'></form>"
)


@pytest.fixture
def message(cast):
    return Message.objects.create(
        workspace=cast.alice.workspace,
        direction="in",
        raw=blob_put(HOSTILE),
        subject="Re: <Autumn> prices",
        from_address="x@y.example",
    )


@pytest.fixture
def report(cast):
    event = Event.objects.create(
        workspace=cast.alice.workspace,
        raw=blob_put(b"Subject: Undelivered\r\n\r\nUser unknown\r\n"),
        source="smtp",
        kind="failure",
        subject="Undelivered",
        from_address="mailer-daemon@y.example",
    )
    EventReport.objects.create(
        event=event, kind="failure", recipient="who@y.example", words="550 5.1.1 no such user"
    )
    return event


def test_an_empty_page_says_what_it_is_for(as_user, alice):
    assert b"Answers arrive here" in as_user(alice).get("/messages/").content


def test_messages_are_listed_found_and_counted(as_user, alice, message):
    client = as_user(alice)
    page = client.get("/messages/all/").content.decode()
    assert "Re: &lt;Autumn&gt; prices" in page
    assert 'class="pr-new">1<' in page
    assert "x@y.example" in client.get("/messages/all/?q=autumn").content.decode()
    assert "Nothing fits" in client.get("/messages/all/?q=winter").content.decode()


def test_foreign_html_is_made_harmless_and_shown_in_a_frame_that_forbids_everything(as_user, alice, message):
    client = as_user(alice)
    page = client.get(f"/messages/{message.id}/").content.decode()
    assert '<iframe sandbox="allow-popups allow-popups-to-escape-sandbox"' in page
    assert "Pictures from elsewhere are not fetched" in page
    answer = client.get(f"/messages/{message.id}/body/")
    body = answer.content.decode()
    assert "<b>you</b>" in body
    for word in ("script", "onclick", "javascript:", "<form", "<input", "spy.example"):
        assert word not in body
    policy = answer["Content-Security-Policy"]
    assert policy.startswith("sandbox")
    assert "default-src 'none'" in policy
    assert "http:" not in policy
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    shown = client.get(f"/messages/{message.id}/body/?pictures=1")
    assert "http://spy.example/p.png" in shown.content.decode()
    assert "script" not in shown.content.decode()


def test_the_raw_mail_is_text_and_nothing_else(as_user, alice, message):
    answer = as_user(alice).get(f"/messages/{message.id}/raw/")
    assert answer.content == HOSTILE
    assert answer["Content-Type"].startswith("text/plain")
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_looking_changes_nothing_and_the_page_marks_it_read(
    browse, as_user, alice, message, transactional_db
):
    as_user(alice).get(f"/messages/{message.id}/")
    message.refresh_from_db()
    assert not message.is_read
    page = browse(alice)
    with page.expect_response("**/mark/"):
        page.goto(f"/messages/{message.id}/")
    message.refresh_from_db()
    assert message.is_read


def test_a_report_that_fits_nothing_waits_with_the_servers_words(as_user, alice, report):
    client = as_user(alice)
    assert "mailer-daemon@y.example" in client.get("/messages/unmatched/").content.decode()
    page = client.get(f"/messages/unmatched/{report.id}/").content.decode()
    assert "550 5.1.1 no such user" in page
    assert b"User unknown" in client.get(f"/messages/unmatched/{report.id}/body/").content


def test_matched_reports_are_not_listed(as_user, alice, report):
    Event.objects.update(strength="signed")
    EventReport.objects.update(strength="signed")
    assert as_user(alice).get(f"/messages/unmatched/{report.id}/").status_code == 404


def test_nobody_else_sees_them(as_user, bob, charlie, message, report):
    for user in (bob, charlie):
        client = as_user(user)
        assert "x@y.example" not in client.get("/messages/all/").content.decode()
        for part in ("", "body/", "raw/"):
            assert client.get(f"/messages/{message.id}/{part}").status_code == 404
            assert client.get(f"/messages/unmatched/{report.id}/{part}").status_code == 404
        assert client.post(f"/messages/{message.id}/mark/").status_code == 404
    message.refresh_from_db()
    assert not message.is_read


def test_who_may_read_a_shared_mailbox_sees_what_came_to_it_and_no_other(
    as_user, bob, cast, charlie, message, report
):
    account = make_account(cast.alice, port=9, visibility="workspace", everyone=["view"])
    for one in (message, report):
        type(one).objects.filter(id=one.id).update(account=account)
    client = as_user(bob)
    assert "x@y.example" in client.get("/messages/all/").content.decode()
    assert client.get(f"/messages/{message.id}/body/").status_code == 200
    assert "mailer-daemon@y.example" in client.get("/messages/unmatched/").content.decode()
    assert "x@y.example" not in as_user(charlie).get("/messages/all/").content.decode()
    account.everyone = ["use"]  # to send from it is not to read its mail
    account.save()
    assert "x@y.example" not in client.get("/messages/all/").content.decode()
    assert client.get(f"/messages/{message.id}/body/").status_code == 404
    assert client.get(f"/messages/unmatched/{report.id}/").status_code == 404
