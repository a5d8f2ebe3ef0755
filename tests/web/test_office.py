"""One person alone, then two; accounts that one of them may use and the other may not (GW-01, PI-05)."""

import re

import pytest
from django.core.cache import cache
from django.test import Client

from postroom.actions.setup import setup_code, setup_finish
from postroom.models.account import Account
from postroom.models.campaign import Campaign
from postroom.models.contact import ContactList
from postroom.models.profile import Profile, ProfileMember, Share
from postroom.models.user import User
from postroom.models.workspace import Membership, Workspace
from postroom.queries.viewer import viewer_of
from postroom.testing.cast import make_account, make_campaign, make_list

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture(autouse=True)
def _no_counts_of_other_tests():
    cache.clear()


def signed_in(user):
    client = Client()
    client.force_login(user, backend=BACKEND)
    return client


@pytest.mark.req("GW-01")
def test_one_person_alone_then_two_and_the_only_owner_stays():
    owner = setup_finish(
        code=setup_code(),
        email="alice@alderpike.example",
        name="Alice",
        password="a horse in the rain",
        workspace_name="Alder & Pike",
        url="http://localhost:8025",
        allow_private_hosts=True,
    )
    assert (Workspace.objects.count(), User.objects.count()) == (1, 1)
    alice = signed_in(owner)
    viewer = viewer_of(owner)
    account, people = make_account(viewer, port=2525), make_list(viewer, ["one@example.org"])
    campaign = make_campaign(viewer, account, people)
    started = alice.post(f"/campaigns/{campaign.id}/start/")
    assert started.status_code == 302
    campaign.refresh_from_db()
    assert campaign.state in ("freezing", "scheduled"), "no sharing had to be set up"
    rows = {
        model: set(model.objects.values_list("id", flat=True)) for model in (Campaign, ContactList, Account)
    }
    office = Profile.objects.get()
    answer = alice.post(
        "/settings/people/invite/", {"email": "bob@example.org", "role": "member", "profiles": [office.id]}
    )
    link = re.search(r'id="invite-link">[^<]*?(/invited/[\w-]+/)<', answer.content.decode()).group(1)
    bob = Client()
    assert bob.post(link, {"name": "Bob", "password": "a dog in the snow"}).status_code == 302
    page = bob.get(f"/campaigns/{campaign.id}/")
    assert (page.status_code, "Autumn price list" in page.content.decode()) == (200, True)
    assert {model: set(model.objects.values_list("id", flat=True)) for model in rows} == rows, "no data moved"
    refused = alice.delete(f"/api/v1/members/{owner.id}")
    assert (refused.status_code, refused.json()["code"]) == (409, "LAST_OWNER")
    assert alice.post(f"/settings/people/{owner.id}/remove/").status_code == 409
    demoted = alice.put(f"/api/v1/members/{owner.id}", {"role": "member"}, content_type="application/json")
    assert demoted.json()["code"] == "LAST_OWNER"
    assert Membership.objects.get(user=owner).role == "owner"


@pytest.mark.req("PI-05")
def test_an_account_that_was_not_granted_is_not_there(cast):
    """Dana may use the one, Bob both; a third is granted to a profile."""
    space = cast.alice.workspace
    dana = User.objects.create_user("dana@example.org", "correct horse", name="Dana")
    Membership.objects.create(workspace=space, user=dana)
    office = Profile.objects.get(workspace=space)
    ProfileMember.objects.create(profile=office, user=dana)
    both = make_account(cast.alice, port=2525, name="Both", visibility="profiles")
    his = make_account(cast.alice, port=2525, name="His", visibility="profiles", address="b@alder.example")
    ours = make_account(cast.alice, port=2525, name="Ours", visibility="profiles", address="o@alder.example")
    for account, whom in (
        (both, {"user": dana}),
        (both, {"user": cast.bob.user}),
        (his, {"user": cast.bob.user}),
    ):
        Share.objects.create(workspace=space, noun="account", noun_id=account.id, may=["use"], **whom)
    Share.objects.create(workspace=space, noun="account", noun_id=ours.id, may=["use"], profile=office)
    for user, fits in ((dana, {both, ours}), (cast.bob.user, {both, his, ours})):
        client = signed_in(user)
        made = client.post("/api/v1/campaigns", {"name": "New"}, content_type="application/json").json()
        path = f"/api/v1/campaigns/{made['id']}"
        for account in (both, his, ours):
            now = client.get(path).json()
            body = {"version": now["version"], "account": account.id}
            answer = client.put(path, body, content_type="application/json")
            assert answer.status_code == (200 if account in fits else 404), (user, account)
        page = client.get(f"/campaigns/{made['id']}/").content.decode()
        shown = {account for account in (both, his, ours) if f'value="{account.id}"' in page}
        assert shown == fits
    assert signed_in(dana).get(f"/settings/accounts/{his.id}/").status_code == 404
