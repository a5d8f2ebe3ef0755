"""Writing a message: drafts that save themselves, templates, recipients, files, sending once, answering."""

import email
import email.policy
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from postroom.actions.blob import blob_put
from postroom.models.delivery import Delivery
from postroom.models.draft import Draft
from postroom.models.message import Message
from postroom.models.message_type import MessageType
from postroom.models.profile import Profile, ProfileMember
from postroom.models.template import Template, TemplateDefault
from postroom.queries.blob import blob_read
from postroom.testing.cast import make_account, make_list

pytestmark = pytest.mark.django_db

CAME = (
    b"From: Ann Archer <ann@x.example>\r\nTo: sales@alderpike.example, Ben <ben@x.example>\r\n"
    b"Subject: RE: Prices\r\nMessage-ID: <b@x.example>\r\nReferences: <a@x.example>\r\n"
    b"Content-Type: text/html; charset=utf-8\r\n\r\n<p onclick='steal()'>How much?</p><script>steal()</script>"
)


@pytest.fixture
def account(cast):
    return make_account(cast.alice, port=9)


@pytest.fixture
def client(as_user, alice):
    return as_user(alice)


@pytest.fixture
def came(cast, account):
    return Message.objects.create(
        workspace=cast.alice.workspace,
        account=account,
        direction="in",
        raw=blob_put(CAME),
        subject="RE: Prices",
        from_address="ann@x.example",
    )


def opened(client, **values):
    """The draft that "Write" makes."""
    answer = client.post("/messages/write/", values)
    assert answer.status_code == 302, answer.content
    return Draft.objects.get(id=int(answer["Location"].rstrip("/").rpartition("/")[2]))


def form(draft, **values):
    draft.refresh_from_db()
    names = ("version", "to", "cc", "bcc", "subject", "html", "text")
    kept = {name: getattr(draft, name) for name in names}
    return {**kept, "account": draft.account_id or "", "type": draft.type_id or "", **values}


def post(client, draft, act, **values):
    return client.post(f"/messages/drafts/{draft.id}/{act}/", form(draft, **values))


def sent_mail(message):
    return email.message_from_bytes(blob_read(message.raw_id), policy=email.policy.default)


@pytest.fixture
def default(cast):
    """A template that new messages of Alice begin with, and another one."""
    space = cast.alice.workspace
    profile = Profile.objects.create(workspace=space, name="Sales")
    ProfileMember.objects.create(profile=profile, user=cast.alice.user)
    usual = Template.objects.create(
        workspace=space, name="Usual", html="<p>Good day</p><p>Alder &amp; Pike</p>"
    )
    TemplateDefault.objects.create(profile=profile, template=usual)
    return Template.objects.create(
        workspace=space, name="Offer", subject="Our offer", html="<p>Dear {{ name }}, here is our offer.</p>"
    )


@pytest.mark.req("CM-41")
def test_five_pasted_with_one_bad_are_shown_and_not_sent_until_it_is_mended(client, account):
    draft = opened(client)
    pasted = (
        'Ann <ann@x.example>, "Berg, Ben" <ben@x.example>; carl@x.example\ndora@x.example, evil@@x.example'
    )
    answer = post(client, draft, "send", to=pasted, subject="Hi", html="Hello")
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "No. 5, “evil@@x.example”" in page
    assert page.count('class="pr-tag is-bad"') == 1
    for chip in ("Ann", "Berg, Ben", "carl@x.example", "dora@x.example"):
        assert f'<span class="pr-tag">{chip}</span>' in page
    assert not Message.objects.filter(direction="out").exists()
    draft.refresh_from_db()
    assert draft.to == pasted.replace("\r\n", "\n"), "nothing of what was typed is lost"
    post(client, draft, "send", to=pasted.replace("@@", "@"))
    assert Delivery.objects.filter(message__draft=draft).count() == 5


@pytest.mark.req("CM-44")
def test_choosing_a_template_changes_nothing_and_inserting_fills_the_subject_only_if_empty(
    client, cast, default
):
    account = make_account(cast.alice, port=9)
    make_list(cast.alice, ["ann@x.example"])
    draft = opened(client)
    before = draft.html
    post(client, draft, "save", to="ann@x.example", template=default.id)
    draft.refresh_from_db()
    assert (draft.html, draft.subject) == (before, "")
    post(client, draft, "insert", template=default.id)
    draft.refresh_from_db()
    assert draft.subject == "Our offer"
    assert "Dear Person, here is our offer." in draft.html
    other = opened(client)
    post(client, other, "insert", template=default.id, subject="Mine", account=account.id)
    other.refresh_from_db()
    assert other.subject == "Mine"


def test_the_default_template_gives_way_to_another_and_typed_text_stays(client, account, default):
    draft = opened(client)
    assert "Good day" in draft.html
    typed = draft.html + "What I typed below.\n"
    post(client, draft, "insert", html=typed, template=default.id)
    draft.refresh_from_db()
    assert "Good day" not in draft.html
    assert "What I typed below." in draft.html
    post(client, draft, "insert", template=default.id)
    draft.refresh_from_db()
    assert draft.html.count("here is our offer") == 2, "one put in by hand is not swapped"


def test_an_edited_default_template_is_asked_about(client, account, default):
    draft = opened(client)
    typed = draft.html.replace("Good day", "Good evening") + "Below."
    answer = post(client, draft, "insert", html=typed, template=default.id)
    assert answer.status_code == 409
    assert "You changed the template" in answer.content.decode()
    draft.refresh_from_db()
    assert draft.html == typed, "kept, and nothing put in"
    post(client, draft, "insert", template=default.id, how="both")
    draft.refresh_from_db()
    assert draft.html.index("our offer") < draft.html.index("Good evening") < draft.html.index("Below.")
    other = opened(client)
    typed = other.html.replace("Good day", "Good evening") + "Below."
    post(client, other, "insert", html=typed, template=default.id, how="replace")
    other.refresh_from_db()
    assert "Good evening" not in other.html
    assert "Below." in other.html


def test_a_template_field_nobody_filled_is_listed_and_stops_the_sending(client, account, default):
    draft = opened(client)
    post(client, draft, "insert", to="stranger@x.example", template=default.id)
    page = client.get(f"/messages/drafts/{draft.id}/").content.decode()
    assert '<code class="pr-break">{{ name }}</code>' in page
    answer = post(client, draft, "send")
    assert answer.status_code == 422
    assert not Message.objects.filter(direction="out").exists()
    draft.refresh_from_db()
    post(client, draft, "send", html=draft.html.replace("{{ name }}", "Sir"))
    assert "Dear Sir" in sent_mail(Message.objects.get(direction="out")).get_body(("html",)).get_content()


def test_a_double_post_sends_one_message(client, account):
    draft = opened(client)
    values = form(draft, to="ann@x.example", subject="Hi", html="Hello")
    for _half in range(2):
        answer = client.post(f"/messages/drafts/{draft.id}/send/", values)
        assert answer["Location"] == f"/messages/sent/{Message.objects.get(direction='out').id}/"
    assert Delivery.objects.count() == 1


def test_a_refused_message_stays_a_draft_with_the_words_at_the_field(client, account):
    draft = opened(client)
    answer = post(client, draft, "send", subject="Hi", html="Hello")
    assert answer.status_code == 422
    assert "Say who it is for." in answer.content.decode()
    account.status, account.status_reason = "failing", "535 5.7.8 go away"
    account.save()
    answer = post(client, draft, "send", to="ann@x.example")
    assert answer.status_code == 409
    assert "535 5.7.8 go away" in answer.content.decode()
    assert "Hello" in client.get(f"/messages/drafts/{draft.id}/").content.decode()
    assert "Hi" in client.get("/messages/drafts/").content.decode()


def test_undo_brings_the_draft_back_and_it_can_be_sent_again(client, account):
    draft = opened(client)
    answer = client.post(
        f"/messages/drafts/{draft.id}/send/",
        form(draft, to="ann@x.example", subject="Hi", html="Hello"),
        follow=True,
    )
    assert f'action="/messages/drafts/{draft.id}/unsend/"' in answer.content.decode()
    client.post(f"/messages/drafts/{draft.id}/unsend/")
    assert Delivery.objects.get().state == "skipped"
    assert "Hello" in client.get(f"/messages/drafts/{draft.id}/").content.decode()
    post(client, draft, "send")
    assert sorted(Delivery.objects.values_list("state", flat=True)) == ["queued", "skipped"]
    Delivery.objects.update(retry_at=None)
    page = client.post(f"/messages/drafts/{draft.id}/unsend/", follow=True).content.decode()
    assert "It is on its way already." in page


@pytest.mark.req("CM-40")
def test_an_empty_subject_is_asked_about_once_and_a_long_one_arrives_whole(client, account):
    draft = opened(client)
    answer = post(client, draft, "send", to="ann@x.example", html="Hello")
    assert answer.status_code == 422
    assert "Send without subject" in answer.content.decode()
    assert post(client, draft, "send", no_subject="1").status_code == 302
    long = "Ценова листа за есента на годината " * 12
    other = opened(client)
    post(client, other, "send", to="ann@x.example", html="Hello", subject=f"{long}\r\nBcc: spy@x.example")
    raw = blob_read(Message.objects.latest("id").raw_id)
    assert max(len(line) for line in raw.split(b"\r\n")) <= 78
    mail = sent_mail(Message.objects.latest("id"))
    assert mail["Subject"] == f"{long}Bcc: spy@x.example"
    assert mail["Bcc"] is None
    assert (
        post(client, opened(client), "send", to="a@x.example", html="x", subject="ж" * 500).status_code == 422
    )


def test_two_windows_lose_nothing(client, account):
    draft = opened(client)
    first = form(draft, html="from the first")
    assert client.post(f"/messages/drafts/{draft.id}/save/", first).status_code == 302
    assert client.post(f"/messages/drafts/{draft.id}/save/", first).status_code == 302, "the same once more"
    answer = client.post(f"/messages/drafts/{draft.id}/save/", {**first, "html": "from the second"})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "from the first" in page
    assert "from the second" in page


def test_a_deleted_draft_comes_back(client, account):
    draft = opened(client)
    post(client, draft, "save", subject="Keep me")
    assert "/undelete/" in client.post(f"/messages/drafts/{draft.id}/delete/", follow=True).content.decode()
    assert client.get(f"/messages/drafts/{draft.id}/").status_code == 404
    client.post(f"/messages/drafts/{draft.id}/undelete/")
    assert "Keep me" in client.get("/messages/drafts/").content.decode()


def test_files_go_along_under_their_names_and_too_much_is_refused(client, account):
    draft = opened(client)
    url = f"/messages/drafts/{draft.id}/attach/"
    client.post(url, {"files": SimpleUploadedFile("zażółć.pdf", b"%PDF", "application/pdf")})
    answer = client.post(url, {"files": SimpleUploadedFile("big.bin", bytes(18_000_000))})
    assert answer.status_code == 422
    assert "big.bin was not added" in answer.content.decode()
    post(client, draft, "send", to="ann@x.example", subject="Hi", html="See the file")
    mail = sent_mail(Message.objects.get(direction="out"))
    assert [part.get_filename() for part in mail.iter_attachments()] == ["zażółć.pdf"]


@pytest.mark.req("CM-48")
def test_the_preview_is_what_is_sent_but_for_date_and_token(client, account):
    account.reply_to_address = "desk@alderpike.example"
    account.save()
    draft = opened(client)
    client.post(f"/messages/drafts/{draft.id}/attach/", {"files": SimpleUploadedFile("a.txt", b"text")})
    post(
        client,
        draft,
        "save",
        to="Ann <ann@x.example>",
        cc="ben@x.example",
        bcc="boss@x.example",
        subject="Hi",
    )
    post(client, draft, "save", html="Good day\n\n<b>Zażółć</b>")
    page = client.get(f"/messages/drafts/{draft.id}/").content.decode()
    aside = page[page.index('id="pr-aside"') :]
    for shown in ("Ann &lt;ann@x.example&gt;", "ben@x.example", "desk@alderpike.example", "a.txt", ">Hi<"):
        assert shown in aside
    assert "boss@x.example" not in aside
    assert '<iframe class="pr-frame" sandbox=""' in aside
    assert "<b>Zażółć</b>" in client.get(f"/messages/drafts/{draft.id}/body/").content.decode()
    preview = client.get(f"/messages/drafts/{draft.id}/source/").content
    post(client, draft, "send")
    sent = blob_read(Message.objects.get(direction="out").raw_id)

    def plain(raw):
        raw = re.sub(rb"(?m)^(Date|Message-ID|X-Postroom-Id): .*\r\n", b"", raw)
        boundaries = re.findall(rb'boundary="([^"]+)"', raw)
        for number, one in enumerate(boundaries):
            raw = raw.replace(one, b"boundary-%d" % number)
        return raw

    assert plain(preview) == plain(sent)
    assert b"List-Unsubscribe" not in sent, "a letter is no mailing"
    assert preview != sent


@pytest.mark.parametrize("how", ["answer", "all", "forward"])
def test_a_message_is_answered_with_its_people_subject_quote_and_ids(client, came, how):
    page = client.get(f"/messages/{came.id}/").content.decode()
    assert "mailto:" not in page
    draft = opened(client, message=came.id, **{"as": how})
    expected = {
        "answer": ("Ann Archer <ann@x.example>", "", "Re: Prices", "<b@x.example>"),
        "all": ("Ann Archer <ann@x.example>", "Ben <ben@x.example>", "Re: Prices", "<b@x.example>"),
        "forward": ("", "", "Fwd: RE: Prices", None),
    }[how]
    assert (draft.to, draft.cc, draft.subject) == expected[:3]
    assert draft.account == came.account
    post(client, draft, "send", to=draft.to or "carl@x.example", html="My answer.\n" + draft.html)
    mail = sent_mail(Message.objects.get(direction="out"))
    assert mail["In-Reply-To"] == expected[3]
    assert mail["References"] == (expected[3] and "<a@x.example> <b@x.example>")
    html = mail.get_body(("html",)).get_content()
    assert html.index("My answer.") < html.index("How much?")
    for word in ("script", "onclick", "<!--"):
        assert word not in html


def test_senders_and_types_are_those_one_may_use_and_without_any_the_way_is_shown(client, cast, as_user, bob):
    draft = opened(client)
    answer = post(client, draft, "send", to="ann@x.example", subject="Hi", html="Hello")
    assert answer.status_code == 409
    assert 'href="/settings/accounts/"' in answer.content.decode()
    mine = make_account(cast.alice, port=9)
    kind = MessageType.objects.create(workspace=cast.alice.workspace, name="Offers", created_by=cast.bob.user)
    page = client.get(f"/messages/drafts/{opened(client).id}/").content.decode()
    assert mine.address in page
    assert kind.name in page
    for row in ("row-account", "row-template", "row-type"):
        assert f'class="pr-lrow pr-tuck" id="{row}"' in page
    colleague = as_user(bob)
    theirs = opened(colleague)
    assert mine.address not in colleague.get(f"/messages/drafts/{theirs.id}/").content.decode()
    assert post(colleague, theirs, "save", account=mine.id).status_code == 404


def test_drafts_and_sent_messages_are_nobody_elses(client, account, as_user, bob, charlie):
    draft = opened(client)
    post(client, draft, "send", to="Ann <ann@x.example>", subject="Hi", html="Hello")
    message = Message.objects.get(direction="out")
    Delivery.objects.update(state="failed", trouble="failed", code=550, words="550 5.1.1 no such user")
    page = client.get(f"/messages/sent/{message.id}/").content.decode()
    assert "550 5.1.1 no such user" in page
    assert "Failed" in client.get("/messages/sent/").content.decode()
    other = opened(client)
    for user in (bob, charlie):
        stranger = as_user(user)
        assert stranger.get(f"/messages/drafts/{other.id}/").status_code == 404
        assert post(stranger, other, "send", to="a@x.example").status_code == 404
        assert stranger.get(f"/messages/sent/{message.id}/").status_code == 404
        assert stranger.get(f"/messages/sent/{message.id}/raw/").status_code == 404


def test_a_person_decides_about_a_message_in_doubt(client, cast, account):
    draft = opened(client)
    post(client, draft, "send", to="ann@x.example, ben@x.example", subject="Offer", html="Yes.")
    sent = Message.objects.latest("id")
    page = f"/messages/sent/{sent.id}/"
    assert "not sent again unless you say so" not in client.get(page).content.decode()
    doubt = {"state": "uncertain", "trouble": "uncertain", "words": "gone", "retry_at": None}
    Delivery.objects.filter(message=sent, address="ann@x.example").update(**doubt)
    Delivery.objects.filter(message=sent, address="ben@x.example").update(state="accepted", retry_at=None)
    assert "not sent again unless you say so" in client.get(page).content.decode()
    assert client.post(f"{page}decide/", {"decision": "x"}).status_code == 422
    told = client.post(f"{page}decide/", {"decision": "again"}, follow=True).content.decode()
    assert "1 message goes out again." in told
    ann, ben = Delivery.objects.filter(message=sent).order_by("address")
    assert (ann.state, ann.reason, ben.state) == ("deferred", "decided", "accepted")
    assert ann.retry_at is not None
    assert ann.tries[-1]["decided"] == "send again"
    assert (
        "Nothing was in doubt"
        in client.post(f"{page}decide/", {"decision": "leave"}, follow=True).content.decode()
    )

    Delivery.objects.filter(message=sent, address="ann@x.example").update(**doubt)
    body = {"decision": "leave"}
    answer = client.post(f"/api/v1/messages/{sent.id}/decide", body, content_type="application/json")
    assert [one["state"] for one in answer.json()["recipients"]] == ["accepted", "accepted"]
