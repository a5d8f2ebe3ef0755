"""The pages of e-mail groups."""

import re

import pytest
from django.core import signing
from django.utils import timezone

from postroom.actions.blob import blob_put
from postroom.actions.group import group_make, group_save
from postroom.actions.group_member import member_add, members_add
from postroom.actions.moderation import moderation_token
from postroom.actions.posting import Handed, postings_judge, postings_store
from postroom.actions.posting_fan import postings_fan
from postroom.models.delivery import Delivery
from postroom.models.domain import Domain
from postroom.models.group import Group, Posting
from postroom.models.signal import SignalCopy
from postroom.models.user import User
from postroom.models.workspace import AuditLine
from postroom.queries.viewer import viewer_of
from postroom.testing.cast import make_account

pytestmark = pytest.mark.django_db

MAIL = (
    b"From: Jan Kowalski <jan@outside.example>\r\nTo: office@alderpike.example\r\n"
    b"Subject: Price list\r\nMessage-ID: <1@outside.example>\r\nDate: Sun, 22 Nov 2026 10:00:00 +0000\r\n"
    b"\r\nWhat does it cost?\r\n"
)


@pytest.fixture
def domain(cast):
    return make_domain(cast.alice)


@pytest.fixture
def group(cast, domain):
    return group_make(viewer=cast.alice, domain_id=domain.id, name="office", real_name="Office")


def make_domain(viewer, name="alderpike.example"):
    return Domain.objects.create(
        workspace=viewer.workspace, name=name, token="t", proved_at=timezone.now(), proved_by="word"
    )


def take(group, raw=MAIL):
    """The posting of a mail that came in for the group, sent on as far as its rules let it."""
    found = postings_judge([Handed(group.id, raw, "jan@outside.example", (group.address,))])
    ids = postings_store(found, [blob_put(raw).pk])
    postings_fan(ids, lambda domain: "none")
    return Posting.objects.get(group=group)


def text_of(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


OPTIONS_ON = ("set_reply_to", "expand", "remove_author", "reject_automatic", "remove_to_and_cc")


@pytest.mark.req("EG-06", "EG-17")
def test_a_group_is_added_by_its_name_and_open_lists_show_it_by_themselves(as_user, alice, domain):
    web = as_user(alice)
    page = web.get("/groups/")
    version = re.search(r'"X-Seen": "([^"]*)"', page.content.decode())[1]
    assert web.get("/groups/rows/", headers={"X-Seen": version}).status_code == 204
    form = web.get("/groups/new/").content.decode()
    assert all(f'name="{name}"' in form for name in (*OPTIONS_ON, "email_disabled", "final_delivery"))
    assert 'name="signal_disabled"' in form
    assert re.search(r'id="preview-name"[^>]*>name</span>@<span id="preview-domain">alderpike.example', form)
    values = {"name": "office", "domain": "alderpike.example", **dict.fromkeys(OPTIONS_ON, "on")}
    made = web.post("/groups/new/", values, follow=True)
    assert "office@alderpike.example" in made.content.decode()
    block = web.get("/groups/rows/", headers={"X-Seen": version})
    assert block.status_code == 200
    assert "office@alderpike.example" in block.content.decode()
    row = text_of(web.get("/groups/"))
    assert "office@alderpike.example 0 members Open" in row
    group = Group.objects.get()
    assert all(getattr(group, name) for name in OPTIONS_ON)
    group_save(viewer=viewer_of(alice), group_id=group.id, email_disabled=True, signal_disabled=True)
    page = web.get("/groups/").content.decode()
    assert "Closed for mail" in page
    assert "No signals" in page
    assert 'aria-label="Edit office@alderpike.example"' in page
    assert 'aria-label="Delete office@alderpike.example"' in page


@pytest.mark.req("EG-06")
def test_the_form_of_a_new_group_offers_the_proved_domains(as_user, alice, cast, domain):
    web = as_user(alice)
    make_domain(cast.alice, "mydomain.com")
    Domain.objects.create(workspace=cast.alice.workspace, name="unproved.example", token="t")
    form = web.get("/groups/new/").content.decode()
    assert re.findall(r'<option value="([^"]+)"', form) == ["alderpike.example", "mydomain.com"]
    web.post("/groups/new/", {"name": "office", "domain": "mydomain.com"})
    assert Group.objects.get().address == "office@mydomain.com"
    again = web.post("/groups/new/", {"name": "office", "domain": "mydomain.com"})
    assert again.status_code == 409
    assert "There is a group office@mydomain.com already." in again.content.decode()
    assert 'value="office"' in again.content.decode()
    assert 'id="name-error"' in again.content.decode()


def test_without_a_proved_domain_the_form_says_so(as_user, alice):
    web = as_user(alice)
    assert "none is proved yet" in web.get("/groups/new/").content.decode()
    answer = web.post("/groups/new/", {"name": "office"})
    assert answer.status_code == 409
    assert "Prove one first" in answer.content.decode()


@pytest.mark.req("EG-18")
def test_options_are_changed_and_what_happens_to_a_mail_is_said(as_user, alice, cast, group):
    web = as_user(alice)
    members_add(viewer=cast.alice, group_id=group.id, text="a@x.example, b@x.example, c@x.example")
    page = text_of(web.get(f"/groups/{group.id}/settings/"))
    assert "Someone outside writes. 3 people get one copy each." in page
    assert "A member answers. The group and the outsider get it." in page
    assert "An out-of-office note comes. It is refused." in page
    assert "The author wants a report. One comes for each member." in page
    form = {"version": "1", "name": "office", "final_delivery": "on", "who_may_post": "members"}
    form |= {"managers": [alice.id]}
    said = text_of(web.post(f"/groups/{group.id}/settings/what/", form))
    assert "The mail is refused: they may not write to it." in said
    assert "Only the author gets it." in said
    assert "Every member gets it." in said
    assert "One comes from the group." in said
    assert Group.objects.get().final_delivery is False  # nothing was saved
    saved = web.post(f"/groups/{group.id}/settings/", form, follow=True)
    assert "Saved." in text_of(saved)
    now = Group.objects.get()
    assert (now.final_delivery, now.set_reply_to, now.who_may_post) == (True, False, "members")
    line = AuditLine.objects.get(noun="group", verb="changed")
    assert line.details["before"]["set_reply_to"] is True
    assert line.details["after"]["set_reply_to"] is False
    stale = web.post(f"/groups/{group.id}/settings/", {**form, "description": "what I typed"})
    assert stale.status_code == 409
    assert "Somebody else has changed this group" in stale.content.decode()
    assert "what I typed" in stale.content.decode()


@pytest.mark.req("EG-15")
def test_restoring_the_recommended_options_can_be_taken_back(as_user, alice, cast, group):
    web = as_user(alice)
    group_save(viewer=cast.alice, group_id=group.id, expand=False, final_delivery=True)
    page = web.get(f"/groups/{group.id}/settings/").content.decode()
    assert re.search(r'id="final_delivery"[^>]*data-recommended="off"[^>]*checked', page)
    page = web.post(f"/groups/{group.id}/settings/recommended/", follow=True).content.decode()
    group.refresh_from_db()
    assert group.expand
    assert not group.final_delivery
    step = re.search(r'action="(/groups/options-undo/\d+/)"', page)[1]
    web.post(step)
    group.refresh_from_db()
    assert not group.expand
    assert group.final_delivery


@pytest.mark.req("EG-19", "EG-20")
def test_members_are_pasted_in_listed_and_found(as_user, alice, cast, group):
    web = as_user(alice)
    User.objects.filter(id=cast.bob.user.id).update(email="bob@alderpike.example")
    group_make(viewer=cast.alice, domain_id=group.domain_id, name="support")
    text = "jan@gmail.example\nBob <bob>\nJAN@gmail.example\nsupport\nnobody at all\n"
    page = text_of(web.post(f"/groups/{group.id}/members/add/", {"addresses": text}))
    assert "2 lines were not taken:" in page
    assert "Line 3, JAN@gmail.example: jan@gmail.example is a member already." in page
    assert "Line 5, nobody at all:" in page
    listed = text_of(web.get(f"/groups/{group.id}/"))
    assert re.search(r"bob@alderpike.example Bob Of the firm .{0,20} Alice Gets mail", listed)
    assert re.search(r"jan@gmail.example Outside", listed)
    assert re.search(r"support@alderpike.example Group", listed)
    found = text_of(web.get(f"/groups/{group.id}/?q=gmail"))
    assert "jan@gmail.example" in found
    assert "bob@alderpike.example" not in found
    local = text_of(web.get(f"/groups/{group.id}/?kind=local"))
    assert "bob@alderpike.example" in local
    assert "jan@gmail.example" not in local
    double = web.post(f"/groups/{group.id}/members/add/", {"addresses": "bob"})
    assert double.status_code == 422
    assert "bob@alderpike.example is a member already." in text_of(double)


@pytest.mark.req("EG-21")
def test_a_member_is_paused_removed_and_put_back(as_user, alice, cast, group):
    web = as_user(alice)
    member = member_add(viewer=cast.alice, group_id=group.id, address="jan@gmail.example")
    page = text_of(web.post(f"/groups/{group.id}/members/{member.id}/pause/", {"on": "1"}, follow=True))
    assert "jan@gmail.example Outside" in page
    assert "Paused" in page
    answer = web.post(f"/groups/{group.id}/members/remove/", {"id": member.id}, follow=True)
    assert "the mailbox stays" in text_of(answer)
    assert not group.members.exists()
    web.post(re.search(r'action="(/groups/members-undo/\d+/)"', answer.content.decode())[1])
    assert group.members.get().state == "paused"


@pytest.mark.req("EG-22")
def test_deleting_asks_with_address_and_count_and_can_be_taken_back(as_user, alice, cast, group):
    web = as_user(alice)
    members_add(viewer=cast.alice, group_id=group.id, text="a@x.example b, b@x.example")
    outer = group_make(viewer=cast.alice, domain_id=group.domain_id, name="outer")
    member_add(viewer=cast.alice, group_id=outer.id, address="office")
    page = text_of(web.get(f"/groups/{group.id}/settings/"))
    assert "Delete office@alderpike.example with 1 member?" in page
    assert "outer@alderpike.example" in page
    assert web.post(f"/groups/{group.id}/delete/", {"confirm": "office"}).status_code == 422
    answer = web.post(f"/groups/{group.id}/delete/", {"confirm": "office@alderpike.example"})
    assert answer.status_code == 409
    confirmed = {"confirm": "office@alderpike.example", "also_in_groups": "on"}
    done = web.post(f"/groups/{group.id}/delete/", confirmed, follow=True)
    assert "office@alderpike.example is deleted" in text_of(done)
    assert web.get(f"/groups/{group.id}/").status_code == 404
    web.post(re.search(r'action="(/groups/undo/\d+/)"', done.content.decode())[1])
    assert web.get(f"/groups/{group.id}/").status_code == 200
    assert outer.members.get().subgroup_id == group.id


@pytest.mark.req("EG-05")
def test_colleagues_see_groups_managers_change_theirs_and_strangers_see_nothing(
    as_user, bob, charlie, cast, group
):
    web = as_user(bob)
    assert "office@alderpike.example" in web.get("/groups/").content.decode()
    assert 'href="/groups/"' in web.get("/settings/").content.decode()
    assert web.get("/groups/new/").status_code == 403
    page = web.get(f"/groups/{group.id}/settings/")
    assert page.status_code == 200
    assert "<fieldset disabled>" in page.content.decode()
    assert web.post(f"/groups/{group.id}/settings/", {"name": "office"}).status_code == 403
    assert web.post(f"/groups/{group.id}/members/add/", {"addresses": "a@x.example"}).status_code == 403
    group_save(viewer=cast.alice, group_id=group.id, managers=[bob.id])
    assert web.post(f"/groups/{group.id}/members/add/", {"addresses": "a@x.example"}).status_code == 302
    assert web.post(f"/groups/{group.id}/delete/", {"confirm": group.address}).status_code == 403
    web = as_user(charlie)
    assert "office@" not in web.get("/groups/").content.decode()
    assert web.get(f"/groups/{group.id}/").status_code == 404


def test_what_became_of_each_copy_stands_on_the_posting(as_user, alice, bob, cast, group):
    make_account(cast.alice, port=1, kind="platform", approval="approved")
    members_add(viewer=cast.alice, group_id=group.id, text="a@x.example, b@x.example, c@x.example")
    posting = take(group)
    rows = list(Delivery.objects.filter(message=posting.message).order_by("id"))
    assert len(rows) == 3
    Delivery.objects.filter(id=rows[0].id).update(state="accepted", arrival="delivered", words="250 ok")
    Delivery.objects.filter(id=rows[1].id).update(state="failed", words="550 5.1.1 no such user")
    web = as_user(alice)
    listed = text_of(web.get(f"/groups/{group.id}/postings/"))
    assert "Price list Jan Kowalski, jan@outside.example" in listed
    assert "Sent to the members" in listed
    page = text_of(web.get(f"/groups/{group.id}/postings/{posting.id}/"))
    assert "a@x.example Delivered 250 ok" in page
    assert "b@x.example Failed 550 5.1.1 no such user" in page
    assert "c@x.example Queued" in page
    failed = text_of(web.get(f"/groups/{group.id}/postings/{posting.id}/?copies=failed"))
    assert "b@x.example" in failed
    assert "a@x.example" not in failed
    raw = web.get(f"/groups/{group.id}/postings/{posting.id}/raw/")
    assert raw.content == MAIL
    assert "What does it cost?" in web.get(f"/groups/{group.id}/postings/{posting.id}/body/").content.decode()
    web = as_user(bob)  # no member, no manager
    assert web.get(f"/groups/{group.id}/postings/").status_code == 403
    member_add(viewer=cast.alice, group_id=group.id, address=bob.email)
    assert "Price list" in web.get(f"/groups/{group.id}/postings/").content.decode()
    shown = web.get(f"/groups/{group.id}/postings/{posting.id}/").content.decode()
    assert "550 5.1.1" not in shown  # what became of the others' copies is not theirs to see
    group_save(viewer=cast.alice, group_id=group.id, archive=False)
    assert web.get(f"/groups/{group.id}/postings/").status_code == 403


def test_of_two_moderators_the_first_decides_and_the_second_is_told_who(as_user, alice, bob, cast, group):
    make_account(cast.alice, port=1, kind="platform", approval="approved")
    members_add(viewer=cast.alice, group_id=group.id, text="a@x.example, b@x.example")
    group_save(viewer=cast.alice, group_id=group.id, who_may_post="approved", managers=[alice.id, bob.id])
    posting = take(group)
    assert posting.state == "held"
    members_add(viewer=cast.alice, group_id=group.id, text="late@x.example")
    # by the link in the mail: opening it changes nothing, and nobody needs to be signed in
    as_user(alice).logout()
    link = f"/groups/decide/{moderation_token(posting, bob)}/"
    client = as_user(alice)
    client.logout()
    page = client.get(link)
    assert "You decide as Bob." in text_of(page)
    assert Posting.objects.get().state == "held"
    done = client.post(link, {"send": "yes"})
    assert "It is on its way to the members." in text_of(done)
    posting.refresh_from_db()
    assert (posting.state, posting.decided_by) == ("sent", bob)
    copies = Delivery.objects.filter(message=posting.message).values_list("address", flat=True)
    assert sorted(copies) == ["a@x.example", "b@x.example"]  # as they were when it was held
    web = as_user(alice)
    second = web.post(f"/groups/{group.id}/postings/{posting.id}/decide/", {"send": "no"})
    assert second.status_code == 409
    assert "Bob has let it through already." in text_of(second)
    posting.refresh_from_db()
    assert posting.state == "sent"
    assert client.get("/groups/decide/nonsense/").status_code == 404
    with pytest.raises(signing.BadSignature):
        signing.loads(link.split("/")[3], salt="another")


def test_a_posting_that_is_thrown_away_reaches_nobody(as_user, alice, bob, cast, group):
    make_account(cast.alice, port=1, kind="platform", approval="approved")
    members_add(viewer=cast.alice, group_id=group.id, text="a@x.example")
    group_save(viewer=cast.alice, group_id=group.id, who_may_post="approved")
    posting = take(group)
    address = f"/groups/{group.id}/postings/{posting.id}/decide/"
    assert as_user(bob).post(address, {"send": "yes"}).status_code == 403
    page = text_of(as_user(alice).get(f"/groups/{group.id}/postings/?show=held"))
    assert "Price list" in page
    assert "Waits for a decision" in page
    answer = text_of(as_user(alice).post(address, {"send": "no"}, follow=True))
    assert "It is thrown away; nobody gets it." in answer
    posting.refresh_from_db()
    assert posting.state == "dropped"
    copies = Delivery.objects.filter(message=posting.message)
    assert list(copies.values_list("address", "state")) == [("a@x.example", "skipped")]


@pytest.mark.req("EG-14")
def test_a_signal_appears_on_members_open_pages_until_they_put_it_away(as_user, alice, bob, cast, group):
    member_add(viewer=cast.alice, group_id=group.id, address=bob.email)
    member_add(viewer=cast.alice, group_id=group.id, address="jan@gmail.example")
    web = as_user(bob)
    assert 'id="pr-signals"' in web.get("/groups/").content.decode()
    assert web.get("/groups/signals/", headers={"X-Seen": "none"}).status_code == 204
    answer = as_user(alice).post(f"/groups/{group.id}/signal/", {"text": "Lunch is here"}, follow=True)
    assert "The signal goes to 1 person." in text_of(answer)
    web = as_user(bob)
    shown = web.get("/groups/signals/", headers={"X-Seen": "none"})
    assert "Lunch is here" in text_of(shown)
    assert "Alice to office@alderpike.example" in text_of(shown)
    copy = SignalCopy.objects.get()
    assert copy.seen_at is None
    as_user(alice)
    assert as_user(alice).post(f"/groups/signals/{copy.id}/seen/").status_code == 404
    left = as_user(bob).post(f"/groups/signals/{copy.id}/seen/")
    assert "Lunch is here" not in left.content.decode()
    assert as_user(bob).get("/groups/signals/", headers={"X-Seen": "none"}).status_code == 204
