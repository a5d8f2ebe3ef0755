"""What became of the copies, and who is told (EG-11)."""

import email
import email.policy

import pytest

from postroom.actions.event import event_store_imap, events_process
from postroom.actions.posting_hold import posting_decide
from postroom.errors import Conflict
from postroom.models.account import Account, Collector
from postroom.models.delivery import Delivery
from postroom.models.group import GroupMember, Posting
from postroom.models.message import Message
from postroom.models.suppression import Suppression
from postroom.practice.reports import DELIVERED, UNKNOWN, delivery_report
from postroom.testing.posting import mail, post

pytestmark = pytest.mark.django_db

AUTHOR = "anna@outside.example"
ASKED = {"mail_options": ["RET=HDRS", "ENVID=order+2B7"], "rcpt_options": ["NOTIFY=SUCCESS,FAILURE"]}


def reports(firm, to: str = AUTHOR) -> list[dict[str, str]]:
    """The recipient blocks of all reports that went to the author, read by the standard library."""
    found = []
    for one in firm.members.to(to):
        read = email.message_from_bytes(one.raw, policy=email.policy.default)
        assert one.mail_from == ""
        assert read.get_content_type() == "multipart/report"
        assert read["Auto-Submitted"] == "auto-replied"
        parts = list(read.iter_parts())
        assert [part.get_content_type() for part in parts][1:] == [
            "message/delivery-status",
            "text/rfc822-headers",
        ]
        first, *blocks = parts[1].get_payload()
        for block in blocks:
            found.append({**dict(first.items()), **dict(block.items())})
    return found


def come_back(firm, copy, verdict) -> None:
    """A server further on says what became of this copy, to the return path."""
    raw = delivery_report(
        verdict,
        to=copy.mail_from,
        recipient=copy.to,
        orcpt=copy.orcpt,
        envid=copy.envid,
        raw=copy.raw,
        full=False,
    )
    assert post(firm.post.smtp, raw, copy.mail_from, sender="")[0][0] == 250


@pytest.mark.req("EG-11")
def test_with_the_option_on_the_author_hears_once_and_failures_go_to_the_managers(firm):
    good, bad = firm.people(1)[0], f"refused{next(firm.numbers)}@far.example"
    group = firm.group(good, bad, final_delivery=True)
    firm.send(mail(to=str(group)), group, **ASKED)
    firm.settled()
    (block,) = reports(firm)
    assert block["Action"] == "delivered"
    assert block["Final-Recipient"] == f"rfc822; {group}"
    assert block["Original-Envelope-Id"] == "order+7"
    copy = firm.members.to(good)[0]
    assert copy.notify == "SUCCESS,FAILURE,DELAY"
    assert copy.envid in copy.mail_from
    assert copy.ret == "HDRS"
    (notice,) = firm.members.to("alice@example.org")
    assert bad.encode() in notice.raw
    posting = Posting.objects.get(group=group)
    states = dict(Delivery.objects.filter(message=posting.message).values_list("address", "state"))
    assert states == {good: "accepted", bad: "failed"}
    come_back(firm, copy, UNKNOWN)
    firm.settled()
    assert len(reports(firm)) == 1
    assert Delivery.objects.get(message=posting.message, address=good).arrival == "bounced"
    assert not Suppression.objects.exists()


@pytest.mark.req("EG-11")
def test_with_the_option_off_each_members_fate_goes_back_as_asked(firm):
    good, bad = firm.people(1)[0], f"refused{next(firm.numbers)}@far.example"
    group = firm.group(good, bad, AUTHOR)
    firm.send(mail(AUTHOR, str(group)), group, **ASKED)
    firm.settled()
    copy = firm.members.to(good)[0]
    assert (copy.notify, copy.ret, copy.orcpt) == ("SUCCESS,FAILURE", "HDRS", str(group))
    (failed,) = reports(firm)
    assert (failed["Action"], failed["Final-Recipient"]) == ("failed", f"rfc822; {bad}")
    assert failed["Status"] == "5.1.1"
    assert "User unknown" in failed["Diagnostic-Code"]
    come_back(firm, copy, DELIVERED)
    firm.settled()
    assert [one["Action"] for one in reports(firm)] == ["failed", "delivered"]
    assert {one["Original-Envelope-Id"] for one in reports(firm)} == {"order+7"}
    come_back(firm, copy, DELIVERED)  # once more: told once
    firm.settled()
    assert len(reports(firm)) == 2


@pytest.mark.req("EG-11")
def test_without_a_request_no_success_is_told_and_an_outsider_learns_no_members_address(firm):
    for on in (True, False):
        good, bad = firm.people(1)[0], f"refused{next(firm.numbers)}@far.example"
        group = firm.group(good, bad, final_delivery=on)
        firm.members.got.clear()
        firm.send(mail(to=str(group)), group)
        firm.settled()
        copy = firm.members.to(good)[0]
        assert copy.notify == ("FAILURE,DELAY" if on else "")
        come_back(firm, copy, DELIVERED)
        firm.settled()
        told = reports(firm)
        assert [one["Action"] for one in told] == ([] if on else ["failed"])
        assert all(one["Final-Recipient"] == f"rfc822; {group}" for one in told)
        assert not any(bad.encode() in one.raw for one in firm.members.to(AUTHOR))


def test_automatic_mail_that_a_group_takes_is_never_reported(firm):
    group = firm.group(f"refused{next(firm.numbers)}@far.example", reject_automatic=False)
    firm.send(mail(AUTHOR, str(group), "Precedence: bulk"), group, **ASKED)
    firm.settled()
    assert firm.posted(group)[0].state == "sent"
    assert reports(firm) == []


def test_a_member_whose_server_refuses_again_and_again_pauses_and_managers_are_told(firm):
    bad, good = f"refused{next(firm.numbers)}@far.example", firm.people(1)[0]
    group = firm.group(bad, good)
    for number in range(4):
        firm.send(mail(to=str(group), number=number), group)
        firm.settled()
    member = GroupMember.objects.get(group=group, address=bad)
    assert (member.state, member.failures) == ("paused", 3)
    assert "User unknown" in member.state_words
    assert len([one for one in firm.members.to("alice@example.org") if bad.encode() in one.raw]) == 1
    last = Posting.objects.filter(group=group).last()
    assert [one.address for one in Delivery.objects.filter(message=last.message)] == [good]


def test_by_smtp_who_is_refused_among_others_is_told_by_a_report(firm):
    one, two = firm.group(*firm.people(1)), firm.group(*firm.people(1), who_may_post="members")
    assert [code for code, _ in firm.send(mail(to=str(one)), one, two)] == [250, 250]
    firm.settled()
    (block,) = reports(firm)
    assert (block["Final-Recipient"], block["Status"]) == (f"rfc822; {two}", "5.7.1")
    found = post(firm.post.lmtp, mail(to=str(one), number=2), str(one), str(two), sender=AUTHOR, lmtp=True)
    assert [code for code, _ in found] == [250, 550]


def test_what_waits_for_a_moderator_goes_on_to_who_was_a_member_then(firm):
    people = firm.people(2)
    group = firm.group(*people, who_may_post="approved")
    for number in range(2):
        firm.send(mail(to=str(group), number=number), group)
    firm.settled()
    assert {one.to for one in firm.members.got} == {"alice@example.org"}
    GroupMember.objects.create(group=group, address=firm.people(1)[0])
    first, second = firm.posted(group)
    assert (first.state, first.reason) == ("held", "approval")
    firm.members.got.clear()
    posting_decide(posting_id=first.id, send=True, by=firm.cast.alice.user)
    posting_decide(posting_id=second.id, send=False, by=firm.cast.alice.user)
    with pytest.raises(Conflict):
        posting_decide(posting_id=first.id, send=False, by=firm.cast.bob.user)
    firm.settled()
    assert firm.members.addresses == sorted(people)
    assert Message.objects.filter(purpose="posting", posting__group=group).count() == 2


def test_mail_in_a_catch_all_mailbox_is_a_posting_and_a_refusal_goes_back_as_a_report(firm):
    people = firm.people(2)
    group = firm.group(*people, who_may_post="members")
    account = Account.objects.create(
        workspace=firm.cast.alice.workspace,
        name="Catch-all",
        address="all@alderpike.example",
        takes_groups=True,
    )
    box = Collector.objects.create(account=account)
    reached = f"Return-Path: <{AUTHOR}>\r\nDelivered-To: all@alderpike.example\r\nX-Original-To: {group}\r\n"
    mails = [
        reached.encode() + mail(people[0], str(group)),
        reached.encode() + mail(AUTHOR, str(group), subject="not a member"),
        reached.encode() + mail(AUTHOR, str(group), "Auto-Submitted: auto-replied", subject="away"),
        mail(AUTHOR, "all@alderpike.example", subject="to the mailbox itself"),
    ]
    ids = event_store_imap(collector=box, uidvalidity=1, items=list(enumerate(mails, 1)))
    events_process(ids)
    events_process(ids)
    firm.settled()
    assert [(one.state, one.reason) for one in firm.posted(group)] == [
        ("sent", ""),
        ("refused", "not_allowed"),
        ("refused", "automatic"),
    ]
    assert [one.to for one in firm.members.got if one.to in people] == [people[1]]
    (block,) = reports(firm)
    assert (block["Final-Recipient"], block["Status"]) == (f"rfc822; {group}", "5.7.1")
    assert Message.objects.filter(account=account, direction="in").count() == 1
    account.deleted_at = account.created_at
    account.save()


def test_an_outsider_leaves_by_the_address_in_his_own_copy(firm):
    one, two = firm.people(2)
    group = firm.group(one, two)
    firm.send(mail(to=str(group)), group)
    firm.settled()
    way = firm.members.to(one)[0].header("List-Unsubscribe")
    assert way.startswith("<mailto:u-")
    firm.send(mail(one, way[8:-1], subject="leave"), way[8:-1], sender=one)
    firm.settled()
    assert [member.address for member in GroupMember.objects.filter(group=group)] == [two]
