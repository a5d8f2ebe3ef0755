"""Who may use, read and manage an account, and what happens when it is taken away (SA-24, CM-26, CM-27)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from postroom.actions.campaign import campaign_create, campaign_edit
from postroom.actions.event import event_store_imap, events_process
from postroom.actions.message import campaign_test_send
from postroom.actions.user import user_switch
from postroom.errors import Conflict, NotFound
from postroom.models.account import Account, Collector
from postroom.models.campaign import Campaign, CampaignState
from postroom.models.delivery import Shard
from postroom.models.message import Message
from postroom.models.message_type import MessageType
from postroom.models.profile import Profile, Right
from postroom.models.workspace import Workspace
from postroom.queries.campaign_choice import accounts_to_choose
from postroom.testing.cast import make_account, make_campaign, make_list
from tests.web.test_accounts_api import GOOD, JSON, SECRET, change, make

pytestmark = pytest.mark.django_db


def share(client, account_id, **values):
    answer = client.put(f"/api/v1/accounts/{account_id}/sharing", values, content_type=JSON)
    assert answer.status_code == 200, answer.content
    return answer


def running(cast, viewer, account, **more):
    """A campaign of this person, half sent."""
    people = make_list(cast.alice, ["ann@box.example", "ben@box.example"])
    values = {"state": CampaignState.RUNNING, "started_by": viewer.user, "total": 2, **more}
    campaign = make_campaign(viewer, account, people, **values)
    places = {"first": 1, "size": 2, "mark": 1, "ready_at": timezone.now()}
    Shard.objects.create(workspace=viewer.workspace, account=account, campaign=campaign, **places)
    return campaign


@pytest.mark.req("SA-24")
def test_a_shared_account_is_used_by_others_who_see_no_settings_and_change_none(as_user, alice, bob, cast):
    client = as_user(alice)
    made = make(client, sharing=True).json()
    assert made["shared"] is True
    number = made["id"]
    client = as_user(bob)
    [seen] = client.get("/api/v1/accounts").json()["items"]
    assert (seen["id"], seen["rights"]) == (number, ["send"])
    assert not {"smtp_host", "smtp_login", "imap_host", "last_test", "has_password", "proxy_host"} & set(seen)
    page = client.get(f"/settings/accounts/{number}/").content.decode()
    for secret in (SECRET, "mail.alderpike.example", "smtp_host"):
        assert secret not in page
    assert "You may send from this account" in page
    assert accounts_to_choose(cast.bob)[0].id == number
    for method, address, status in (
        ("put", f"/api/v1/accounts/{number}", 403),
        ("delete", f"/api/v1/accounts/{number}", 403),
        ("put", f"/api/v1/accounts/{number}/sharing", 403),
        ("post", f"/settings/accounts/{number}/", 403),
        ("post", f"/settings/accounts/{number}/delete/", 403),
        ("post", f"/settings/accounts/{number}/resume/", 403),
        ("post", f"/settings/accounts/check/{number}/", 403),
    ):
        body = {"visibility": "workspace"} if address.endswith("sharing") else {"name": "Mine"}
        answer = getattr(client, method)(address, body, content_type=JSON)
        assert answer.status_code == status, (method, address, answer.content)
    probe = client.post("/api/v1/accounts/probe", {"account_id": number}, content_type=JSON)
    assert probe.status_code == 403


@pytest.mark.req("SA-24")
def test_unsharing_stops_the_campaigns_of_others_tells_them_and_lets_them_go_on_with_another_account(
    as_user, alice, bob, cast
):
    notices = make_account(cast.alice, port=25, name="Notices", address="notices@alder.example")
    Workspace.objects.filter(id=cast.alice.workspace.id).update(notice_account=notices)
    account = make_account(cast.alice, port=25, visibility="workspace", everyone=["use"])
    mine = make_account(cast.bob, port=25, name="Bob's", address="bob@alder.example")
    theirs = running(cast, cast.bob, account)
    own = make_campaign(cast.alice, account, state=CampaignState.RUNNING, started_by=alice, total=1)
    assert change(as_user(alice), account.id, sharing=False).status_code == 200
    theirs.refresh_from_db()
    own.refresh_from_db()
    assert (theirs.state, theirs.reason) == ("needs_account", "account_unshared")
    assert own.state == "running", "its owner goes on"
    [notice] = Message.objects.filter(purpose="system")
    assert notice.to_address == bob.email
    assert "needs a mail account" in notice.subject
    client = as_user(bob)
    page = client.get(f"/campaigns/{theirs.id}/").content.decode()
    assert "no longer shared with whoever started it" in page
    assert f'<option value="{mine.id}">' in page
    plain = client.post(f"/api/v1/campaigns/{theirs.id}/resume", {}, content_type=JSON)
    assert (plain.status_code, plain.json()["code"]) == (409, "NEEDS_ACCOUNT")
    lost = client.post(f"/api/v1/campaigns/{theirs.id}/resume", {"account": account.id}, content_type=JSON)
    assert lost.status_code == 404
    held = {"worker": "a", "lease_until": timezone.now() + timedelta(minutes=1)}
    Shard.objects.filter(campaign=theirs).update(**held)
    soon = client.post(f"/api/v1/campaigns/{theirs.id}/resume", {"account": mine.id}, content_type=JSON)
    assert (soon.status_code, soon.json()["code"]) == (409, "STILL_SENDING")
    Shard.objects.filter(campaign=theirs).update(worker="", lease_until=None)
    assert client.post(f"/campaigns/{theirs.id}/act/resume/", {"account": mine.id}).status_code == 302
    theirs.refresh_from_db()
    assert (theirs.state, theirs.account_id, theirs.reason) == ("running", mine.id, "")
    assert Shard.objects.get(campaign=theirs).account_id == mine.id


@pytest.mark.req("SA-24", "PI-05")
def test_a_draft_does_not_start_through_an_account_that_is_no_longer_shared(as_user, bob, cast):
    account = make_account(cast.alice, port=25, visibility="workspace", everyone=["use"])
    draft = make_campaign(cast.bob, account, make_list(cast.alice, ["ann@box.example"]))
    Account.objects.update(visibility="private")
    answer = as_user(bob).post(f"/api/v1/campaigns/{draft.id}/start", {}, content_type=JSON)
    assert (answer.status_code, answer.json()["code"]) == (409, "NO_ACCOUNT")
    with pytest.raises(Conflict):
        campaign_test_send(viewer=cast.bob, campaign_id=draft.id)
    assert Campaign.objects.get().state == "draft"
    assert not Message.objects.exists()


@pytest.mark.req("SA-24")
def test_a_campaign_that_has_its_account_does_not_change_it_on_the_way(as_user, alice, cast):
    account = make_account(cast.alice, port=25)
    other = make_account(cast.alice, port=25, name="Other", address="o@alder.example")
    campaign = running(cast, cast.alice, account, state=CampaignState.PAUSED)
    client = as_user(alice)
    answer = client.post(f"/api/v1/campaigns/{campaign.id}/resume", {"account": other.id}, content_type=JSON)
    assert (answer.status_code, answer.json()["code"]) == (409, "NOT_HALTED")
    assert Campaign.objects.get().account_id == account.id


@pytest.mark.req("SA-24", "CM-17")
@pytest.mark.parametrize("how", ["grant", "profile", "owner"])
def test_every_way_of_losing_an_account_stops_the_campaign(as_user, alice, bob, cast, how):
    office = Profile.objects.get(workspace=cast.alice.workspace)
    owner = cast.bob if how == "owner" else cast.alice
    sender = cast.alice if how == "owner" else cast.bob
    account = make_account(owner, port=25)
    client = as_user(alice)
    given = [{"id": office.id, "may": ["use"]}] if how == "profile" else []
    people = [{"id": bob.id, "may": ["use"]}] if how == "grant" else []
    share(client, account.id, visibility="profiles", profiles=given, users=people)
    campaign = running(cast, sender, account)
    if how == "grant":
        share(client, account.id, visibility="profiles", profiles=[], users=[])
    elif how == "profile":
        assert client.delete(f"/api/v1/profiles/{office.id}").status_code in (200, 204)
    else:
        user_switch(email=bob.email, on=False)
    campaign.refresh_from_db()
    reason = "account_owner_off" if how == "owner" else "account_unshared"
    assert (campaign.state, campaign.reason) == ("needs_account", reason)


@pytest.mark.req("CM-27")
def test_an_account_is_its_owners_until_it_is_given_to_profiles_and_people(as_user, alice, bob, cast):
    client = as_user(alice)
    new = client.get("/settings/accounts/new/").content.decode()
    assert "Save first; then the account can be given" in new
    number = make(client).json()["id"]
    assert f"/sharing/account/{number}/" in client.get(f"/settings/accounts/{number}/").content.decode()
    assert as_user(bob).get(f"/api/v1/accounts/{number}").status_code == 404
    assert client.get(f"/settings/accounts/{number}/").status_code == 404
    expected = {"use": ["send"], "view": ["read"], "edit": ["manage", "read"]}
    for may, rights in expected.items():
        share(as_user(alice), number, visibility="profiles", users=[{"id": bob.id, "may": [may]}])
        client = as_user(bob)
        assert client.get(f"/api/v1/accounts/{number}").json()["rights"] == rights
        assert change(client, number, per_minute=9).status_code == (200 if may == "edit" else 403)
        assert (number in [one.id for one in accounts_to_choose(cast.bob)]) == (may == "use")
    office = Profile.objects.get(workspace=cast.alice.workspace)
    share(as_user(alice), number, visibility="profiles", profiles=[{"id": office.id, "may": ["use"]}])
    assert as_user(bob).get(f"/api/v1/accounts/{number}").json()["rights"] == ["send"]


def test_the_right_to_manage_accounts_is_to_see_and_change_all_but_not_to_send_from_them(
    as_user, alice, bob, cast
):
    number = make(as_user(alice)).json()["id"]
    office = Profile.objects.get(workspace=cast.alice.workspace)
    office.rights = [*office.rights, str(Right.ACCOUNTS_MANAGE)]
    office.save()
    client = as_user(bob)
    assert client.get(f"/api/v1/accounts/{number}").json()["smtp_host"] == GOOD["smtp_host"]
    assert change(client, number, owner=bob.id).status_code == 200
    assert change(client, number, owner=alice.id).status_code == 200
    viewer = replace(cast.bob, rights=frozenset(office.rights))
    assert accounts_to_choose(viewer) == []


@pytest.mark.req("CM-26")
def test_an_account_for_programs_is_chosen_by_who_was_given_it_and_by_api_tokens(as_user, alice, bob, cast):
    account = make_account(cast.alice, port=25, visibility="workspace", everyone=["use"])
    assert [one.id for one in accounts_to_choose(cast.bob)] == [account.id]
    change(as_user(alice), account.id, integration=True)
    assert accounts_to_choose(cast.bob) == []
    draft = campaign_create(viewer=cast.bob, name="Mine")
    assert draft.account is None
    values = {"campaign_id": draft.id, "version": draft.version, "account_id": account.id}
    with pytest.raises(NotFound):
        campaign_edit(viewer=cast.bob, **values)
    by_token = replace(cast.bob, scopes=frozenset({"campaigns"}))
    assert campaign_edit(viewer=by_token, **values).account == account
    share(as_user(alice), account.id, visibility="profiles", users=[{"id": bob.id, "may": ["use"]}])
    assert [one.id for one in accounts_to_choose(cast.bob)] == [account.id]


@pytest.mark.req("CM-26")
def test_one_account_of_the_firm_is_the_one_that_notices_go_out_from(as_user, alice):
    client = as_user(alice)
    first = make(client, for_notices=True).json()["id"]
    second = make(client, name="Second", for_notices=True).json()["id"]
    assert Workspace.objects.get(notice_account__isnull=False).notice_account_id == second != first


@pytest.mark.req("CM-24")
def test_incoming_mail_gets_the_accounts_type(cast):
    offer = MessageType.objects.create(workspace=cast.alice.workspace, name="Question")
    account = make_account(cast.alice, port=25, type_in=offer)
    collector = Collector.objects.create(account=account)
    raw = b"From: ann@box.example\r\nTo: sales@alderpike.example\r\nSubject: Hello\r\n\r\nHi.\r\n"
    events_process(event_store_imap(collector=collector, uidvalidity=1, items=[(1, raw)]))
    assert Message.objects.get(subject="Hello").type == offer
    assert Account.objects.get().type_in == offer
