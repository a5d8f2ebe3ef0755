"""The dialog "Who may see and use it", and the same in the API."""

import json

import pytest

from postroom.actions.sharing import Sharing, sharing_save
from postroom.models.profile import Profile, Share
from postroom.testing.cast import make_account, make_list

pytestmark = pytest.mark.django_db


@pytest.fixture
def base(cast):
    return make_list(cast.alice, ["ann@example.net"])


def office(cast):
    return Profile.objects.get(workspace=cast.alice.workspace, name="Office")


def put(web, path, body):
    answer = web.put(path, json.dumps(body), content_type="application/json")
    return answer.status_code, json.loads(answer.content)


def test_a_list_is_given_to_a_profile_and_a_person_by_switches(cast, as_user, alice, base):
    web = as_user(alice)
    page = web.get(f"/sharing/list/{base.id}/").content.decode()
    for words in (
        "Who may see and use it",
        "See who is on it",
        "Send to it",
        "Take it out as a file",
        "Office",
    ):
        assert words in page
    row = web.get(f"/sharing/list/{base.id}/person/?add={cast.bob.user.id}")
    assert f'name="u{cast.bob.user.id}"' in row.content.decode()
    answer = web.post(
        f"/sharing/list/{base.id}/",
        {
            "visibility": "profiles",
            f"p{office(cast).id}": ["use"],
            f"u{cast.bob.user.id}": ["export"],
            "back": "/contacts/lists/",
        },
        follow=True,
    )
    assert answer.redirect_chain == [("/contacts/lists/", 302)]
    assert "is saved" in answer.content.decode()
    assert "Shared with 1 profile, 1 person" in answer.content.decode()
    given = {(one.profile_id, one.user_id): one.may for one in Share.objects.all()}
    assert given == {
        (office(cast).id, None): ["use"],
        (None, cast.bob.user.id): ["export", "view"],
    }


def test_only_the_owner_and_who_may_edit_decide(cast, as_user, bob, charlie, base):
    sharing_save(viewer=cast.alice, thing=base, sharing=Sharing("workspace", everyone=["view", "use"]))
    body = {"visibility": "workspace", "everyone": ["view", "use", "edit", "export"]}
    web = as_user(bob)
    assert web.get(f"/sharing/list/{base.id}/").status_code == 403
    assert web.post(f"/sharing/list/{base.id}/", {"visibility": "private"}).status_code == 403
    assert put(web, f"/api/v1/lists/{base.id}/sharing", body)[0] == 403
    web = as_user(charlie)
    assert web.get(f"/sharing/list/{base.id}/").status_code == 404
    assert put(web, f"/api/v1/lists/{base.id}/sharing", body)[0] == 404
    sharing_save(viewer=cast.alice, thing=base, sharing=Sharing("workspace", everyone=["edit"]))
    web = as_user(bob)
    status, answer = put(web, f"/api/v1/lists/{base.id}/sharing", body)
    assert status == 200
    assert answer["everyone"] == sorted(body["everyone"])


def test_the_api_refuses_what_the_workspace_does_not_know(cast, as_user, alice, base):
    web = as_user(alice)
    foreign = Profile.objects.create(workspace=cast.charlie.workspace, name="Theirs")
    path = f"/api/v1/lists/{base.id}/sharing"
    for body in (
        {"visibility": "secret"},
        {"visibility": "profiles", "profiles": [{"id": foreign.id, "may": ["view"]}]},
        {"visibility": "profiles", "users": [{"id": cast.charlie.user.id, "may": ["view"]}]},
        {"visibility": "workspace", "everyone": ["burn"]},
    ):
        assert put(web, path, body)[0] == 422
    assert Share.objects.count() == 0
    assert web.get(path).status_code == 200
    assert web.get(f"/api/v1/horses/{base.id}/sharing").status_code in (404, 422)


def test_every_noun_has_the_same_dialog(cast, as_user, alice):
    account = make_account(cast.alice, port=2525)
    page = as_user(alice).get(f"/sharing/account/{account.id}/").content.decode()
    for words in ("Read its mailbox", "Send from it", "Manage it"):
        assert words in page
    assert "Take it out as a file" not in page
    assert as_user(alice).get("/sharing/horse/1/").status_code == 404


def test_the_way_back_stays_in_the_house(cast, as_user, alice, base):
    answer = as_user(alice).post(
        f"/sharing/list/{base.id}/", {"visibility": "private", "back": "//evil.example/"}
    )
    assert answer["Location"] == "/contacts/lists/"
