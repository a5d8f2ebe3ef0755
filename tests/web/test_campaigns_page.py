"""The pages of campaigns: who may, what is kept, what is asked before a start, what can be decided and taken out."""

import csv
import io
import re

import pytest

from postroom.actions.campaign_start import campaign_freeze
from postroom.actions.contact import ContactValues, contact_add, contact_delete, contact_edit
from postroom.actions.contact_list import contact_list_fill
from postroom.actions.fault import freeze_failed
from postroom.models.account import Collector
from postroom.models.campaign import Campaign
from postroom.models.contact import Contact
from postroom.models.delivery import CampaignFigures, Delivery
from postroom.models.workspace import Instance
from postroom.queries.campaign_check import audience_of, before_it_goes
from postroom.testing.cast import make_account, make_campaign, make_list

pytestmark = pytest.mark.django_db

PORT = 9


@pytest.fixture
def account(cast):
    return make_account(cast.alice, port=PORT)


@pytest.fixture
def people(cast):
    return make_list(cast.alice, ["ann@example.net", "ben@example.net", "cleo@example.net"])


@pytest.fixture
def draft(cast, account, people):
    return make_campaign(cast.alice, account, people)


@pytest.fixture
def page(as_user, alice):
    return as_user(alice)


def typed(campaign, **more):
    """What the editor sends."""
    lists = list(campaign.lists.values_list("id", flat=True))
    values = {
        "version": campaign.version,
        "name": campaign.name,
        "account": campaign.account_id,
        "lists": lists,
        "subject": campaign.subject,
        "html": campaign.html,
        "text": campaign.text,
        "unsubscribe_header": "on",
        "on_missing": "skip",
    }
    return {**values, **more}


def text(answer):
    return re.sub(r"\s+", " ", answer.content.decode())


def state(campaign):
    return Campaign.objects.get(id=campaign.id).state


def running(page, campaign):
    assert page.post(f"/campaigns/{campaign.id}/start/").status_code == 302
    campaign_freeze(campaign_id=campaign.id)


def test_a_start_that_failed_leads_back_to_the_draft_and_says_why(page, draft):
    page.post(f"/campaigns/{draft.id}/start/")
    assert "HX-Refresh" not in page.get(f"/campaigns/{draft.id}/progress/").headers
    freeze_failed(campaign_id=draft.id, kind="MemoryError")
    assert page.get(f"/campaigns/{draft.id}/progress/").headers["HX-Refresh"] == "true"
    assert "fault of Postroom itself (MemoryError). Start it again" in text(
        page.get(f"/campaigns/{draft.id}/")
    )
    page.post(f"/campaigns/{draft.id}/start/")
    assert Campaign.objects.get(id=draft.id).reason == ""


def paths(campaign, delivery):
    own = ["", "progress/", "message/", "export.csv", "aside/", "body/", "source/", f"people/{delivery}/"]
    return [f"/campaigns/{campaign.id}/{path}" for path in own]


def acts(campaign):
    verbs = ["pause", "resume", "cancel", "unstart", "delete", "undelete"]
    own = ["save/", "start/", "test/", "attach/", "decide/", *(f"act/{verb}/" for verb in verbs)]
    return [f"/campaigns/{campaign.id}/{path}" for path in own]


def test_another_firm_finds_no_page_and_can_do_nothing(page, as_user, charlie, draft):
    values = typed(draft, decision="again")
    running(page, draft)
    row = Delivery.objects.filter(campaign=draft).first().id
    before = Campaign.objects.values().get(id=draft.id)
    stranger = as_user(charlie)
    for path in paths(draft, row):
        assert (path, stranger.get(path).status_code) == (path, 404)
    for path in acts(draft):
        assert (path, stranger.post(path, values).status_code) == (path, 404)
    assert Campaign.objects.values().get(id=draft.id) == before
    assert "Autumn price list" not in text(stranger.get("/campaigns/"))


def test_who_is_not_signed_in_is_sent_to_sign_in(client, draft):
    for path in paths(draft, 1):
        assert client.get(path)["Location"].startswith("/sign-in/?next=")
    for path in acts(draft):
        assert client.post(path)["Location"].startswith("/sign-in/")


def test_the_way_back_from_sign_in_ends_at_the_campaign(page, draft):
    for path in acts(draft):
        assert page.get(path)["Location"] == f"/campaigns/{draft.id}/"


def test_a_recipient_is_found_in_its_own_campaign_only(page, cast, draft, account, people):
    other = make_campaign(cast.alice, account, people)
    running(page, draft)
    row = Delivery.objects.filter(campaign=draft).first().id
    assert page.get(f"/campaigns/{draft.id}/people/{row}/").status_code == 200
    assert page.get(f"/campaigns/{other.id}/people/{row}/").status_code == 404


def test_a_new_campaign_begins_as_a_draft_in_its_editor(page, account):
    answer = page.post("/campaigns/new/", {"name": "Winter"}, follow=True)
    made = Campaign.objects.get(name="Winter")
    assert answer.request["PATH_INFO"] == f"/campaigns/{made.id}/"
    assert "Subject" in text(answer)
    assert page.post("/campaigns/new/", {"name": " "}).status_code == 422


def test_typed_text_survives_an_error(page, draft):
    answer = page.post(f"/campaigns/{draft.id}/save/", typed(draft, name="", html="my long text", lists=[]))
    assert answer.status_code == 422
    assert "my long text" in text(answer)
    assert f'value="{draft.lists.get().id}" checked' not in text(answer)
    assert Campaign.objects.get(id=draft.id).html == draft.html


def test_a_stale_save_shows_both_texts_and_the_next_one_is_taken(page, draft):
    assert page.post(f"/campaigns/{draft.id}/save/", typed(draft, html="their words")).status_code == 302
    answer = page.post(f"/campaigns/{draft.id}/save/", typed(draft, html="my words"))
    assert answer.status_code == 409
    assert "their words" in text(answer)
    assert "my words" in text(answer)
    assert Campaign.objects.get(id=draft.id).html == "their words"
    version = re.search(r'id="pr-version" value="(\d+)"', text(answer))[1]
    page.post(f"/campaigns/{draft.id}/save/", typed(draft, html="my words", version=version))
    assert Campaign.objects.get(id=draft.id).html == "my words"


def test_text_typed_after_somebody_started_is_shown_again(page, draft):
    values = typed(draft, html="typed too late")
    running(page, draft)
    answer = page.post(f"/campaigns/{draft.id}/save/", values)
    assert answer.status_code == 409
    assert "typed too late" in text(answer)


def test_saving_by_itself_brings_the_new_version_and_says_what_is_wrong(page, draft):
    answer = page.post(f"/campaigns/{draft.id}/save/", typed(draft), HTTP_HX_REQUEST="true")
    assert answer["X-Saved"] == "2"
    assert 'id="pr-version" value="2"' in text(answer)
    stale = page.post(f"/campaigns/{draft.id}/save/", typed(draft), HTTP_HX_REQUEST="true")
    assert stale["HX-Retarget"] == "#pr-saved"
    assert "X-Saved" not in stale
    assert "Not saved yet" in text(stale)


def test_start_take_back_pause_go_on_and_cancel(page, draft):
    act = f"/campaigns/{draft.id}/act"
    running(page, draft)
    assert state(draft) == "running"
    assert "Take it back" in text(page.get(f"/campaigns/{draft.id}/"))
    page.post(f"{act}/unstart/")
    assert state(draft) == "draft"
    running(page, draft)
    page.post(f"{act}/pause/")
    assert state(draft) == "paused"
    assert "Go on" in text(page.get(f"/campaigns/{draft.id}/"))
    page.post(f"{act}/resume/")
    assert state(draft) == "running"
    page.post(f"{act}/cancel/")
    assert state(draft) == "cancelled"
    assert "Cancelled" in text(page.get(f"/campaigns/{draft.id}/"))


def test_a_deleted_draft_comes_back(page, draft):
    page.post(f"/campaigns/{draft.id}/act/delete/")
    assert page.get(f"/campaigns/{draft.id}/").status_code == 404
    page.post(f"/campaigns/{draft.id}/act/undelete/")
    assert page.get(f"/campaigns/{draft.id}/").status_code == 200


@pytest.mark.req("RC-16")
@pytest.mark.parametrize(("count", "asks"), [(50, False), (51, True)])
def test_more_than_fifty_readers_are_asked_only_after_a_yes(page, cast, account, count, asks):
    Collector.objects.create(account=account, folder="INBOX", is_on=True)
    some = make_list(cast.alice, [f"r{n}@example.net" for n in range(count)])
    campaign = make_campaign(cast.alice, account, some, receipt_read=True)
    shown = text(page.get(f"/campaigns/{campaign.id}/"))
    assert ('name="ask_many"' in shown) is asks
    assert ("51 readers will be asked for a receipt." in shown) is asks
    first = page.post(f"/campaigns/{campaign.id}/start/")
    assert first.status_code == (409 if asks else 302)
    if asks:
        assert state(campaign) == "draft"
        assert page.post(f"/campaigns/{campaign.id}/start/", {"ask_many": "1"}).status_code == 302
    assert state(campaign) == "freezing"


@pytest.mark.req("RC-05")
@pytest.mark.parametrize("choice", ["enable", "without", "cancel"])
def test_receipts_without_a_reader_leave_three_choices(page, cast, people, choice):
    account = make_account(cast.alice, port=PORT, imap_host="imap.alderpike.example")
    campaign = make_campaign(cast.alice, account, people, receipt_delivery=True)
    asked = page.post(f"/campaigns/{campaign.id}/start/")
    assert asked.status_code == 409
    for words in ("Switch reading on and start", "Start without receipts", "Not yet"):
        assert words in text(asked)
    if choice != "cancel":
        assert page.post(f"/campaigns/{campaign.id}/start/", {"receipts": choice}).status_code == 302
    else:
        page.get(f"/campaigns/{campaign.id}/")
    campaign.refresh_from_db()
    reads = Collector.objects.filter(account=account, is_on=True).exists()
    assert (campaign.state, reads, campaign.receipt_delivery) == {
        "enable": ("freezing", True, True),
        "without": ("freezing", False, False),
        "cancel": ("draft", False, True),
    }[choice]
    again = make_campaign(cast.alice, make_account(cast.alice, port=PORT), people, receipt_delivery=True)
    api = page.post(f"/api/v1/campaigns/{again.id}/start", content_type="application/json")
    assert (api.status_code, api.json()["code"]) == (409, "COLLECTOR_REQUIRED")


def test_reading_cannot_be_switched_on_where_there_is_no_mailbox(page, cast, draft):
    Campaign.objects.filter(id=draft.id).update(receipt_delivery=True)
    answer = page.post(f"/campaigns/{draft.id}/start/", {"receipts": "enable"})
    assert answer.status_code == 409
    assert "add its IMAP server first" in text(answer)
    assert state(draft) == "draft"


@pytest.mark.parametrize(
    ("url", "warned"),
    [
        ("http://localhost:8025", True),
        ("http://mail.firm.example", True),
        ("https://mail.firm.example", False),
    ],
)
def test_links_that_people_outside_cannot_open_are_warned_of(cast, account, people, url, warned):
    Instance.objects.update(url=url)
    campaign = make_campaign(cast.alice, account, people, html='<a href="{{ links.unsubscribe }}">leave</a>')
    found = [c.text for c in before_it_goes(campaign, audience_of(campaign)) if url in c.text]
    assert bool(found) is warned


def test_the_editor_says_how_many_have_no_value(page, cast, account):
    some = make_list(cast.alice, ["a@example.net", "b@example.net"], company="")
    campaign = make_campaign(cast.alice, account, some, html="{{ company }}")
    assert "2 people have no value for company." in text(page.get(f"/campaigns/{campaign.id}/"))


def test_plain_lines_become_paragraphs_in_the_preview(page, draft):
    page.post(
        f"/campaigns/{draft.id}/save/", typed(draft, html="Dear {{ name }},\r\n\r\nline one\r\nline two")
    )
    shown = page.get(f"/campaigns/{draft.id}/body/").content.decode()
    assert "<p>Dear Person,</p>" in shown
    assert re.search(r"<p>line one<br ?/?>\s*line two</p>", shown)


@pytest.mark.parametrize(
    "html",
    [
        "{% for i in (1..100000000) %}x{% endfor %}",
        "{% assign a = 'xxxxxxxx' %}{% for i in (1..60) %}{% assign a = a | append: a %}{% endfor %}{{ a }}",
    ],
)
def test_a_message_that_cannot_be_filled_in_for_the_first_person_does_not_start(page, cast, draft, html):
    page.post(f"/campaigns/{draft.id}/save/", typed(draft, html=html))
    campaign = Campaign.objects.get(id=draft.id)
    assert [one for one in before_it_goes(campaign, audience_of(campaign)) if one.kind == "bad"]
    assert page.post(f"/campaigns/{draft.id}/start/").status_code == 422
    assert state(draft) == "draft"


def test_the_question_before_cancelling_follows_the_progress(page, draft):
    page.post(f"/campaigns/{draft.id}/start/")
    assert "0 people who have not been tried" in text(page.get(f"/campaigns/{draft.id}/"))
    campaign_freeze(campaign_id=draft.id)
    polled = text(page.get(f"/campaigns/{draft.id}/progress/"))
    assert 'data-poll="2000"' in polled, "looks again soon: what moves next is the end of the way back"
    assert re.search(r'id="pr-cancel-words" hx-swap-oob="true">3 people who have not been tried', polled)


def doubtful(page, campaign, count):
    running(page, campaign)
    rows = list(Delivery.objects.filter(campaign=campaign).order_by("position")[:count])
    for row in rows:
        row.state = row.trouble = "uncertain"
        row.words = "no reply after DATA"
        row.save()
    CampaignFigures.objects.filter(campaign=campaign, lane=0).update(uncertain=count)
    return [row.id for row in rows]


def test_doubt_is_shown_and_settled_one_by_one_or_for_all(page, draft):
    first, second, third = doubtful(page, draft, 3)
    shown = text(page.get(f"/campaigns/{draft.id}/?show=uncertain"))
    assert "no reply after DATA" in shown
    assert "Decide for all" in shown
    decide = f"/campaigns/{draft.id}/decide/"
    assert page.post(decide, {"delivery": first}).status_code == 422
    answer = page.post(decide, {"delivery": first, "decision": "leave"})
    assert answer["Location"].endswith("?show=uncertain"), "the next one to decide"
    assert [Delivery.objects.get(id=n).state for n in (first, second)] == ["accepted", "uncertain"]
    page.post(decide, {"decision": "again"})
    assert {Delivery.objects.get(id=n).state for n in (second, third)} == {"deferred"}
    assert "Alice decided: counted as accepted." in text(page.get(f"/campaigns/{draft.id}/people/{first}/"))


def test_a_recipient_is_found_by_todays_name_an_old_address_and_after_the_person_is_gone(page, cast, account):
    emails = (f"{name}@example.net" for name in ("ann", "ben", "cleo"))
    ann, ben, cleo = (contact_add(viewer=cast.alice, values=ContactValues(email=email)) for email in emails)
    people = make_list(cast.alice, [])
    contact_list_fill(viewer=cast.alice, list_id=people.id, contact_ids=[ann.id, ben.id, cleo.id])
    draft = make_campaign(cast.alice, account, people)
    running(page, draft)
    contact_edit(
        viewer=cast.alice,
        contact_id=ann.id,
        version=ann.version,
        values=ContactValues(email="anna@example.org"),
    )
    contact_delete(viewer=cast.alice, ids=[cleo.id])
    here = f"/campaigns/{draft.id}/"

    def found(words, **more):
        shown = text(page.get(here, {"q": words, **more}))
        return [name for name in ("ann@", "ben@", "cleo@") if name + "example.net" in shown]

    assert found("anna@example.org") == ["ann@"], "written to under the address of that day"
    assert found("ann@example.net") == ["ann@"], "a whole address is found however old"
    assert found("leo@exam") == ["cleo@"]
    assert found(ben.email[:6]) == ["ben@"]
    assert found("ann@example.ne") == []
    assert "Search older names and addresses too" in text(page.get(here, {"q": "ann@example.ne"}))
    assert found("ann@example.ne", every=1) == ["ann@"]


def test_an_export_runs_in_no_spreadsheet(page, cast, account):
    some = make_list(cast.alice, ["eve@example.net"])
    Contact.objects.filter(email="eve@example.net").update(
        name='=HYPERLINK("http://evil.example")', surname=""
    )
    campaign = make_campaign(cast.alice, account, some, subject="x", html="y")
    running(page, campaign)
    Delivery.objects.filter(campaign=campaign).update(
        words="+1-2;@cmd", state="failed", trouble="failed", code=0
    )
    answer = page.get(f"/campaigns/{campaign.id}/export.csv")
    raw = b"".join(answer.streaming_content).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(raw), delimiter=";" if ";" in raw.splitlines()[0] else ","))
    assert rows[1][1] == "eve@example.net"
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert "HYPERLINK" in rows[1][0]


def test_the_list_says_what_needs_a_decision(page, draft):
    doubtful(page, draft, 2)
    shown = text(page.get("/campaigns/?show=decide"))
    assert "Autumn price list" in shown
    assert "2 uncertain" in shown
    assert "No campaign fits" in text(page.get("/campaigns/?q=nothing-like-it"))


def test_figures_that_did_not_move_are_not_sent_again(page, draft):
    running(page, draft)
    block = page.get(f"/campaigns/{draft.id}/progress/")
    seen = re.search(r'"X-Seen": "(\w+)"', block.content.decode())[1]
    assert page.get(f"/campaigns/{draft.id}/progress/", HTTP_X_SEEN=seen).status_code == 204
    page.post(f"/campaigns/{draft.id}/act/pause/")
    assert page.get(f"/campaigns/{draft.id}/progress/", HTTP_X_SEEN=seen).status_code == 200
