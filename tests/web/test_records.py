"""Firms and records: what mail is about, written from, answered into, filled into templates (CM-39, CM-12)."""

import email
import email.policy
import re
import time
from email.utils import formatdate

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from postroom.actions.event import event_store_smtp, events_process
from postroom.models.contact import Contact
from postroom.models.delivery import Delivery
from postroom.models.draft import Draft
from postroom.models.message import Message
from postroom.models.profile import Profile
from postroom.models.record import Record
from postroom.models.template import Template
from postroom.queries.blob import blob_read
from postroom.testing.cast import make_account, make_list

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(cast):
    return make_account(cast.alice, port=9)


@pytest.fixture
def web(as_user, alice):
    return as_user(alice)


def made(web, **values):
    """The record that the page makes of what is typed; fields: {name: value}."""
    pairs = values.pop("fields", {})
    typed = {"kind": "contractor", **values, "key": list(pairs), "value": list(pairs.values())}
    answer = web.post("/records/new/", typed)
    assert answer.status_code == 302, answer.content.decode()
    return Record.objects.get(id=int(answer["Location"].rstrip("/").rpartition("/")[2]))


def mail_of(message):
    return email.message_from_bytes(blob_read(message.raw_id), policy=email.policy.default)


def came_back(message, workspace, *, sender="ann@example.net", to="sales@alderpike.example"):
    """An answer to a message of ours comes in; the message it becomes."""
    raw = (
        f"From: Ann <{sender}>\r\nTo: {to}\r\nSubject: Re: {message.subject}\r\n"
        f"Message-ID: <answer-{message.id}@example.net>\r\nIn-Reply-To: {mail_of(message)['Message-ID']}\r\n"
        f"Date: {formatdate(time.time() + 1)}\r\nContent-Type: text/plain\r\n\r\nYes, please.\r\n"
    ).encode()
    token = mail_of(message)["Message-ID"].strip("<>").partition("@")[0]
    event = event_store_smtp(envelope_from=sender, envelope_to=to, raw=raw, source="smtp")
    assert token
    events_process([event])
    return Message.objects.get(direction="in", message_id__contains=f"answer-{message.id}@")


@pytest.mark.req("CM-39")
def test_what_is_sent_from_a_record_and_its_answer_stand_on_the_record(web, cast, account):
    ann = make_list(cast.alice, ["ann@example.net"]).listmember_set.get().contact
    record = made(web, name="Oak for Leeds", kind="opportunity", number="Q-2291", fields={"Order no": "77"})
    web.post(f"/records/{record.id}/people/", {"person": ann.id})
    Template.objects.create(
        workspace=cast.alice.workspace,
        name="Quote",
        subject="Quote {{ record.number }}",
        html="<p>{{ record.name }}, order {{ record.order_no }}</p>",
    )
    files = {"files": SimpleUploadedFile("quote.pdf", b"%PDF-quote", "application/pdf")}
    web.post(f"/records/{record.id}/files/", files)

    opened = web.post(f"/records/{record.id}/write/", {"file": record.files.get().id})
    draft = Draft.objects.get()
    assert opened["Location"] == f"/messages/drafts/{draft.id}/"
    assert (draft.record, draft.to) == (record, "Person 1 <ann@example.net>"), "the recipient is proposed"
    kept = {name: getattr(draft, name) for name in ("version", "to", "cc", "bcc", "subject", "html", "text")}
    kept |= {"account": account.id, "type": ""}
    web.post(f"/messages/drafts/{draft.id}/insert/", {**kept, "template": Template.objects.get().id})
    draft.refresh_from_db()
    kept |= {name: getattr(draft, name) for name in ("version", "subject", "html")}
    sent = web.post(f"/messages/drafts/{draft.id}/send/", kept)
    assert sent.status_code == 302, sent.content.decode()

    message = Message.objects.get(direction="out")
    mail = mail_of(message)
    assert (message.record, mail["Subject"]) == (record, "Quote Q-2291")
    assert "Oak for Leeds, order 77" in mail.get_body(("html",)).get_content()
    assert [part.get_filename() for part in mail.iter_attachments()] == ["quote.pdf"]

    answer = came_back(message, cast.alice.workspace)
    assert answer.record == record, "it joined by itself"
    page = web.get(f"/records/{record.id}/").content.decode()
    assert "Re: Quote Q-2291" in page
    assert page.count("Quote Q-2291</a>") == 2
    mails = web.get(f"/api/v1/records/{record.id}/messages").json()
    assert [one["direction"] for one in mails["items"]] == ["in", "out"]
    assert (mails["hidden"], mails["next"]) == (0, None)


@pytest.mark.req("CM-39")
def test_another_system_links_its_own_thing_and_mail_sent_about_it_joins(web, cast, account):
    link = {
        "name": "Invoice 20417",
        "external_type": "invoice",
        "external_id": "20417",
        "url": "https://books.example/i/20417",
        "fields": {"due": "1 December"},
    }

    def put(**more):
        return web.put("/api/v1/records", {**link, **more}, content_type="application/json")

    first, second = put(), put(name="Invoice 20417, paid")
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json()["id"] == first.json()["id"]
    assert second.json()["version"] == 2
    assert [one.name for one in Record.objects.all()] == ["Invoice 20417, paid"]
    body = {
        "to": "ann@example.net",
        "subject": "Invoice",
        "text": "Here it is.",
        "record": first.json()["id"],
    }
    sent = web.post("/api/v1/messages", body, content_type="application/json").json()
    assert sent["record"] == first.json()["id"]
    assert came_back(Message.objects.get(id=sent["id"]), cast.alice.workspace).record_id == sent["record"]
    page = web.get(f"/records/{sent['record']}/").content.decode()
    assert 'href="https://books.example/i/20417"' in page
    assert "Re: Invoice" in page


@pytest.mark.req("CM-12")
def test_a_template_is_filled_with_fields_of_every_group_and_the_menu_offers_those_there_are(
    web, cast, account
):
    space = cast.alice.workspace
    contact = Contact.objects.create(
        workspace=space, email="ann@example.net", canonical="ann@example.net", name="<b>Ann</b>"
    )
    record = made(web, name="Order 5", number="5", fields={"VAT no": "PL 1", "Zażółć": "ą"})
    assert record.fields == {"vat_no": "PL 1", "zazolc": "ą"}
    menu = web.get("/templates/new/").content.decode()
    for key in ("name", "sender.name", "workspace.name", "date.today", "record.name", "record.vat_no"):
        assert f'data-field="{key}"' in menu, key
    html = (
        "<p>{{ name }} | {{ sender.name }} | {{ workspace.name }} | {{ date.today }} | {{ record.number }} | "
        '{{ record.vat_no }} | {{ record.iban | default: "no IBAN" }}</p>'
        "{% if record.vat_no == 'PL 1' %}Polish{% endif %}"
    )
    typed = {"name": "All", "subject": "Order {{ record.number }}", "html": html, "text": ""}
    unknown = web.post("/templates/new/", typed)
    assert unknown.status_code == 422, "no record has a field iban"
    assert "record.iban" in unknown.content.decode()
    assert web.post("/templates/new/", {**typed, "html": html + "{{ nope }}"}).status_code == 422
    made(web, name="Other", fields={"IBAN": "PL61"})
    saved = web.post("/templates/new/", typed)
    assert saved.status_code == 302, saved.content.decode()
    template = Template.objects.get(name="All")
    body = {"to": "ann@example.net", "template": template.id, "record": record.id}
    sent = web.post("/api/v1/messages", body, content_type="application/json")
    assert sent.status_code == 201, sent.content
    mail = mail_of(Message.objects.get(id=sent.json()["id"]))
    text = mail.get_body(("html",)).get_content()
    assert "&lt;b&gt;Ann&lt;/b&gt; | Alder &amp; Pike | Alder &amp; Pike |" in text
    assert "| 5 | PL 1 | no IBAN</p>Polish" in text
    assert mail["Subject"] == "Order 5"
    assert contact.id


@pytest.mark.req("CM-12")
def test_deleting_a_record_takes_its_fields_from_the_menu_and_breaks_no_template(web, cast, account):
    record = made(web, name="Order 5", fields={"hall": "B"})
    other = made(web, name="Order 6", fields={"gate": "2"})
    saved = web.post("/templates/new/", {"name": "T", "html": "<p>Hall {{ record.hall }}</p>"})
    assert saved.status_code == 302
    page = web.post(f"/records/{record.id}/delete/", follow=True).content.decode()
    menu = web.get("/templates/new/").content.decode()
    assert ('data-field="record.hall"' in menu, 'data-field="record.gate"' in menu) == (False, True)
    template = Template.objects.get(name="T")

    def send(**more):
        body = {"to": "a@example.net", "subject": "x", "template": template.id, **more}
        return web.post("/api/v1/messages", body, content_type="application/json")

    missing = send(record=other.id)
    assert (missing.status_code, missing.json()["code"]) == (422, "MISSING_VALUE")
    assert missing.json()["field"] == "record.hall"
    assert send(record=record.id).status_code == 404
    assert send(record=other.id, fields={"record.hall": "C"}).status_code == 201
    web.post(re.search(r"/records/undo/\d+/", page)[0])
    assert 'data-field="record.hall"' in web.get("/templates/new/").content.decode()
    assert send(record=record.id).status_code == 201


def test_a_campaign_leaves_a_field_of_a_record_to_its_fallback(web, cast, account):
    made(web, name="Order 5", fields={"hall": "B"})
    html = '<p>Hall {{ record.hall | default: "A" }}</p>'
    body = {"name": "C", "subject": "x", "html": html, "account": account.id}
    campaign = web.post("/api/v1/campaigns", body, content_type="application/json")
    assert campaign.status_code == 201, campaign.content
    source = web.get(f"/campaigns/{campaign.json()['id']}/source/").content.decode()
    assert "Hall A" in source


def test_records_are_found_by_words_kind_and_number_and_paged_by_name(web):
    for number in range(55):
        made(web, name=f"Firma {number:02} Łódź", number=f"N{number}")
    made(web, name="Umowa", kind="document")
    page = web.get("/records/").content.decode()
    assert page.count('class="pr-who"') == 50
    following = re.search(r'rel="next" href="([^"]+)"', page)[1].replace("&amp;", "&")
    assert web.get(f"/records/{following}").content.decode().count('class="pr-who"') == 6
    assert web.get("/records/?q=lodz+n54").content.decode().count('class="pr-who"') == 1
    assert web.get("/records/?kind=document").content.decode().count('class="pr-who"') == 1
    first = web.get("/api/v1/records?q=firma").json()
    second = web.get(f"/api/v1/records?q=firma&at={first['next']}").json()
    assert (len(first["items"]), len(second["items"]), second["next"]) == (50, 5, None)
    assert web.get("/api/v1/records?at=x").status_code == 422


def test_a_stale_save_shows_both_texts_and_loses_neither(web):
    record = made(web, name="Oak", fields={"hall": "B"})
    typed = {"name": "Oak boards", "kind": "contractor", "version": "1", "key": ["hall"], "value": ["C"]}
    assert web.post(f"/records/{record.id}/edit/", typed).status_code == 302
    late = {**typed, "name": "Oak planks", "value": ["D"]}
    answer = web.post(f"/records/{record.id}/edit/", late)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert 'value="Oak planks"' in page, "what was typed is there"
    assert "<b>Oak boards</b>" in page, "and what is stored"
    assert "hall: <b>C</b>" in page
    assert 'name="version" value="2"' in page, "saving again is a choice"
    body = {"name": "x", "version": 1}
    told = web.put(f"/api/v1/records/{record.id}", body, content_type="application/json")
    assert (told.status_code, told.json()["code"]) == (409, "STALE_VERSION")
    assert told.json()["details"]["theirs"]["name"] == "Oak boards"
    assert told.json()["details"]["yours"]["name"] == "x"


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        ({"name": " "}, "name"),
        ({"kind": "house"}, "kind"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"fields": {"!!": "x"}}, "fields"),
        ({"fields": {"Hall": "1", "hall": "2"}}, "fields"),
        ({"people": [987654]}, "people"),
        ({"external_id": "x" * 121}, "external_id"),
    ],
)
def test_what_cannot_be_kept_is_refused_at_its_field(web, bad, field):
    answer = web.post("/api/v1/records", {"name": "Firm", **bad}, content_type="application/json")
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert Record.objects.count() == 0


def test_an_id_of_another_system_stands_once(web):
    body = {"name": "One", "external_type": "order", "external_id": "1"}
    first = web.post("/api/v1/records", body, content_type="application/json").json()
    again = web.post("/api/v1/records", body, content_type="application/json")
    assert (again.status_code, again.json()["code"]) == (409, "NAME_TAKEN")
    assert again.json()["details"]["record"] == first["id"]
    undo = web.delete(f"/api/v1/records/{first['id']}").json()["undo"]
    back = web.post(f"/api/v1/records/undo/{undo}")
    assert (back.status_code, back.json()["id"]) == (200, first["id"])
    undo = web.delete(f"/api/v1/records/{first['id']}").json()["undo"]
    assert web.post("/api/v1/records", body, content_type="application/json").status_code == 201
    assert web.post(f"/api/v1/records/undo/{undo}").status_code == 409, "its id is another's now"


def test_what_a_change_leaves_out_stays_as_it_is(web):
    body = {"name": "One", "external_type": "order", "external_id": "1", "fields": {"hall": "B"}}
    first = web.post("/api/v1/records", body, content_type="application/json").json()
    less = {"version": 1, "number": "7"}
    got = web.put(f"/api/v1/records/{first['id']}", less, content_type="application/json").json()
    assert (got["name"], got["number"], got["fields"]) == ("One", "7", {"hall": "B"})
    put = {"external_type": "order", "external_id": "1", "url": "https://x.example/1"}
    got = web.put("/api/v1/records", put, content_type="application/json").json()
    assert (got["name"], got["number"], got["url"]) == ("One", "7", "https://x.example/1")


def test_mail_one_may_not_read_is_only_counted(as_user, cast, account):
    alice, bob = as_user(cast.alice.user), cast.bob
    record = made(alice, name="Firm")
    for number in range(3):
        Message.objects.create(
            workspace=bob.workspace,
            account=account,
            direction="in",
            subject=f"Secret {number}",
            record=record,
        )
    own = make_account(bob, port=9, address="bob@alderpike.example")
    Message.objects.create(
        workspace=bob.workspace, account=own, direction="in", subject="Open", record=record
    )
    page = as_user(bob.user).get(f"/records/{record.id}/").content.decode()
    assert "Open" in page
    assert "Secret" not in page
    assert "3 more you may not read" in page
    got = as_user(bob.user).get(f"/api/v1/records/{record.id}/messages").json()
    assert ([one["subject"] for one in got["items"]], got["hidden"]) == (["Open"], 3)
    assert as_user(cast.charlie.user).get(f"/records/{record.id}/").status_code == 404


def test_who_may_not_edit_contacts_sees_records_and_changes_none(as_user, cast):
    record = made(as_user(cast.alice.user), name="Firm")
    Profile.objects.filter(workspace=cast.bob.workspace).update(rights=[])
    bob = as_user(cast.bob.user)
    page = bob.get(f"/records/{record.id}/").content.decode()
    assert "Firm" in page
    assert "/edit/" not in page
    assert bob.post(f"/records/{record.id}/delete/").status_code == 403
    assert bob.post("/records/new/", {"name": "x", "kind": "link"}).status_code == 403
    assert Record.objects.filter(deleted_at=None).count() == 1


def test_a_person_who_is_deleted_and_put_back_is_a_contact_person_again(web, cast):
    ann = make_list(cast.alice, ["ann@example.net"]).listmember_set.get().contact
    record = made(web, name="Firm")
    web.post(f"/records/{record.id}/people/", {"person": ann.id})
    page = web.post("/contacts/do/", {"id": ann.id, "act": "delete"}, follow=True).content.decode()
    assert "ann@example.net" not in web.get(f"/records/{record.id}/").content.decode()
    web.post(re.search(r"/contacts/undo/\d+/", page)[0])
    assert "ann@example.net" in web.get(f"/records/{record.id}/").content.decode()


def test_a_file_is_only_ever_downloaded(web):
    record = made(web, name="Firm")
    file = SimpleUploadedFile("../x.html", b"<script>steal()</script>", "text/html")
    web.post(f"/records/{record.id}/files/", {"files": file})
    got = web.get(f"/records/{record.id}/files/{record.files.get().id}/")
    assert got["Content-Type"] == "application/octet-stream"
    assert got["Content-Disposition"].startswith("attachment")
    assert "x.html" in got["Content-Disposition"]
    assert b"".join(got.streaming_content) == b"<script>steal()</script>"


def test_answers_from_a_draft_keep_the_record(web, cast, account):
    record = made(web, name="Firm")
    came = Message.objects.create(
        workspace=cast.alice.workspace,
        account=account,
        direction="in",
        subject="Hello",
        from_address="ann@example.net",
        record=record,
    )
    web.post("/messages/write/", {"message": came.id, "as": "answer"})
    assert Draft.objects.get().record == record
    assert Delivery.objects.count() == 0
