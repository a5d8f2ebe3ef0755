"""The composer beyond the text: who is chosen, what may be attached, when it leaves, who answers already."""

import email
import email.policy
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from postroom.actions.blob import blob_put
from postroom.models.contact import Contact
from postroom.models.conversation import Conversation
from postroom.models.delivery import Delivery
from postroom.models.draft import Draft, Signature, Upload
from postroom.models.message import Message
from postroom.models.message_type import MessageType
from postroom.models.profile import Profile, ProfileMember, Share
from postroom.models.record import Record, RecordFile, RecordPerson
from postroom.models.template import Template, TemplateFile
from postroom.queries.blob import blob_read
from postroom.testing.cast import make_account, make_list
from tests.web.test_writing import form, opened, post, sent_mail

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(cast):
    return make_account(cast.alice, port=9)


@pytest.fixture
def client(as_user, alice):
    return as_user(alice)


def signed_in(user):
    """A client of their own: `as_user` has one for all."""
    web = Client()
    web.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return web


def ask(client, draft, act, data=None, **more):
    """What static/compose.js asks: JSON."""
    url = f"/messages/drafts/{draft.id}/{act}/"
    return client.post(url, form(draft) if data is None else data, headers={"X-Compose": "1"}, **more)


def upload(client, draft, name, data, *, size=None, mark="a"):
    values = {"name": name, "size": size or len(data), "type": "application/pdf", "mark": mark}
    return ask(client, draft, "uploads", values)


def piece(client, draft, upload_id, offset, data):
    return client.post(
        f"/messages/drafts/{draft.id}/uploads/{upload_id}/?offset={offset}",
        data,
        content_type="application/octet-stream",
        headers={"X-Compose": "1"},
    )


@pytest.mark.req("CM-37/38")
def test_settings_the_icon_and_the_key_open_the_same_composer(client, cast, account):
    MessageType.objects.create(workspace=cast.alice.workspace, name="Offers")
    page = client.get("/settings/").content.decode()
    assert 'href="/messages/write/"' in page
    assert page.count('action="/messages/write/" data-write') == 2, (
        "the button with the key, and the icon's menu"
    )
    assert "Write new message" in page
    from_settings = client.get("/messages/write/")
    from_icon = client.post("/messages/write/")
    over = client.post("/messages/write/", headers={"X-Compose": "1"}).content.decode()
    drafts = list(Draft.objects.order_by("id").values())
    assert from_settings["Location"] == f"/messages/drafts/{drafts[0]['id']}/"
    assert from_icon["Location"] == f"/messages/drafts/{drafts[1]['id']}/"

    def schema(draft):
        return {key: value for key, value in draft.items() if key != "id" and not key.endswith("_at")}

    assert schema(drafts[0]) == schema(drafts[1]) == schema(drafts[2])
    names = [name for name in form(Draft.objects.first()) if f'name="{name}"' in over]
    assert names == list(form(Draft.objects.first()))


@pytest.mark.req("CM-41")
def test_a_bad_recipient_is_named_by_its_place_and_nothing_is_sent(client, account):
    draft = opened(client)
    pasted = (
        '"Berg, Ben" <ben@x.example>; carl@x.example\nevil@@x.example, Ann <ann@x.example>,dora@x.example'
    )
    answer = ask(client, draft, "send", form(draft, to=pasted, subject="Hi", html="Hello"))
    assert answer.status_code == 422
    told = answer.json()
    assert (told["code"], told["field"], told["details"]["index"]) == ("BAD_ADDRESS", "to", 2)
    kept = ask(client, draft, "save").json()
    assert [name or spec for name, spec, _why in kept["people"]["to"]] == [
        "Berg, Ben",
        "carl@x.example",
        "evil@@x.example",
        "Ann",
        "dora@x.example",
    ]
    assert [bool(why) for _n, _s, why in kept["people"]["to"]] == [False, False, True, False, False]
    assert not Message.objects.exists()


@pytest.mark.req("CM-42")
def test_each_kind_of_person_is_picked_and_stays_known_and_who_has_no_address_cannot_be(
    client, cast, account
):
    space = cast.alice.workspace
    make_list(cast.alice, ["eva@x.example", "karl@x.example", "only@x.example"])
    eva, karl, only = Contact.objects.order_by("id")
    Contact.objects.filter(id=eva.id).update(kind="employee")
    Contact.objects.filter(id=karl.id).update(
        kind="contractor", attributes={"billing": "bills@x.example", "note": "not @ all"}
    )
    firm = Record.objects.create(workspace=space, kind="contractor", name="Northgate", search="northgate")
    empty = Record.objects.create(workspace=space, kind="contractor", name="Empty & Co", search="empty & co")
    RecordPerson.objects.create(record=firm, contact=only)
    draft = opened(client)
    people = f"/messages/drafts/{draft.id}/people/"
    staff = client.get(people, {"tab": "employees"}, headers={"X-Compose": "1"}).content.decode()
    assert f'value="user:{cast.bob.user.id}:{cast.bob.user.email}"' in staff
    assert f'value="contact:{eva.id}:eva@x.example"' in staff
    firms = client.get(people, {"tab": "contractors"}).content.decode()
    for address in ("karl@x.example", "bills@x.example"):
        assert f'value="contact:{karl.id}:{address}"' in firms, "several addresses are chosen from"
    assert f'value="record:{firm.id}:only@x.example"' in firms
    blocked = firms[firms.index("Empty &amp; Co") :]
    assert 'disabled aria-describedby="why-record-' in blocked[: blocked.index("</li>")]
    assert "no contact person" in blocked
    assert "Northgate" not in client.get(people, {"tab": "contractors", "q": "empty"}).content.decode()

    def pick(who, field="to"):
        return ask(client, draft, "pick", {"who": who, "field": field})

    assert pick(f"record:{empty.id}:x@x.example").status_code == 422
    assert pick(f"contact:{karl.id}:stranger@x.example").status_code == 422
    assert pick(f"user:{cast.charlie.user.id}:{cast.charlie.user.email}").status_code == 404
    for who in (
        f"user:{cast.bob.user.id}:{cast.bob.user.email}",
        f"contact:{karl.id}:bills@x.example",
        f"record:{firm.id}:only@x.example",
    ):
        assert pick(who).status_code == 200
    told = pick(f"contact:{eva.id}:eva@x.example", "cc").json()
    assert told["field"] == "cc"
    assert "eva@x.example" in told["text"]
    post(client, draft, "send", subject="Hi", html="Hello")
    message = Message.objects.get()
    assert message.people == {
        cast.bob.user.email: {"kind": "user", "id": cast.bob.user.id},
        "bills@x.example": {"kind": "contact", "id": karl.id},
        "only@x.example": {"kind": "record", "id": firm.id},
        "eva@x.example": {"kind": "contact", "id": eva.id},
    }


@pytest.mark.req("CM-43")
def test_senders_templates_and_types_are_those_of_ones_profiles(cast, bob):
    space = cast.alice.workspace
    sales = Profile.objects.create(workspace=space, name="Sales")
    other = Profile.objects.create(workspace=space, name="Stock")
    ProfileMember.objects.create(profile=sales, user=bob)
    things = {
        "account": [make_account(cast.alice, port=9), make_account(cast.alice, port=9)],
        "template": [Template.objects.create(workspace=space, name=f"T{n}", html="x") for n in range(2)],
        "type": [MessageType.objects.create(workspace=space, name=f"Type{n}") for n in range(2)],
    }
    for noun, pair in things.items():
        for thing, profile in zip(pair, (sales, other), strict=True):
            type(thing).objects.filter(id=thing.id).update(visibility="profiles")
            Share.objects.create(
                workspace=space, noun=noun, noun_id=thing.id, profile=profile, may=["view", "use"]
            )
    colleague = signed_in(bob)
    draft = opened(colleague)
    assert draft.account == things["account"][0], "none of one's own: the one that may be used"
    page = colleague.get(f"/messages/drafts/{draft.id}/").content.decode()
    for noun, (mine, theirs) in things.items():
        select = page[page.index(f'id="id_{noun}"') :]
        select = select[: select.index("</select>")]
        assert f'value="{mine.id}"' in select, noun
        assert f'value="{theirs.id}"' not in select, noun
        row = "account" if noun == "account" else noun
        assert f'class="pr-lrow pr-tuck" id="row-{row}"' in page, "folded until its button is pressed"
    assert post(colleague, draft, "insert", template=things["template"][1].id).status_code in (403, 404)
    assert post(colleague, draft, "save", type=things["type"][1].id).status_code == 404
    own = make_account(cast.bob, port=9)
    assert opened(colleague).account == own, "one's own account goes first"
    Share.objects.all().delete()
    own.delete()
    answer = ask(colleague, opened(colleague), "send", form(opened(colleague), to="a@x.example", html="x"))
    assert (answer.status_code, answer.json()["code"]) == (409, "NO_SENDER")
    page = colleague.get(f"/messages/drafts/{opened(colleague).id}/").content.decode()
    assert 'href="/settings/accounts/"' in page


@pytest.mark.req("CM-44")
def test_a_template_goes_to_the_cursor_and_brings_its_files(client, cast, account):
    offer = Template.objects.create(
        workspace=cast.alice.workspace, name="Offer", subject="Our offer", html="<p>Offer</p>"
    )
    blob = blob_put(b"%PDF")
    TemplateFile.objects.create(template=offer, blob=blob, name="terms.pdf", content_type="application/pdf")
    draft = opened(client)
    typed = "<p>one</p>\n<!-- cursor -->\n<p>two</p>"
    told = ask(client, draft, "insert", form(draft, html=typed, subject="Mine", template=offer.id)).json()
    assert told["html"].index("one") < told["html"].index("Offer") < told["html"].index("two")
    assert "cursor" not in told["html"]
    assert told["subject"] == "Mine"
    assert "terms.pdf" in told["files"]
    ask(client, draft, "insert", form(draft, template=offer.id))
    assert draft.files.count() == 1, "put in twice, it brings its file once"


@pytest.mark.req("CM-47")
def test_a_file_comes_in_pieces_and_a_wrong_place_is_told_the_right_one(client, account):
    draft, data = opened(client), b"%PDF" + bytes(range(256)) * 40
    begun = upload(client, draft, "zażółć.pdf", data)
    assert begun.status_code == 201
    number = begun.json()["id"]
    assert piece(client, draft, number, 0, data[:4000]).json() == {"offset": 4000}
    for wrong in (0, 5000):
        answer = piece(client, draft, number, wrong, data[wrong : wrong + 100])
        assert (answer.status_code, answer.json()["details"]["offset"]) == (409, 4000)
    page = client.get(f"/messages/drafts/{draft.id}/").content.decode()
    assert "choose the file again to go on" in page, "a reload forgets nothing"
    assert upload(client, draft, "zażółć.pdf", data).json()["offset"] == 4000
    answer = ask(client, draft, "send", form(draft, to="ann@x.example", subject="Hi", html="See the file"))
    assert (answer.status_code, answer.json()["code"]) == (409, "UPLOADING")
    done = piece(client, draft, number, 4000, data[4000:]).json()
    assert "zażółć.pdf" in done["files"]
    assert piece(client, draft, number, len(data), b"").status_code == 404
    post(client, draft, "send", to="ann@x.example", subject="Hi", html="See the file")
    raw = blob_read(Message.objects.get().raw_id)
    assert b"filename*=utf-8''za%C5%BC%C3%B3%C5%82%C4%87.pdf" in raw.replace(b"UTF-8", b"utf-8")
    part = next(email.message_from_bytes(raw, policy=email.policy.default).iter_attachments())
    assert (part.get_filename(), part.get_content()) == ("zażółć.pdf", data)


@pytest.mark.req("CM-47")
def test_what_is_too_large_or_forbidden_is_refused_before_it_comes(client, cast, account):
    draft = opened(client)
    answer = upload(client, draft, "big.bin", b"", size=18_000_001)
    assert (answer.status_code, answer.json()["code"]) == (422, "TOO_LARGE")
    account.capabilities = {"size": 1_000_000}
    account.save()
    answer = upload(client, draft, "middle.bin", b"", size=900_000)
    assert answer.status_code == 422
    assert account.address in answer.json()["message"]
    assert upload(client, draft, "fits.bin", b"", size=600_000).status_code == 201
    assert upload(client, draft, "second.bin", b"", size=600_000, mark="b").status_code == 422
    for name in ("setup.EXE", "bill.pdf.js", "run.bat. "):
        answer = upload(client, draft, name, b"x", mark=name)
        assert (answer.status_code, answer.json()["code"]) == (422, "BLOCKED"), name
    page = client.post(
        f"/messages/drafts/{draft.id}/attach/", {"files": SimpleUploadedFile("a.exe", b"MZ")}
    ).content.decode()
    assert "files ending in .exe are not sent from here" in page
    api = client.post(
        "/api/v1/messages",
        {"to": "a@x.example", "text": "x", "files": [{"name": "a.exe", "data": "TVo="}]},
        content_type="application/json",
    )
    assert (api.status_code, api.json()["code"]) == (422, "BLOCKED")
    assert Upload.objects.count() == 1


def test_which_endings_are_forbidden_is_a_setting_of_the_firm(client, cast, account):
    page = client.get("/settings/workspace/").content.decode()
    assert "exe" in page[page.index('name="blocked_files"') :]
    space = cast.alice.workspace
    values = {
        **{
            name: getattr(space, name)
            for name in ("version", "name", "language", "time_zone", "default_visibility")
        },
        "bounce_host": "",
        "notice_account": "",
        "url": "http://127.0.0.1:8000",
        "blocked_files": "*.dwg, .Exe",
    }
    answer = client.post("/settings/workspace/", values)
    assert answer.status_code == 302, answer.content.decode()
    space.refresh_from_db()
    assert space.blocked_files == ["dwg", "exe"]
    assert upload(client, opened(client), "plan.dwg", b"x").status_code == 422


@pytest.mark.req("CM-47")
def test_a_file_of_the_record_is_attached_by_a_press(client, cast, account):
    record = Record.objects.create(workspace=cast.alice.workspace, kind="document", name="Quote 2291")
    file = RecordFile.objects.create(
        record=record, blob=blob_put(b"%PDF"), name="quote.pdf", content_type="application/pdf"
    )
    draft = opened(client, record=record.id)
    page = client.get(f"/messages/drafts/{draft.id}/").content.decode()
    assert f'name="record_file" value="{file.id}"' in page
    told = ask(client, draft, "attach", {"record_file": file.id}).json()
    assert "record_file" not in told["files"]
    assert draft.files.get().name == "quote.pdf"
    assert ask(client, opened(client), "attach", {"record_file": file.id}).status_code == 404


def test_a_signature_stands_below_and_changes_with_the_sender_unless_it_was_edited(client, cast, account):
    second = make_account(cast.alice, port=9)
    values = {"signature-0": "Alice <script>x</script>\nSales", f"signature-{second.id}": "<b>Support</b>"}
    assert client.post("/settings/signature/", values).status_code == 302
    assert "script" not in Signature.objects.get(account=None).html
    page = client.get("/settings/signature/").content.decode()
    assert "&lt;b&gt;Support&lt;/b&gt;" in page
    draft = opened(client)
    assert "Sales" in draft.html
    told = ask(client, draft, "save", form(draft, account=second.id)).json()
    assert "<b>Support</b>" in told["html"]
    draft.refresh_from_db()
    mine = draft.html.replace("Support", "Support, in a hurry")
    told = ask(client, draft, "save", form(draft, html=mine, account=account.id)).json()
    assert "html" not in told, "what somebody changed stays"
    answer = ask(client, opened(client), "send", form(opened(client), to="a@x.example", subject="Hi"))
    assert answer.status_code == 422, "a signature alone is no message"


@pytest.mark.req("CM-48")
def test_missing_fields_are_listed_in_the_preview_and_a_blind_copy_is_not_in_it(client, cast, account):
    draft = opened(client)
    offer = Template.objects.create(
        workspace=cast.alice.workspace, name="Offer", html="<p>Dear {{ name }},</p>"
    )
    told = ask(
        client,
        draft,
        "insert",
        form(draft, to="stranger@x.example", bcc="boss@x.example", subject="Hi", template=offer.id),
    ).json()
    assert told["unfilled"] == ["{{ name }}"]
    shown = client.get(f"/messages/drafts/{draft.id}/preview/").content.decode()
    assert "{{ name }}" in shown
    assert "stranger@x.example" in shown
    assert "boss@x.example" not in shown


@pytest.mark.req("CM-48")
def test_the_preview_is_shown_as_the_recipient_one_chooses_and_the_fields_written_as_for_them(
    client, cast, account
):
    make_list(cast.alice, ["ann@x.example", "ben@x.example"])
    Contact.objects.filter(email="ann@x.example").update(name="Ann", company="<Oak> & Co")
    Contact.objects.filter(email="ben@x.example").update(name="Ben", company="")
    offer = Template.objects.create(
        workspace=cast.alice.workspace,
        name="Offer",
        subject="For {{ name }}",
        html="<p>Dear {{ name }} of {{ company }}</p>",
    )
    draft = opened(client)
    ask(
        client, draft, "insert", form(draft, template=offer.id)
    )  # before anybody is chosen: the fields stand open
    draft.refresh_from_db()
    assert "{{ name }}" in draft.html
    people = "Ann Archer <ann@x.example>, ben@x.example"
    ask(client, draft, "save", form(draft, to=people, bcc="eve@x.example"))

    page = client.get(f"/messages/drafts/{draft.id}/preview/?as=ben@x.example").content.decode()
    assert 'value="ben@x.example" selected' in page
    assert "Ann Archer</option>" in page
    assert "For ben@x.example these fields have no value" in page
    assert "{{ company }}" in page
    assert "eve@x.example" not in page, "a blind copy stands in no preview"
    seen = {
        who: client.get(f"/messages/drafts/{draft.id}/body/?as={who}").content.decode()
        for who in ("ann@x.example", "ben@x.example")
    }
    assert "Dear Ann of &lt;Oak&gt; &amp; Co" in seen["ann@x.example"]
    assert "Dear Ben of {{ company }}" in seen["ben@x.example"]
    assert b"Subject: For Ann" in client.get(f"/messages/drafts/{draft.id}/source/?as=ann@x.example").content

    assert ask(client, draft, "fill", {"as": "nobody@x.example"}).status_code == 404
    told = ask(client, draft, "fill", {"as": "ann@x.example"}).json()
    assert (told["subject"], told["unfilled"]) == ("For Ann", [])
    before = client.get(f"/messages/drafts/{draft.id}/source/?as=ann@x.example").content
    sent = ask(client, draft, "send").json()
    assert "sent" in sent
    mail = sent_mail(Message.objects.latest("id"))
    shown = email.message_from_bytes(before, policy=email.policy.default)
    assert [(one.get_content_type(), one.get_content()) for one in mail.iter_parts()] == [
        (one.get_content_type(), one.get_content()) for one in shown.iter_parts()
    ]
    assert (mail["Subject"], mail["To"], mail["Bcc"]) == (shown["Subject"], shown["To"], None)


@pytest.mark.req("CM-49")
def test_a_double_post_is_one_message_and_what_the_server_refused_is_mended(client, cast, account):
    draft = opened(client)
    values = form(draft, to="ann@x.example, ben@x.example", subject="Hi", html="Hello", mode="over")
    answers = [ask(client, draft, "send", values).json() for _half in range(2)]
    message = Message.objects.get()
    assert [one["sent"] for one in answers] == [f"/messages/sent/{message.id}/"] * 2
    assert answers[0]["undo"] == f"/messages/drafts/{draft.id}/unsend/"
    assert message.send_at - timezone.now() <= timedelta(seconds=30)
    Delivery.objects.filter(address="ben@x.example").update(
        state="failed", trouble="failed", code=550, words="550 5.1.1 no such user"
    )
    page = client.get(f"/messages/sent/{message.id}/").content.decode()
    assert "550 5.1.1 no such user" in page
    again = client.post(f"/messages/sent/{message.id}/again/")
    copy = Draft.objects.get(id=int(again["Location"].rstrip("/").rpartition("/")[2]))
    assert (copy.to, copy.subject, copy.html, copy.message) == ("ben@x.example", "Hi", "Hello", None)


@pytest.mark.parametrize(
    ("typed", "status"),
    [("2026-11-23T08:00", 200), ("2020-01-01T08:00", 422), ("soon", 422), ("2027-03-28T02:30", 422)],
)
def test_it_leaves_later_by_the_clocks_of_the_firm_and_is_taken_back(
    client, cast, account, typed, status, time_machine_at
):
    space = cast.alice.workspace
    space.time_zone = "Europe/Warsaw"
    space.save()
    draft = opened(client)
    values = form(draft, to="ann@x.example", subject="Hi", html="Hello", at=typed)
    answer = ask(client, draft, "send", values)
    assert answer.status_code == status
    if status != 200:
        assert answer.json()["errors"]["send_at"]
        assert not Message.objects.exists()
        return
    message = Message.objects.get()
    assert message.send_at == datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
    assert Delivery.objects.get().retry_at == message.send_at
    page = client.get("/messages/scheduled/").content.decode()
    assert "23 November 2026, 08:00" in page
    assert "Europe/Warsaw" in page
    client.post(f"/messages/sent/{message.id}/unsend/")
    assert Delivery.objects.get().reason == "cancelled"
    assert "ann@x.example" not in client.get("/messages/scheduled/").content.decode()
    draft.refresh_from_db()
    assert (draft.message, draft.send_at) == (None, None)


@pytest.fixture
def time_machine_at():
    import time_machine

    with time_machine.travel(datetime(2026, 11, 22, 12, 0, tzinfo=UTC)):
        yield


def test_two_answer_the_same_conversation_and_the_second_is_asked(client, cast, bob, account):
    space = cast.alice.workspace
    account.visibility, account.everyone = "workspace", ["view", "use"]
    account.save()
    talk = Conversation.objects.create(
        workspace=space, account=account, subject="Prices", last_at=timezone.now()
    )
    raw = b"From: ann@x.example\r\nTo: sales@alderpike.example\r\nSubject: Prices\r\nMessage-ID: <1@x>\r\n"
    raw += b"\r\nHow much?\r\n"
    came = Message.objects.create(
        workspace=space,
        account=account,
        direction="in",
        raw=blob_put(raw),
        subject="Prices",
        from_address="ann@x.example",
        conversation=talk,
        at=timezone.now(),
    )
    url = f"/messages/write/dock?conversation={talk.id}"
    colleague = signed_in(bob)
    first = client.get(url).content.decode()
    assert 'name="as" value="answer"' in first
    assert not Draft.objects.exists(), "looking begins nothing"
    for web in (client, colleague):
        assert "How much?" in web.post(url, {"as": "answer"}).content.decode()
        assert 'data-compose="' in web.get(url).content.decode(), "what was begun is found again"
    mine, theirs = Draft.objects.order_by("id")
    assert (mine.conversation, mine.in_reply_to, mine.to) == (talk, came, "ann@x.example")
    answer = ask(
        colleague, theirs, "send", form(theirs, subject="Re: Prices", html="Five." + theirs.html, mode="dock")
    )
    assert answer.status_code == 200
    values = form(mine, html="Ten." + mine.html, mode="dock")
    told = ask(client, mine, "send", values)
    assert (told.status_code, told.json()["code"]) == (409, "ANSWERED_MEANWHILE")
    page = client.post(f"/messages/drafts/{mine.id}/send/", form(mine)).content.decode()
    assert 'name="anyway" value="1"' in page
    assert ask(client, mine, "send", {**form(mine), "anyway": "1"}).status_code == 200
    assert Message.objects.filter(direction="out", conversation=talk).count() == 2
    mail = sent_mail(Message.objects.filter(direction="out").first())
    assert (mail["In-Reply-To"], mail["References"]) == ("<1@x>", "<1@x>")


def test_files_that_came_meanwhile_make_no_stale_save_a_text_does(client, account):
    draft = opened(client)
    first = form(draft, html="from the first")
    assert ask(client, draft, "save", first).json()["version"] == 2
    told = ask(client, draft, "save", {**first, "html": "from the second"})
    assert told.status_code == 409
    assert told.json()["details"]["theirs"]["html"] == "from the first"
    assert told.json()["details"]["yours"]["html"] == "from the second"
    assert json.loads(told.content)["details"]["version"] == 2
