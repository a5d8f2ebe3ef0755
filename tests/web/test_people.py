"""People of a workspace: invitations, roles, profiles, leaving; several workspaces; places in it."""

import re

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from postroom.actions.member import member_add
from postroom.actions.user import user_switch
from postroom.errors import Conflict
from postroom.models.account import Account
from postroom.models.message import Message
from postroom.models.profile import Invitation, Profile, ProfileMember, Right, Share
from postroom.models.user import User
from postroom.models.workspace import AuditLine, Membership, Role, Workspace
from postroom.queries.blob import blob_read
from postroom.queries.viewer import viewer_of
from postroom.testing.cast import make_account, make_list

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture(autouse=True)
def _no_counts_of_other_tests():
    cache.clear()


def signed_in(viewer_or_user):
    client = Client()
    client.force_login(getattr(viewer_or_user, "user", viewer_or_user), backend=BACKEND)
    return client


def link_in(answer):
    return re.search(r'id="invite-link">[^<]*?(/invited/[\w-]+/)<', answer.content.decode()).group(1)


def invite(client, email="dana@alderpike.example", role="member", profiles=()):
    values = {"email": email, "role": role, "profiles": [str(one) for one in profiles]}
    return client.post("/settings/people/invite/", values)


NEW = {"name": "Dana", "password": "a horse in the rain"}


def test_without_a_notice_account_the_link_is_handed_over_and_works_once(cast):
    office = Profile.objects.get(workspace=cast.alice.workspace)
    link = link_in(invite(signed_in(cast.alice), profiles=[office.id]))
    assert not Message.objects.exists()
    secret = link.split("/")[2]
    stored = Invitation.objects.get()
    assert secret not in str(vars(stored)), "the database keeps a digest only"
    dana = Client()
    page = dana.get(link)
    assert "Join Alder &amp; Pike" in page.content.decode()
    assert page["Cache-Control"] == "no-store"
    assert dana.post(link, {"name": "Dana", "password": "short"}).status_code == 422
    assert dana.post(link, NEW)["Location"] == "/"
    assert dana.get("/more/").status_code == 200, "she is signed in"
    user = User.objects.get(email="dana@alderpike.example")
    viewer = viewer_of(user)
    assert viewer.workspace == cast.alice.workspace
    assert Right.CAMPAIGNS_SEND in viewer.rights
    again = Client().get(link)
    assert again.status_code == 410
    assert "was used already" in again.content.decode()
    assert Client().post(link, NEW).status_code == 410


def test_an_invitation_goes_out_by_mail_in_the_language_of_the_workspace(cast):
    account = make_account(cast.alice, port=2525)
    Workspace.objects.filter(id=cast.alice.workspace.id).update(notice_account=account, language="en")
    answer = invite(signed_in(cast.alice))
    assert answer.status_code == 302
    message = Message.objects.get()
    assert (message.purpose, message.to_address) == ("system", "dana@alderpike.example")
    text = blob_read(message.raw_id).decode()
    link = re.search(r"/invited/[\w-]+/", text.replace("=\r\n", "")).group()
    assert Client().get(link).status_code == 200


def test_expired_revoked_and_unknown_invitations_are_explained(cast):
    client = signed_in(cast.alice)
    link = link_in(invite(client))
    Invitation.objects.update(expires_at=timezone.now())
    assert "has expired" in Client().get(link).content.decode()
    one = Invitation.objects.get()
    fresh = link_in(client.post(f"/settings/people/invitations/{one.id}/again/"))
    assert Client().get(link).status_code == 404, "the old link is dead"
    assert Client().get(fresh).status_code == 200
    client.post(f"/settings/people/invitations/{one.id}/revoke/")
    gone = Client().get(fresh)
    assert (gone.status_code, "was taken back" in gone.content.decode()) == (410, True)
    assert Client().get("/invited/nonsense/").status_code == 404


def test_who_has_a_login_joins_signed_in_and_nobody_else_may(cast):
    link = link_in(invite(signed_in(cast.alice), cast.charlie.user.email))
    assert "has a login here already" in Client().get(link).content.decode()
    assert Client().post(link, NEW).status_code in (409, 422)
    bob = signed_in(cast.bob)
    assert "is for somebody else" in bob.get(link).content.decode()
    assert bob.post(link).status_code == 403
    charlie = signed_in(cast.charlie)
    assert charlie.post(link).status_code == 302
    assert "Alder &amp; Pike" in charlie.get("/more/").content.decode(), "the session goes there at once"


def test_only_who_sees_to_people_may(cast):
    bob = signed_in(cast.bob)
    for url in ("/settings/people/", f"/settings/people/{cast.alice.user.id}/", "/settings/profiles/"):
        assert bob.get(url).status_code == 403
    assert invite(bob).status_code == 403
    assert signed_in(cast.charlie).get(f"/settings/people/{cast.bob.user.id}/").status_code == 404
    office = Profile.objects.get(workspace=cast.alice.workspace)
    assert signed_in(cast.charlie).get(f"/settings/profiles/{office.id}/").status_code == 404


def test_nobody_gives_more_than_they_have(cast):
    """Bob sees to people, but not to rights that he lacks, nor to those above him."""
    office = Profile.objects.get(workspace=cast.alice.workspace)
    office.rights = [*office.rights, Right.USERS_MANAGE]
    office.save()
    strong = Profile.objects.create(
        workspace=cast.alice.workspace, name="Strong", rights=[str(Right.DOMAINS_MANAGE)]
    )
    bob = signed_in(cast.bob)
    me = f"/settings/people/{cast.bob.user.id}/"
    assert bob.post(me, {"role": "member", "profiles": [strong.id], "primary": 0}).status_code == 403
    assert bob.post(me, {"role": "owner", "profiles": [office.id], "primary": 0}).status_code == 422
    assert bob.post(f"/settings/people/{cast.alice.user.id}/switch/").status_code == 403
    assert bob.post(f"/settings/people/{cast.alice.user.id}/remove/").status_code == 403
    assert bob.post(f"/settings/profiles/{strong.id}/delete/").status_code == 403
    more = {"name": "Mine", "rights": [str(Right.DOMAINS_MANAGE)]}
    assert bob.post("/settings/profiles/new/", more).status_code == 403
    assert invite(bob, profiles=[strong.id]).status_code == 403
    assert link_in(invite(bob, profiles=[office.id]))
    assert not ProfileMember.objects.filter(profile=strong).exists()


@pytest.mark.req("GW-07")
def test_a_third_invitation_to_two_places_is_refused(cast):
    client = signed_in(cast.alice)
    limits = {"seats": 2, "parallel_runs": 0, "per_day": 0, "approve_below": 0}
    workspace = cast.alice.workspace.id
    assert client.post(f"/settings/workspaces/{workspace}/limits/", limits).status_code == 302
    refused = invite(client)
    assert refused.status_code == 409
    assert "All 2 places" in refused.content.decode()
    assert not Invitation.objects.exists()
    api = client.post(
        "/api/v1/invitations", {"email": "dana@alderpike.example"}, content_type="application/json"
    )
    assert (api.status_code, api.json()["code"]) == (409, "SEAT_LIMIT")
    client.post(f"/settings/people/{cast.bob.user.id}/switch/")
    link_in(invite(client))
    assert client.post(f"/settings/people/{cast.bob.user.id}/switch/", {"on": "1"}).status_code == 409
    assert (
        signed_in(cast.charlie).post(f"/settings/workspaces/{workspace}/limits/", limits).status_code == 403
    )


def test_the_last_owner_stays_whatever_is_tried(cast):
    client, alice = signed_in(cast.alice), cast.alice.user
    for act in ("remove", "switch"):
        answer = client.post(f"/settings/people/{alice.id}/{act}/")
        assert answer.status_code == 409
    demoted = client.post(f"/settings/people/{alice.id}/", {"role": "member", "primary": 0})
    assert demoted.status_code == 409
    assert "is the last owner" in demoted.content.decode()
    with pytest.raises(Conflict, match="last owner"):
        user_switch(email=alice.email, on=False)
    api = client.delete(f"/api/v1/members/{alice.id}")
    assert (api.status_code, api.json()["code"]) == (409, "LAST_OWNER")
    Membership.objects.filter(user=cast.bob.user).update(role=Role.OWNER)
    assert client.post(f"/settings/people/{alice.id}/", {"role": "member", "primary": 0}).status_code == 302


def test_switching_off_flags_mail_accounts_or_gives_them_away(cast):
    bobs = make_account(cast.bob, port=2525, name="Bob's")
    client, bob = signed_in(cast.alice), signed_in(cast.bob)
    assert bob.get("/more/").status_code == 200
    assert client.post(f"/settings/people/{cast.bob.user.id}/switch/").status_code == 302
    assert bob.get("/more/").status_code == 302, "his session is over"
    assert "choose an owner" in client.get("/settings/accounts/").content.decode()
    assert "Bob&#x27;s" in client.get(f"/settings/people/{cast.bob.user.id}/").content.decode()
    client.post(f"/settings/people/{cast.bob.user.id}/switch/", {"on": "1"})
    client.post(f"/settings/people/{cast.bob.user.id}/switch/", {"accounts_to": cast.alice.user.id})
    bobs.refresh_from_db()
    assert bobs.owner == cast.alice.user


def test_who_is_taken_out_leaves_everything_behind(cast):
    bobs = make_account(cast.bob, port=2525)
    made = make_list(cast.bob, ["one@example.org"], name="Bob's")
    client = signed_in(cast.alice)
    assert client.post(f"/settings/people/{cast.bob.user.id}/remove/").status_code == 302
    assert not Membership.objects.filter(user=cast.bob.user).exists()
    assert Account.objects.get(id=bobs.id).owner is None
    made.refresh_from_db()
    assert made.deleted_at is None
    page = signed_in(cast.bob).get("/more/")
    assert (page.status_code, "You belong to no workspace" in page.content.decode()) == (403, True)
    assert AuditLine.objects.filter(verb="removed", noun="user", noun_id=cast.bob.user.id).exists()


def test_one_person_works_in_two_workspaces(cast):
    member_add(workspace=cast.charlie.workspace, user=cast.bob.user)
    bob = signed_in(cast.bob)
    assert "Alder &amp; Pike" in bob.get("/more/").content.decode()
    assert bob.post(f"/settings/workspaces/{cast.charlie.workspace.id}/go/").status_code == 302
    page = bob.get("/more/").content.decode()
    assert re.search(r'class="cut">Other<small>', page)
    Membership.objects.filter(workspace=cast.charlie.workspace, user=cast.bob.user).delete()
    assert re.search(r'class="cut">Alder &amp; Pike<small>', bob.get("/more/").content.decode())
    assert bob.post(f"/settings/workspaces/{cast.charlie.workspace.id}/go/").status_code == 404


def test_switched_off_in_one_workspace_is_not_switched_off_in_the_other(cast):
    member_add(workspace=cast.charlie.workspace, user=cast.bob.user)
    signed_in(cast.alice).post(f"/settings/people/{cast.bob.user.id}/switch/")
    page = signed_in(cast.bob).get("/more/")
    assert page.status_code == 200
    assert viewer_of(cast.bob.user).workspace == cast.charlie.workspace


def test_the_administrator_of_the_installation_makes_a_further_workspace(cast):
    client = signed_in(cast.alice)
    values = {"name": "Birch", "language": "pl", "time_zone": "Europe/Warsaw"}
    assert client.post("/settings/workspaces/new/", values).status_code == 302
    made = Workspace.objects.get(name="Birch")
    assert viewer_of(cast.alice.user, made.id).role == Role.OWNER
    assert "Birch" in client.get("/more/").content.decode()
    assert signed_in(cast.charlie).get("/settings/workspaces/").status_code == 403
    assert signed_in(cast.charlie).post("/settings/workspaces/new/", values).status_code == 403


def test_a_profile_is_made_changed_and_deleted(cast):
    client = signed_in(cast.alice)
    values = {"name": "Branch", "rights": [str(Right.LOG_VIEW)], "people": [cast.bob.user.id]}
    assert client.post("/settings/profiles/new/", values).status_code == 302
    branch = Profile.objects.get(name="Branch")
    assert Right.LOG_VIEW in viewer_of(cast.bob.user).rights
    assert client.post("/settings/profiles/new/", values).status_code == 409, "the name is taken"
    account = make_account(cast.alice, port=2525, visibility="profiles")
    Share.objects.create(
        workspace=cast.alice.workspace, noun="account", noun_id=account.id, profile=branch, may=["use"]
    )
    page = client.get(f"/settings/profiles/{branch.id}/").content.decode()
    assert "1 person loses its rights" in page
    assert "1 thing is shared with it" in page
    Membership.objects.filter(user=cast.bob.user).update(place="profiles", place_profile=branch)
    assert client.post(f"/settings/profiles/{branch.id}/delete/").status_code == 302
    assert Right.LOG_VIEW not in viewer_of(cast.bob.user).rights
    assert not Share.objects.exists()
    assert Membership.objects.get(user=cast.bob.user).place == ""


def test_a_stale_profile_is_shown_with_both_texts(cast):
    client = signed_in(cast.alice)
    office = Profile.objects.get(workspace=cast.alice.workspace)
    url = f"/settings/profiles/{office.id}/"
    first = {"name": "Bureau", "version": office.version, "rights": [str(Right.LOG_VIEW)]}
    assert client.post(url, first).status_code == 302
    stale = client.post(url, {"name": "Desk", "version": office.version})
    page = stale.content.decode()
    assert stale.status_code == 409
    assert "Alice has changed this in the meantime" in page
    assert "Bureau" in page
    assert 'value="Desk"' in page
    fresh = re.search(r'name="version" value="(\d+)"', page).group(1)
    assert client.post(url, {"name": "Desk", "version": fresh}).status_code == 302


@pytest.mark.req("GW-06")
def test_the_working_location_says_where_new_things_land_and_moves_nothing(cast):
    bob = signed_in(cast.bob)
    profile = {"name": "Bob", "language": "en", "time_zone": "Europe/Warsaw", "theme": "auto"}
    office = Profile.objects.get(workspace=cast.alice.workspace)

    def new_list(name, place):
        assert bob.post("/settings/profile/", {**profile, "place": place}).status_code == 302
        assert bob.post("/contacts/lists/new/", {"name": name}).status_code == 302
        return cast.bob.workspace.lists.get(name=name)

    mine = new_list("Mine", "private")
    ours = new_list("Ours", f"profiles:{office.id}")
    all_of_us = new_list("All of us", "workspace")
    assert [row.visibility for row in (mine, ours, all_of_us)] == ["private", "profiles", "workspace"]
    assert Share.objects.get(noun="list", noun_id=ours.id).profile == office
    mine.refresh_from_db()
    assert mine.visibility == "private", "switching moved nothing"
    foreign = Profile.objects.get(workspace=cast.charlie.workspace)
    assert bob.post("/settings/profile/", {**profile, "place": f"profiles:{foreign.id}"}).status_code == 422


def test_the_audit_trail_says_who_changed_what(cast):
    client = signed_in(cast.alice)
    invite(client)
    client.post("/settings/profiles/new/", {"name": "Branch"})
    page = client.get("/settings/audit/").content.decode()
    assert "Invitation “dana@alderpike.example”: invited" in page
    assert "Profile “Branch”: made" in page
    only = client.get("/settings/audit/?what=profile").content.decode()
    assert "dana@alderpike.example" not in only
    assert "Nothing is on record" in client.get(f"/settings/audit/?who={cast.bob.user.id}").content.decode()
    assert signed_in(cast.bob).get("/settings/audit/").status_code == 403
    assert "Branch" not in signed_in(cast.charlie).get("/settings/audit/").content.decode()
