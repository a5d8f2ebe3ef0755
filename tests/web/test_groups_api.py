"""E-mail groups in the API."""

import json

import pytest
from django.utils import timezone

from postroom.actions.group import group_make, group_save
from postroom.actions.group_member import member_add
from postroom.actions.posting import Handed, postings_judge
from postroom.models.domain import Domain
from postroom.models.group import Group
from postroom.models.profile import Profile, Right
from postroom.models.signal import Signal, SignalCopy
from postroom.models.user import User
from postroom.queries.group_route import Way, route_of
from postroom.testing.cast import make_account

pytestmark = pytest.mark.django_db
ROOT = "/api/v1/groups"

DEFAULTS = {
    "SetReplyTo": True,
    "Expand": True,
    "RemoveAuthor": True,
    "RejectAutomatic": True,
    "RemoveToAndCc": True,
    "EmailDisabled": False,
    "FinalDelivery": False,
    "SignalDisabled": False,
}


@pytest.fixture
def domain(cast):
    return Domain.objects.create(
        workspace=cast.alice.workspace,
        name="mydomain.com",
        token="t",
        proved_at=timezone.now(),
        proved_by="word",
    )


def ask(client, method, path="", body=None):
    data = None if body is None else json.dumps(body)
    answer = getattr(client, method)(ROOT + path, data=data, content_type="application/json")
    return answer.status_code, (json.loads(answer.content) if answer.content else None)


@pytest.mark.req("EG-15", "EG-06")
def test_a_new_group_is_as_recommended(as_user, alice, domain):
    status, made = ask(as_user(alice), "post", body={"name": "office"})
    assert status == 201
    assert made["address"] == "office@mydomain.com"
    assert {key: made[key] for key in DEFAULTS} == DEFAULTS
    assert made["Members"] == []
    assert made["RealName"] == ""
    status, read = ask(as_user(alice), "get", f"/{made['id']}")
    assert (status, read) == (200, made)


@pytest.mark.req("EG-15")
def test_options_are_set_under_their_old_names_and_put_back(as_user, alice, domain):
    web = as_user(alice)
    flipped = {key: not value for key, value in DEFAULTS.items()}
    _, made = ask(web, "post", body={"name": "office", **flipped, "RealName": "Office", "Members": ["jan"]})
    assert {key: made[key] for key in DEFAULTS} == flipped
    assert (made["RealName"], made["Members"]) == ("Office", ["jan@mydomain.com"])
    status, back = ask(web, "post", f"/{made['id']}/defaults")
    assert status == 200
    assert {key: back[key] for key in DEFAULTS} == DEFAULTS
    assert back["RealName"] == "Office"
    again = ask(web, "post", f"/undo/{back['undo']}")[1]
    assert {key: again[key] for key in DEFAULTS} == flipped


@pytest.mark.req("EG-02", "EG-06")
def test_what_is_wrong_with_a_name_has_a_code(as_user, alice, cast):
    web = as_user(alice)
    status, problem = ask(web, "post", body={"name": "office"})
    assert (status, problem["code"]) == (409, "NO_DOMAIN")
    Domain.objects.create(
        workspace=cast.alice.workspace, name="mydomain.com", token="t", proved_at=timezone.now()
    )
    make_account(cast.alice, port=1, address="office@mydomain.com")
    for name, expected in (
        ("office", (409, "NAME_TAKEN")),
        ("postmaster", (422, "NAME_RESERVED")),
        ("a b", (422, "BAD_VALUE")),
        ("офис", (422, "NEEDS_SMTPUTF8")),
    ):
        status, problem = ask(web, "post", body={"name": name})
        assert (status, problem["code"]) == expected, name
    assert not Group.objects.exists()


@pytest.mark.req("EG-05")
def test_who_may_do_what_follows_from_profile_and_management(as_user, bob, charlie, cast, domain):
    group = group_make(viewer=cast.alice, domain_id=domain.id, name="office")
    office = Profile.objects.get(workspace=cast.alice.workspace)
    calls = (
        ("post", "", {"name": "desk"}),
        ("put", f"/{group.id}", {"Expand": False}),
        ("post", f"/{group.id}/members", {"address": "x@example.org"}),
        ("delete", f"/{group.id}?confirm={group.address}", None),
    )
    web = as_user(bob)
    assert [ask(web, *call)[0] for call in calls] == [403] * 4
    assert ask(web, "get", f"/{group.id}")[1]["may_change"] is False
    group_save(viewer=cast.alice, group_id=group.id, managers=[bob.id])
    assert [ask(web, *call)[0] for call in calls] == [403, 200, 201, 403]
    group_save(viewer=cast.alice, group_id=group.id, managers=[])
    rights = [*office.rights, str(Right.GROUPS_MANAGE)]
    Profile.objects.filter(id=office.id).update(rights=rights)
    calls = (("post", "", {"name": "other"}), *calls[1:2], ("get", f"/{group.id}/postings"), calls[3])
    assert [ask(web, *call)[0] for call in calls] == [201, 200, 200, 200]
    assert ask(as_user(charlie), "get", f"/{group.id}")[0] == 404


@pytest.mark.req("EG-19", "EG-20", "EG-01")
def test_members_of_each_kind_are_added_and_a_double_is_refused(as_user, alice, cast, domain):
    web = as_user(alice)
    User.objects.filter(id=cast.bob.user.id).update(email="bob@mydomain.com")
    group = group_make(viewer=cast.alice, domain_id=domain.id, name="office")
    group_make(viewer=cast.alice, domain_id=domain.id, name="support")
    path = f"/{group.id}/members"
    for address in ("jan@gmail.com", "bob", "support"):
        assert ask(web, "post", path, {"address": address})[0] == 201
    for address, expected in (
        ("JAN@Gmail.com", (409, "MEMBER_EXISTS")),
        ("office", (422, "SELF")),
        ("no address", (422, "BAD_ADDRESS")),
    ):
        status, problem = ask(web, "post", path, {"address": address})
        assert (status, problem["code"]) == expected
    _, listed = ask(web, "get", path)
    assert [(one["address"], one["kind"]) for one in listed["items"]] == [
        ("bob@mydomain.com", "local"),
        ("jan@gmail.com", "external"),
        ("support@mydomain.com", "group"),
    ]
    assert {one["added_by"] for one in listed["items"]} == {"Alice"}
    _, found = ask(web, "get", f"{path}?q=gmail&kind=external")
    assert len(found["items"]) == 1
    status, bulk = ask(web, "post", f"{path}/bulk", {"text": "new@x.example\nbob\nno address\n"})
    assert status == 200
    assert [one["address"] for one in bulk["added"]] == ["new@x.example"]
    assert [(one["line"], one["code"]) for one in bulk["errors"]] == [
        (2, "MEMBER_EXISTS"),
        (3, "BAD_ADDRESS"),
    ]
    member = bulk["added"][0]["id"]
    assert ask(web, "put", f"{path}/{member}", {"paused": True})[1]["state"] == "paused"
    status, gone = ask(web, "delete", f"{path}/{member}")
    assert status == 200
    assert ask(web, "delete", f"{path}/{member}")[0] == 404
    assert "new@x.example" in ask(web, "post", f"/undo/{gone['undo']}")[1]["Members"]
    assert ask(web, "post", f"/undo/{gone['undo']}")[1]["code"] == "UNDO_GONE"
    assert User.objects.get(id=cast.bob.user.id).is_active


def test_a_long_list_of_members_comes_page_by_page(as_user, alice, cast, domain):
    group = group_make(viewer=cast.alice, domain_id=domain.id, name="office")
    members = [f"person{number:03}@x.example" for number in range(250)]
    ask(as_user(alice), "post", f"/{group.id}/members/bulk", {"text": "\n".join(members)})
    seen, at = [], ""
    while at is not None:
        _, page = ask(as_user(alice), "get", f"/{group.id}/members?at={at}")
        seen += [one["address"] for one in page["items"]]
        at = page["next"]
    assert seen == members


@pytest.mark.req("EG-22")
def test_deleting_needs_the_address(as_user, alice, cast, domain):
    web = as_user(alice)
    group = group_make(viewer=cast.alice, domain_id=domain.id, name="office")
    outer = group_make(viewer=cast.alice, domain_id=domain.id, name="outer")
    member_add(viewer=cast.alice, group_id=outer.id, address="office")
    member_add(viewer=cast.alice, group_id=group.id, address=alice.email)
    status, problem = ask(web, "delete", f"/{group.id}")
    assert (status, problem["code"], problem["field"]) == (422, "CONFIRM", "confirm")
    path = f"/{group.id}?confirm={group.address}"
    status, problem = ask(web, "delete", path)
    assert (status, problem["code"]) == (409, "IN_GROUPS")
    assert [one["address"] for one in problem["details"]["groups"]] == ["outer@mydomain.com"]
    status, gone = ask(web, "delete", f"{path}&also_in_groups=true")
    assert status == 200
    assert ask(web, "get", f"/{group.id}")[0] == 404
    assert ask(web, "post", body={"name": "office"})[1]["code"] == "NAME_TAKEN"  # for 30 days
    assert route_of(group.address).way is Way.NOBODY  # mail to it: 550 5.1.1
    assert User.objects.get(id=alice.id).is_active
    assert ask(web, "post", f"/undo/{gone['undo']}")[1]["Members"] == [alice.email]


@pytest.mark.req("EG-18")
def test_a_stale_version_is_refused(as_user, alice, cast, domain):
    web = as_user(alice)
    group = group_make(viewer=cast.alice, domain_id=domain.id, name="office")
    assert ask(web, "put", f"/{group.id}", {"version": 1, "Expand": False})[1]["version"] == 2
    status, problem = ask(web, "put", f"/{group.id}", {"version": 1, "Expand": True})
    assert (status, problem["code"]) == (409, "STALE_VERSION")
    assert problem["details"]["theirs"] == {"expand": False}


MAIL = b"From: jan@outside.example\r\nTo: office@mydomain.com\r\nSubject: Hello\r\n\r\nHello\r\n"


@pytest.mark.req("EG-10", "EG-14")
@pytest.mark.parametrize("no_mail", [False, True])
@pytest.mark.parametrize("no_signals", [False, True])
def test_mail_and_signals_are_refused_independently(as_user, alice, bob, cast, domain, no_mail, no_signals):
    make_account(cast.alice, port=1, kind="platform", approval="approved")
    group = group_make(viewer=cast.alice, domain_id=domain.id, name="office")
    member_add(viewer=cast.alice, group_id=group.id, address=bob.email)
    member_add(viewer=cast.alice, group_id=group.id, address="jan@gmail.example")
    web = as_user(alice)
    ask(web, "put", f"/{group.id}", {"EmailDisabled": no_mail, "SignalDisabled": no_signals})
    status, answer = ask(web, "post", f"/{group.id}/signals", {"text": "Lunch is here"})
    if no_signals:
        assert (status, answer["code"]) == (403, "SIGNALS_DISABLED")
        assert not Signal.objects.exists()
        assert not SignalCopy.objects.exists()
    else:
        assert (status, answer["notified"]) == (201, 1)  # nobody outside
        assert SignalCopy.objects.get().user == bob
    assert route_of(group.address).way is (Way.DISABLED if no_mail else Way.GROUP)
    (judged,) = postings_judge([Handed(group.id, MAIL, "jan@outside.example", (group.address,))])
    assert judged.verdict.reply.code == (550 if no_mail else 250)
    assert group.members.count() == 2


def test_a_signal_goes_down_into_groups_that_take_signals(as_user, alice, bob, cast, domain):
    outer, inner = (
        group_make(viewer=cast.alice, domain_id=domain.id, name=name) for name in ("outer", "inner")
    )
    member_add(viewer=cast.alice, group_id=outer.id, address="inner")
    member_add(viewer=cast.alice, group_id=inner.id, address=bob.email)
    web = as_user(alice)
    assert ask(web, "post", f"/{outer.id}/signals", {"text": "One"})[1]["notified"] == 1
    group_save(viewer=cast.alice, group_id=inner.id, signal_disabled=True)
    assert ask(web, "post", f"/{outer.id}/signals", {"text": "Two"})[1]["notified"] == 0
    group_save(viewer=cast.alice, group_id=outer.id, who_may_post="members")
    group_save(viewer=cast.alice, group_id=inner.id, signal_disabled=False)
    assert ask(as_user(bob), "post", f"/{outer.id}/signals", {"text": "By a member of a member"})[0] == 201
    group_save(viewer=cast.alice, group_id=outer.id, who_may_post="named")
    status, problem = ask(as_user(bob), "post", f"/{outer.id}/signals", {"text": "No"})
    assert (status, problem["code"]) == (403, "NO_RIGHT")
    assert ask(web, "post", f"/{outer.id}/signals", {"text": "x" * 281})[0] == 422
