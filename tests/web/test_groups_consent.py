"""Outsiders who are asked before they get mail of a group (EG-19), where the workspace wants that."""

import json
import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from postroom.actions.group import group_make
from postroom.actions.group_import import groups_import
from postroom.actions.group_member import member_add, members_add, members_put_back, members_remove
from postroom.mail.group_file import GroupFile
from postroom.models.delivery import Delivery
from postroom.models.group import GroupMember
from postroom.models.message import Message
from postroom.models.workspace import AuditLine, Workspace
from postroom.queries.blob import blob_read
from postroom.testing.cast import make_account, make_domain
from tests.web.test_groups import MAIL, take

pytestmark = pytest.mark.django_db


@pytest.fixture
def group(cast):
    """Of a workspace that wants outsiders asked, which was switched on where it is for everybody to see."""
    account = make_account(cast.alice, port=1)
    Workspace.objects.filter(id=cast.alice.workspace.id).update(notice_account=account, confirm_members=True)
    cast.alice.workspace.refresh_from_db()
    return group_make(viewer=cast.alice, domain_id=make_domain(cast.alice).id, name="office")


@pytest.fixture
def outsider():
    """Somebody who is signed in nowhere."""
    return Client()


def asked(address: str) -> list[str]:
    """The links in the mails to this address."""
    found = Message.objects.filter(to_address=address, purpose="system").order_by("id")
    raws = [blob_read(message.raw_id).replace(b"=\r\n", b"").decode() for message in found]
    return [re.search(r"(/groups/join/\S+/)", raw)[1] for raw in raws]


def states(group):
    return dict(GroupMember.objects.filter(group=group).values_list("address", "state"))


def text_of(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


@pytest.mark.req("EG-19")
def test_an_outsider_waits_until_he_has_pressed_the_button_and_opening_the_page_changes_nothing(
    outsider, as_user, alice, group
):
    text = "jan@gmail.example\nanna\n"
    added = as_user(alice).post(f"/groups/{group.id}/members/add/", {"addresses": text}, follow=True)
    assert "2 members are new. 1 of them is asked first." in text_of(added)
    assert states(group) == {"jan@gmail.example": "unconfirmed", f"anna@{group.domain.name}": "active"}
    page = text_of(as_user(alice).get(f"/groups/{group.id}/?kind=unconfirmed"))
    assert "Asked, has not answered" in page
    assert f"anna@{group.domain.name}" not in page
    (link,) = asked("jan@gmail.example")
    assert Delivery.objects.get(address="jan@gmail.example").state == "queued"
    opened = outsider.get(link)
    assert f"Mail of {group.address}?" in text_of(opened)
    assert "jan@gmail.example" not in opened.content.decode()
    assert outsider.head(link).status_code == 200
    assert states(group)["jan@gmail.example"] == "unconfirmed"
    done = outsider.post(link)
    assert "You are in the group" in text_of(done)
    assert states(group)["jan@gmail.example"] == "active"
    at = GroupMember.objects.get(address="jan@gmail.example").confirmed_at
    assert at is not None
    assert "You are in the group" in text_of(outsider.post(link))
    assert GroupMember.objects.get(address="jan@gmail.example").confirmed_at == at
    forged = link.replace(link[-6:-1], "aaaaa")
    assert outsider.get(forged).status_code == outsider.post(forged).status_code == 404


@pytest.mark.req("EG-19")
def test_switched_off_as_it_is_at_first_nobody_is_asked(as_user, alice, cast, group):
    assert Workspace().confirm_members is False
    fields = dict(
        re.findall(
            r'name="(\w+)"[^>]*value="([^"]*)"', as_user(alice).get("/settings/workspace/").content.decode()
        )
    )
    assert 'name="confirm_members"' in as_user(alice).get("/settings/workspace/").content.decode()
    values = {
        **{name: fields.get(name, "") for name in ("version", "name", "bounce_host", "url")},
        **{"language": "en", "time_zone": "Europe/Warsaw", "blocked_files": "exe"},
        "notice_account": str(cast.alice.workspace.notice_account_id),
    }
    saved = as_user(alice).post("/settings/workspace/", values)
    assert saved.status_code == 302
    workspace = Workspace.objects.get(id=cast.alice.workspace.id)
    assert workspace.confirm_members is False
    cast.alice.workspace.refresh_from_db()
    member_add(viewer=cast.alice, group_id=group.id, address="jan@gmail.example")
    assert states(group) == {"jan@gmail.example": "active"}
    assert asked("jan@gmail.example") == []
    values |= {"version": str(workspace.version), "confirm_members": "on"}
    assert as_user(alice).post("/settings/workspace/", values).status_code == 302
    assert Workspace.objects.get(id=workspace.id).confirm_members is True


@pytest.mark.req("EG-19")
def test_a_manager_asks_again_but_cannot_say_yes_for_him(outsider, as_user, alice, cast, group):
    member = member_add(viewer=cast.alice, group_id=group.id, address="jan@gmail.example")
    web = as_user(alice)
    web.post(f"/groups/{group.id}/members/{member.id}/pause/", {"on": "1"})
    refused = web.post(f"/groups/{group.id}/members/{member.id}/pause/", {"on": ""})
    assert refused.status_code == 409
    assert "has not said yes" in text_of(refused)
    assert states(group) == {"jan@gmail.example": "unconfirmed"}
    soon = web.post(f"/groups/{group.id}/members/{member.id}/ask/")
    assert soon.status_code == 429
    assert len(asked("jan@gmail.example")) == 1
    GroupMember.objects.update(asked_at=timezone.now() - timedelta(minutes=11))
    again = web.post(f"/groups/{group.id}/members/{member.id}/ask/", follow=True)
    assert "jan@gmail.example is asked again." in text_of(again)
    assert AuditLine.objects.filter(verb="asked again", noun_id=group.id).count() == 1
    first, second = asked("jan@gmail.example")
    assert first == second
    _, step = members_remove(viewer=cast.alice, group_id=group.id, member_ids=[member.id])
    assert outsider.post(first).status_code == 404
    members_put_back(viewer=cast.alice, step_id=step)
    back = GroupMember.objects.get()
    assert (back.state, back.asked_at is not None) == ("unconfirmed", True)
    assert len(asked("jan@gmail.example")) == 2


@pytest.mark.req("EG-19")
def test_the_api_tells_who_waits_and_asks_again(as_user, alice, group):
    api = as_user(alice)
    url = f"/api/v1/groups/{group.id}/members"
    made = api.post(url, json.dumps({"address": "jan@gmail.example"}), content_type="application/json")
    one = made.json()
    assert (made.status_code, one["state"], one["confirmed_at"]) == (201, "unconfirmed", None)
    assert [row["id"] for row in api.get(f"{url}?kind=unconfirmed").json()["items"]] == [one["id"]]
    assert api.get(f"{url}?kind=paused").json()["items"] == []
    assert api.post(f"{url}/{one['id']}/ask").status_code == 429
    GroupMember.objects.update(asked_at=timezone.now() - timedelta(hours=1))
    assert api.post(f"{url}/{one['id']}/ask").status_code == 200
    resumed = api.put(f"{url}/{one['id']}", json.dumps({"paused": False}), content_type="application/json")
    assert (resumed.status_code, resumed.json()["code"]) == (409, "UNCONFIRMED")
    GroupMember.objects.update(state="active")
    assert api.post(f"{url}/{one['id']}/ask").json()["code"] == "CONFIRMED"


@pytest.mark.req("EG-19")
def test_mail_reaches_him_from_his_yes_on(outsider, cast, group):
    members_add(viewer=cast.alice, group_id=group.id, text="jan@gmail.example\nanna")
    got = []
    for number in range(2):
        posting = take(group, MAIL.replace(b"<1@", b"<%d@" % number))
        copies = Delivery.objects.filter(message=posting.message)
        got.append(sorted(copies.values_list("address", flat=True)))
        posting.delete()
        outsider.post(asked("jan@gmail.example")[0])
    anna = f"anna@{group.domain.name}"
    assert got == [[anna], [anna, "jan@gmail.example"]]


def test_without_an_account_or_with_far_too_many_nobody_is_added(cast, as_user, alice, group):
    many = "\n".join(f"person{n}@gmail.example" for n in range(301))
    answer = as_user(alice).post(f"/groups/{group.id}/members/add/", {"addresses": many})
    assert answer.status_code == 422
    Workspace.objects.update(notice_account=None)
    one = as_user(alice).post(f"/groups/{group.id}/members/add/", {"addresses": "jan@gmail.example"})
    assert one.status_code == 409
    assert "no mail account" in text_of(one)
    assert states(group) == {}


def test_members_of_another_program_were_asked_there(cast, group):
    file = GroupFile(name="office", members=["jan@gmail.example"])
    groups_import(viewer=cast.alice, domain_id=group.domain_id, files=[file])
    assert states(group) == {"jan@gmail.example": "active"}
    members_add(viewer=cast.alice, group_id=group.id, text="eva@gmail.example")
    assert states(group)["eva@gmail.example"] == "unconfirmed"
