"""Settings > Message types, by page and by API."""

import json

import pytest

from postroom.actions.message_type import type_add
from postroom.models.campaign import Campaign
from postroom.models.message import Message
from postroom.models.message_type import MessageType
from postroom.models.profile import Profile
from postroom.queries.message_type import types_to_choose
from postroom.testing.cast import make_account, make_campaign

pytestmark = pytest.mark.django_db


@pytest.fixture
def web(as_user, alice):
    return as_user(alice)


def office(cast):
    return Profile.objects.get(workspace=cast.alice.workspace, name="Office")


def send(web, method, path, body=None):
    answer = getattr(web, method)(path, json.dumps(body or {}), content_type="application/json")
    return answer.status_code, json.loads(answer.content or "{}")


@pytest.mark.req("CM-05")
def test_types_are_listed_in_pages_with_a_number_that_stays(cast, web):
    assert "Tell your mails apart" in web.get("/settings/types/").content.decode()
    for number in range(1, 56):
        type_add(viewer=cast.alice, name=f"Kind {number:02}")
    page = web.get("/settings/types/").content.decode()
    assert "Kind 50" in page
    assert "Kind 51" not in page
    assert "1–50 of 55" in page
    assert "Kind 55" in web.get("/settings/types/?page=2").content.decode()
    first = MessageType.objects.get(name="Kind 01")
    web.post(f"/settings/types/{first.id}/", {"name": "Renamed", "version": 1})
    assert MessageType.objects.get(id=first.id).name == "Renamed"
    assert f'<td class="num t2">{first.id}</td>' in web.get("/settings/types/?q=renamed").content.decode()


@pytest.mark.req("CM-06")
def test_a_type_is_added_by_name_and_the_name_is_free_once_whatever_the_case(cast, web):
    made = web.post("/settings/types/new/", {"name": "  Żółta   oferta "})
    one = MessageType.objects.get()
    assert made.status_code == 302
    assert made["Location"] == f"/settings/types/{one.id}/"
    assert one.name == "Żółta oferta"
    again = web.post("/settings/types/new/", {"name": "żółta OFERTA"})
    assert again.status_code == 409
    assert "There is a message type" in again.content.decode()
    assert send(web, "post", "/api/v1/types", {"name": "ŻÓŁTA oferta"})[1]["code"] == "NAME_TAKEN"
    for name in ("", "   ", "x" * 121):
        assert web.post("/settings/types/new/", {"name": name}).status_code == 422
        assert send(web, "post", "/api/v1/types", {"name": name})[0] == 422
    assert send(web, "post", "/api/v1/types", {"name": "x" * 120})[0] == 201
    assert MessageType.objects.count() == 2


@pytest.mark.req("CM-07")
def test_a_new_type_is_the_administrators_own_until_a_profile_is_chosen(cast, web, as_user, bob):
    assert "<fieldset" in web.get("/settings/types/").content.decode()
    assert "disabled" in web.get("/settings/types/").content.decode(), "the picker waits for the number"
    page = web.post("/settings/types/new/", {"name": "Offer"}, follow=True).content.decode()
    one = MessageType.objects.get()
    assert "only administrators can use this type" in page
    assert types_to_choose(cast.bob) == []
    web.post(f"/sharing/type/{one.id}/", {"visibility": "profiles", f"p{office(cast).id}": ["use"]})
    assert types_to_choose(cast.bob) == [one]
    assert "only administrators" not in web.get(f"/settings/types/{one.id}/").content.decode()
    status, both = send(web, "post", "/api/v1/types", {"name": "Invoice", "profiles": [office(cast).id]})
    assert (status, both["warnings"]) == (201, [])
    status, alone = send(web, "post", "/api/v1/types", {"name": "Secret"})
    assert (status, alone["warnings"]) == (201, ["ADMINS_ONLY"])
    web = as_user(bob)
    listed = [one["name"] for one in json.loads(web.get("/api/v1/types").content)["items"]]
    assert listed == ["Invoice", "Offer"]
    assert web.get(f"/api/v1/types/{alone['id']}").status_code == 404


@pytest.mark.req("CM-08")
def test_a_used_type_gives_its_place_to_another_and_old_mails_keep_the_label(cast, web):
    old = type_add(viewer=cast.alice, name="Offer")
    new = type_add(viewer=cast.alice, name="Price list")
    account = make_account(cast.alice, port=2525, type_out=old)
    coming = make_campaign(cast.alice, account, type=old)
    over = make_campaign(cast.alice, account, name="Over", type=old, state="finished")
    mail = Message.objects.create(workspace=cast.alice.workspace, direction="out", type=old)
    page = web.get("/settings/types/").content.decode()
    assert "Edit</a>" in page
    assert "Delete</button>" in page
    answer = web.post(f"/settings/types/{old.id}/delete/")
    assert answer.status_code == 409
    assert "Default of 1 account" in answer.content.decode()
    assert "Which type takes its place?" in answer.content.decode()
    status, body = send(web, "delete", f"/api/v1/types/{old.id}")
    assert (status, body["code"]) == (409, "IN_USE")
    assert body["details"] == {"accounts": 1, "campaigns": 1, "messages": 2}
    assert web.post(f"/settings/types/{old.id}/delete/", {"reassign_to": new.id}).status_code == 302
    for row in (account, coming, over, mail):
        row.refresh_from_db()
    assert (account.type_out, coming.type) == (new, new)
    assert (str(over.type), str(mail.type)) == ("Offer", "Offer")
    assert "Offer" not in web.get("/settings/types/").content.decode().replace("“Offer”", "").replace(
        "offer, invoice", ""
    )
    assert send(web, "delete", f"/api/v1/types/{old.id}")[0] == 404
    unused = type_add(viewer=cast.alice, name="Unused")
    page = web.post(f"/settings/types/{unused.id}/delete/", follow=True).content.decode()
    path = page.split('action="/settings/types/undo/')[1].split('"')[0]
    web.post(f"/settings/types/undo/{path}")
    assert MessageType.objects.get(id=unused.id).deleted_at is None


@pytest.mark.req("CM-09")
def test_types_are_filtered_by_part_of_the_name_and_by_exact_number(cast, web):
    yellow = type_add(viewer=cast.alice, name="Zażółć")
    other = type_add(viewer=cast.alice, name="Other")

    def names(query):
        return [one["name"] for one in send_get(web, f"/api/v1/types{query}")["items"]]

    assert names("?q=ZAZ") == ["Zażółć"]
    assert names(f"?id={other.id}") == ["Other"]
    assert names(f"?q=zaz&id={other.id}") == [], "both must fit"
    assert names(f"?q=zaz&id={yellow.id}") == ["Zażółć"]
    assert web.get("/api/v1/types?id=abc").status_code == 422
    page = web.get("/settings/types/?id=abc")
    assert page.status_code == 422
    assert "An ID is a number." in page.content.decode()
    page = web.get(f"/settings/types/?q=zaz&id={yellow.id}").content.decode()
    assert "Zażółć" in page
    assert "Other" not in page


def send_get(web, path):
    answer = web.get(path)
    assert answer.status_code == 200, answer.content
    return json.loads(answer.content)


def test_who_may_not_manage_types_gets_403_and_a_stranger_404(cast, as_user, bob, charlie):
    one = type_add(viewer=cast.alice, name="Offer")
    web = as_user(bob)
    assert web.get("/settings/types/").status_code == 403
    assert web.post("/settings/types/new/", {"name": "X"}).status_code == 403
    assert send(web, "post", "/api/v1/types", {"name": "X"})[0] == 403
    assert send(web, "put", f"/api/v1/types/{one.id}", {"name": "X", "version": 1})[0] == 403
    web = as_user(charlie)
    for path in (f"/settings/types/{one.id}/", f"/sharing/type/{one.id}/", f"/api/v1/types/{one.id}"):
        assert web.get(path).status_code == 404
    assert web.post(f"/settings/types/{one.id}/delete/").status_code == 404


def test_a_stale_name_is_refused_with_both(cast, web):
    one = type_add(viewer=cast.alice, name="Offer")
    web.post(f"/settings/types/{one.id}/", {"name": "Theirs", "version": 1})
    answer = web.post(f"/settings/types/{one.id}/", {"name": "Mine", "version": 1})
    assert answer.status_code == 409
    assert "Theirs" in answer.content.decode()
    assert 'value="Mine"' in answer.content.decode()
    status, body = send(web, "put", f"/api/v1/types/{one.id}", {"name": "Mine", "version": 1})
    assert (status, body["code"]) == (409, "STALE_VERSION")
    assert body["details"]["theirs"] == {"name": "Theirs"}
    assert Campaign.objects.count() == 0
