"""Files that a template brings along: added, taken off and put back, and where they come along to (CM-44)."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from postroom.actions.campaign import campaign_create
from postroom.models.draft import Draft
from postroom.models.message import Message
from postroom.models.template import Template, TemplateFile
from postroom.queries import draft_file
from postroom.queries.blob import blob_read
from postroom.testing.cast import make_account
from tests.web.test_writing import form, opened

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def offer(cast):
    return Template.objects.create(
        workspace=cast.alice.workspace, name="Offer", html="<p>Our offer</p>", created_by=cast.alice.user
    )


@pytest.fixture
def web(as_user, alice):
    return as_user(alice)


def add(web, template, *files):
    sent = [SimpleUploadedFile(name, data, content_type=kind) for name, data, kind in files]
    return web.post(f"/templates/{template.id}/files/", {"files": sent}, headers=HTMX)


PDF = ("zażółć.pdf", b"%PDF-1", "application/pdf")
LIST = ("prices.csv", b"a;1", "text/csv")


@pytest.mark.req("CM-44")
def test_several_files_are_added_at_once_and_one_is_taken_off_and_put_back(web, offer):
    page = add(web, offer, PDF, LIST).content.decode()
    assert "zażółć.pdf" in page
    assert "prices.csv" in page
    assert "zażółć.pdf" in web.get(f"/templates/{offer.id}/").content.decode()
    first = offer.files.get(name="zażółć.pdf")
    got = web.get(f"/templates/{offer.id}/files/{first.id}/")
    assert b"".join(got.streaming_content) == b"%PDF-1"
    assert got["Content-Disposition"].startswith("attachment")
    assert got["Content-Type"] == "application/octet-stream"

    gone = web.post(f"/templates/{offer.id}/files/{first.id}/detach/", headers=HTMX)
    assert "zażółć.pdf</a>" not in gone.content.decode()
    assert "prices.csv" in gone.content.decode()
    told = json.loads(gone["HX-Trigger"])["pr:toast"]
    assert "zażółć.pdf" in told["text"]
    web.post(told["undo"])
    assert [one.name for one in draft_file.files_bring(offer)] == ["prices.csv", "zażółć.pdf"]
    assert web.post(told["undo"]).status_code == 409, "once"


def test_what_no_message_could_hold_is_refused_and_the_others_are_kept(web, offer, cast, monkeypatch):
    monkeypatch.setattr(draft_file, "FILES_MAX", 1_000_000)
    cast.alice.workspace.blocked_files = ["exe"]
    cast.alice.workspace.save()
    page = add(web, offer, ("setup.exe", b"MZ", ""), ("big.bin", b"1" * 1_000_001, ""), LIST).content.decode()
    assert "ending in .exe are not sent" in page
    assert "big.bin was not added" in page
    assert [one.name for one in offer.files.all()] == ["prices.csv"]


@pytest.mark.req("CM-44")
def test_they_come_into_a_letter_a_campaign_a_copy_and_what_a_program_sends(web, offer, cast, alice):
    account = make_account(cast.alice, port=9)
    add(web, offer, PDF)
    draft = opened(web)
    url = f"/messages/drafts/{draft.id}/insert/"
    web.post(url, form(draft, template=offer.id), headers={"X-Compose": "1"})
    assert [(one.name, blob_read(one.blob_id)) for one in draft.files.all()] == [("zażółć.pdf", b"%PDF-1")]

    campaign = campaign_create(viewer=cast.alice, name="Spring", template_id=offer.id)
    assert [one.name for one in campaign.attachments.all()] == ["zażółć.pdf"]
    web.post(f"/templates/{offer.id}/copy/")
    assert [one.name for one in Template.objects.latest("id").files.all()] == ["zażółć.pdf"]

    values = {
        "to": "james@northgate.example",
        "template": offer.id,
        "subject": "Offer",
        "account": account.id,
    }
    sent = web.post("/api/v1/messages", json.dumps(values), content_type="application/json")
    assert sent.status_code == 201, sent.content
    assert [one["name"] for one in Message.objects.get(id=sent.json()["id"]).files] == ["zażółć.pdf"]

    # taken off the template, they stay where they came along to
    TemplateFile.objects.all().delete()
    assert Draft.objects.get(id=draft.id).files.count() == 1
    assert campaign.attachments.count() == 1


def test_who_may_not_change_a_template_sees_its_files_and_adds_none(web, as_user, bob, charlie, offer):
    add(web, offer, PDF)
    member = as_user(bob)
    offer.visibility = "workspace"
    offer.save()
    assert "zażółć.pdf" in member.get(f"/templates/{offer.id}/").content.decode()
    assert add(member, offer, LIST).status_code == 403
    number = offer.files.get().id
    assert member.post(f"/templates/{offer.id}/files/{number}/detach/").status_code == 403
    assert as_user(charlie).get(f"/templates/{offer.id}/files/{number}/").status_code == 404
    assert offer.files.count() == 1


def test_programs_add_list_and_take_off_files(web, offer):
    file = SimpleUploadedFile("prices.csv", b"a;1", content_type="text/csv")
    made = web.post(f"/api/v1/templates/{offer.id}/files", {"file": file})
    assert made.status_code == 201
    assert made.json() == {**made.json(), "name": "prices.csv", "content_type": "text/csv", "size_bytes": 3}
    assert web.get(f"/api/v1/templates/{offer.id}").json()["files"] == [made.json()]
    path = f"/api/v1/templates/{offer.id}/files/{made.json()['id']}"
    assert [web.delete(path).status_code for _ in range(2)] == [204, 404]
