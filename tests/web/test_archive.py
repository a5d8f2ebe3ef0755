"""The archive: what went out, as it went out, found by whoever may (AR-01)."""

import base64
import email
import hashlib
import re
from datetime import timedelta

import pytest
from django.utils import timezone

from postroom.actions.blob import blob_put
from postroom.actions.campaign_sample import campaign_sample_keep
from postroom.actions.campaign_start import campaign_freeze, campaign_start
from postroom.models.campaign import Campaign
from postroom.models.delivery import Delivery
from postroom.models.message import Message
from postroom.models.profile import May, Profile
from postroom.models.template import Template
from postroom.queries.blob import blob_read
from postroom.testing.cast import make_account, make_campaign, make_list

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(cast):
    return make_account(cast.alice, port=9, visibility="workspace")


@pytest.fixture
def office(cast):
    """The profile that Alice and Bob share."""
    return Profile.objects.get(workspace=cast.alice.workspace)


@pytest.fixture
def campaign(cast, account):
    """Sent by Alice to three people: one copy accepted, one refused, one waiting."""
    people = make_list(cast.alice, [f"{who}@example.net" for who in ("ann", "ben", "cid")])
    template = Template.objects.create(workspace=cast.alice.workspace, name="Plain")
    made = make_campaign(cast.alice, account, people, template=template)
    made.attachments.create(blob=blob_put(b"%PDF-prices"), name="prices.pdf", content_type="application/pdf")
    campaign_start(viewer=cast.alice, campaign_id=made.id, undo_s=0)
    campaign_freeze(campaign_id=made.id)
    now = timezone.now()
    Campaign.objects.filter(id=made.id).update(started_at=now, started_by=cast.alice.user)
    rows = Delivery.objects.filter(campaign=made)
    rows.filter(address="ann@example.net").update(
        state="accepted", code=250, words="queued as 77", state_at=now
    )
    rows.filter(address="ben@example.net").update(
        state="failed", trouble="failed", code=550, words="5.1.1 no such user", state_at=now
    )
    made.refresh_from_db()
    return made


def post(web, **values):
    body = {"subject": "Prices", "text": "Hello.", **values}
    answer = web.post("/api/v1/messages", body, content_type="application/json")
    assert answer.status_code == 201, answer.content
    return Message.objects.get(id=answer.json()["id"])


@pytest.mark.req("AR-01")
def test_a_colleague_finds_a_campaign_by_a_recipients_address_and_own_only_gets_404(
    as_user, cast, campaign, office
):
    bob = as_user(cast.bob.user)
    found = bob.get("/archive/?q=Ann@Example.NET").content.decode()
    assert f'href="/archive/campaigns/{campaign.id}/"' in found
    assert "Nothing that was sent fits" in bob.get("/archive/?q=nobody@example.net").content.decode()
    assert bob.get(f"/archive/campaigns/{campaign.id}/").status_code == 200
    Profile.objects.filter(id=office.id).update(archive_scope="own")
    assert "/archive/campaigns/" not in bob.get("/archive/?q=ann@example.net").content.decode()
    for path in ("", "raw/", "body/"):
        assert bob.get(f"/archive/campaigns/{campaign.id}/{path}").status_code == 404
    assert bob.get("/api/v1/archive?address=ann@example.net").json()["items"] == []
    assert bob.get(f"/api/v1/archive/campaigns/{campaign.id}").status_code == 404
    assert bob.get(f"/api/v1/archive/campaigns/{campaign.id}/recipients").status_code == 404
    stranger = as_user(cast.charlie.user)
    assert stranger.get(f"/archive/campaigns/{campaign.id}/").status_code == 404
    assert stranger.get("/api/v1/archive").json()["items"] == []


@pytest.mark.req("AR-01")
def test_a_campaign_shows_the_exact_copy_its_files_and_what_became_of_each_recipient(as_user, cast, campaign):
    raw = b"From: sales@alderpike.example\r\nTo: ann@example.net\r\nSubject: Prices\r\n\r\nDear Ann.\r\n"
    campaign_sample_keep(campaign_id=campaign.id, raw=raw)
    campaign_sample_keep(campaign_id=campaign.id, raw=b"another")
    web = as_user(cast.bob.user)
    page = web.get(f"/archive/campaigns/{campaign.id}/").content.decode()
    for told in ("Plain", "prices.pdf", hashlib.sha256(b"%PDF-prices").hexdigest(), "Alice"):
        assert told in page, told
    for told in ("queued as 77", "5.1.1 no such user", "cid@example.net", "in the very bytes that went out"):
        assert told in page, told
    assert web.get(f"/archive/campaigns/{campaign.id}/raw/").content == raw
    assert "Dear Ann." in web.get(f"/archive/campaigns/{campaign.id}/body/").content.decode()
    got = web.get(f"/api/v1/archive/campaigns/{campaign.id}").json()
    assert (base64.b64decode(got["raw"]), got["raw_is_exact"]) == (raw, True)
    assert (got["template"], got["user"]) == (campaign.template_id, cast.alice.user.id)
    assert [one["name"] for one in got["files"]] == ["prices.pdf"]
    rows = web.get(f"/api/v1/archive/campaigns/{campaign.id}/recipients").json()
    states = {row["address"]: (row["state"], row["code"]) for row in rows["items"]}
    assert states == {
        "ann@example.net": ("accepted", 250),
        "ben@example.net": ("failed", 550),
        "cid@example.net": ("queued", 0),
    }


def test_a_campaign_from_before_copies_were_kept_is_made_again_and_says_so(as_user, cast, campaign):
    web = as_user(cast.bob.user)
    assert "made again from what was fixed" in web.get(f"/archive/campaigns/{campaign.id}/").content.decode()
    raw = web.get(f"/archive/campaigns/{campaign.id}/raw/").content
    assert email.message_from_bytes(raw)["To"] == "Person 1 <ann@example.net>"
    assert web.get(f"/api/v1/archive/campaigns/{campaign.id}").json()["raw_is_exact"] is False


@pytest.mark.req("AR-01")
def test_a_single_message_is_kept_in_its_bytes_with_its_files_by_hash(as_user, cast, account):
    alice = as_user(cast.alice.user)
    file = {"name": "plan.txt", "content_type": "text/plain", "data": base64.b64encode(b"the plan").decode()}
    message = post(alice, to="ann@example.net", bcc="boss@example.net", files=[file])
    bob = as_user(cast.bob.user)
    listed = bob.get("/archive/?q=ann@example.net").content.decode()
    assert f'href="/archive/messages/{message.id}/"' in listed
    page = bob.get(f"/archive/messages/{message.id}/").content.decode()
    for told in ("plan.txt", hashlib.sha256(b"the plan").hexdigest(), "ann@example.net", "Alice"):
        assert told in page, told
    assert bob.get(f"/archive/messages/{message.id}/raw/").content == blob_read(message.raw_id)
    got = bob.get(f"/archive/messages/{message.id}/files/1/")
    assert (got.content, got["Content-Disposition"]) == (b"the plan", 'attachment; filename="plan.txt"')
    assert bob.get(f"/archive/messages/{message.id}/files/2/").status_code == 404
    told = bob.get(f"/api/v1/archive/messages/{message.id}").json()
    assert base64.b64decode(told["raw"]) == blob_read(message.raw_id)
    assert sorted(row["address"] for row in told["recipients"]) == ["ann@example.net", "boss@example.net"]


@pytest.mark.req("AR-01")
def test_a_profile_opens_ones_own_mail_that_of_the_team_or_all(as_user, cast, account, office):
    alice = as_user(cast.alice.user)
    shared = post(alice, to="ann@example.net")
    private = make_account(cast.alice, port=9, address="alice@alderpike.example")
    hidden = post(as_user(cast.alice.user), to="ann@example.net", account=private.id)
    mine = Message.objects.create(
        workspace=cast.bob.workspace, direction="out", purpose="single", user=cast.bob.user, subject="Mine"
    )

    def seen(scope):
        Profile.objects.filter(id=office.id).update(archive_scope=scope)
        web = as_user(cast.bob.user)
        by_page = {
            number
            for number in (shared.id, hidden.id, mine.id)
            if web.get(f"/archive/messages/{number}/").status_code == 200
        }
        listed = {one["id"] for one in web.get("/api/v1/archive?kind=message").json()["items"]}
        assert by_page == listed
        return listed

    assert seen("own") == {mine.id}
    assert seen("team") == {mine.id, shared.id}, "nothing from another person's private account"
    assert seen("all") == {mine.id, shared.id, hidden.id}
    office.members.filter(user=cast.bob.user).delete()
    assert seen("all") == {mine.id}, "without a profile one sees one's own"


def test_what_was_sent_is_found_by_subject_sender_and_day_and_paged(as_user, cast, account, campaign):
    now = timezone.now()
    rows = Message.objects.bulk_create(
        Message(
            workspace=cast.alice.workspace,
            account=account,
            direction="out",
            purpose="single",
            subject=f"Offer {number}",
            user=cast.bob.user,
            to_address="x@example.net",
        )
        for number in range(60)
    )
    for number, row in enumerate(rows):
        Message.objects.filter(id=row.id).update(created_at=now - timedelta(days=number // 2))
    web = as_user(cast.alice.user)

    def listed(**asked):
        items, at = [], ""
        while True:
            page = web.get("/api/v1/archive", {**asked, "at": at}).json()
            items += page["items"]
            if page["next"] is None:
                return items
            at = page["next"]

    everything = listed()
    assert len(everything) == 61
    assert [one["at"] for one in everything] == sorted((one["at"] for one in everything), reverse=True)
    assert len({(one["kind"], one["id"]) for one in everything}) == 61, "none is lost or twice"
    assert [one["subject"] for one in listed(subject="offer 59")] == ["Offer 59"]
    assert [one["kind"] for one in listed(user=cast.alice.user.id)] == ["campaign"]
    assert len(listed(since=(now - timedelta(days=2, minutes=1)).isoformat())) == 7
    assert len(listed(until=(now - timedelta(days=28, hours=1)).isoformat())) == 2
    page = web.get("/archive/").content.decode()
    assert page.count('class="pr-who"') == 50
    following = re.search(r'rel="next" href="([^"]+)"', page)[1].replace("&amp;", "&")
    assert web.get(f"/archive/{following}").content.decode().count('class="pr-who"') == 11
    for odd in ("at=x", "at=9-m-9", "from=x&to=2026-99-99", "user=99999999999999999999", "q=%00"):
        assert web.get(f"/archive/?{odd}").status_code == 200, odd


def test_people_of_a_hidden_list_are_neither_found_nor_named(as_user, cast, campaign):
    campaign.lists.update(everyone=[str(May.USE)])
    web = as_user(cast.bob.user)
    assert "/archive/campaigns/" not in web.get("/archive/?q=ann@example.net").content.decode()
    page = web.get(f"/archive/campaigns/{campaign.id}/")
    assert page.status_code == 200
    assert "ann@example.net" not in page.content.decode()
    assert web.get(f"/archive/campaigns/{campaign.id}/raw/").status_code == 403
    assert web.get(f"/api/v1/archive/campaigns/{campaign.id}").json()["raw"] is None


def test_nobody_opens_more_of_the_archive_than_they_see(as_user, cast, office):
    office.rights = ["users.manage"]
    office.save()
    bob = as_user(cast.bob.user)
    body = {"name": "All", "archive_scope": "all", "people": [cast.bob.user.id]}
    refused = bob.post("/api/v1/profiles", body, content_type="application/json")
    assert refused.status_code == 403
    wide = {"name": "All", "archive_scope": "all"}
    made = as_user(cast.alice.user).post("/api/v1/profiles", wide, content_type="application/json").json()
    assert made["archive_scope"] == "all"
    bob = as_user(cast.bob.user)
    change = {"version": 1, "people": [cast.bob.user.id]}
    answer = bob.put(f"/api/v1/profiles/{made['id']}", change, content_type="application/json")
    assert answer.status_code == 403
    page = as_user(cast.alice.user).get(f"/settings/profiles/{made['id']}/").content.decode()
    assert re.search(r'name="archive_scope" value="all" checked', page)


def test_an_address_is_found_without_reading_all_deliveries(
    as_user, cast, campaign, django_assert_max_num_queries
):
    """Whatever is sent later, the number of statements stays."""
    web = as_user(cast.bob.user)
    web.get("/archive/")
    with django_assert_max_num_queries(30):
        web.get("/archive/?q=ann@example.net")
