"""Moderators decide by answering their notice (RETURNED_MAIL goal 17): at the bounce host, and in a polled mailbox."""

import email
import email.policy
import re
from urllib.parse import unquote

import pytest
from django.utils import timezone

from postroom.actions.event import event_store_imap, events_process
from postroom.actions.mailbox_store import Mail, mails_look, mails_store, mails_write
from postroom.actions.moderation import posting_moderate
from postroom.models.account import Collector
from postroom.models.delivery import Delivery
from postroom.models.group import GroupPerson
from postroom.models.message import Message
from postroom.models.workspace import AuditLine
from postroom.testing.posting import mail
from tests.daemons.groups.firm import HOST

pytestmark = pytest.mark.django_db

ALICE, BOB = "alice@example.org", "bob@example.org"


@pytest.fixture
def held(firm):
    """A group with two moderators and a posting that waits."""
    group = firm.group(*firm.people(2), who_may_post="approved")
    GroupPerson.objects.create(group=group, user=firm.cast.bob.user)
    firm.send(mail(to=str(group), body="How much is the blue one?\r\n"), group)
    firm.settled()
    return group


def notice_to(firm, who: str):
    """The newest, with its text."""
    notice = firm.members.to(who)[-1]
    read = email.message_from_bytes(notice.raw, policy=email.policy.default)
    return notice, read.get_content()


def answer(firm, who: str, word: str, *more: str, sender: str | None = None, subject: str = ""):
    """Reply to the newest notice, as a mail program does; the codes of our server."""
    notice, _ = notice_to(firm, who)
    to, msgid = notice.header("Reply-To"), notice.header("Message-ID")
    subject = subject or f"Re: {notice.header('Subject')}"
    raw = mail(who, to, f"In-Reply-To: {msgid}", f"References: {msgid}", *more, subject=subject, body=word)
    found = firm.send(raw, to, sender=who if sender is None else sender)
    firm.settled()
    return [code for code, _ in found]


def decided(firm, group):
    (posting,) = firm.posted(group)
    return posting.state, posting.decided_by and posting.decided_by.email


def test_one_word_in_answer_to_the_notice_decides_and_the_second_hears_who_was_faster(firm, held):
    notice, text = notice_to(firm, ALICE)
    assert re.fullmatch(rf"d-[ab][a-z2-7]{{19}}@{HOST}", notice.header("Reply-To"))
    assert notice.header("Reply-To") != notice_to(firm, BOB)[0].header("Reply-To")
    assert "How much is the blue one?" in text
    assert "/groups/decide/" in text
    assert answer(firm, BOB, "Accept, it is a customer\r\n\r\n> accept or reject\r\n") == [250]
    assert decided(firm, held) == ("sent", BOB)
    assert len([one for one in firm.members.got if one.to.startswith("member")]) == 2
    line = AuditLine.objects.get(noun="group", noun_id=held.id, verb="approved")
    assert (line.user.email, line.details["way"]) == (BOB, "mail")
    before = len(firm.members.got)
    assert answer(firm, ALICE, "reject\r\n") == [250]
    assert decided(firm, held) == ("sent", BOB)
    (told,) = firm.members.got[before:]
    assert told.to == ALICE
    assert "Bob has let it through already." in notice_to(firm, ALICE)[1]
    assert told.header("Auto-Submitted") == "auto-generated"
    # once more by who decided: nothing is new, nobody is told
    firm.members.got = [one for one in firm.members.got if one is not told]
    assert answer(firm, BOB, "accept\r\n") == [250]
    assert len(firm.members.got) == before
    assert not Message.objects.filter(direction="in", subject__contains="waits for").exists()


@pytest.mark.parametrize(
    ("language", "words"), [("pl", ("akceptuj", "odrzuć")), ("bg", ("приеми", "отхвърли"))]
)
def test_the_links_in_the_notice_decide_in_the_moderators_language(firm, language, words):
    user = firm.cast.alice.user
    user.language = language
    user.save()
    try:
        for word, state in zip(words, ("sent", "dropped"), strict=True):
            group = firm.group(*firm.people(1), who_may_post="approved")
            firm.send(mail(to=str(group), subject=f"{language} {state}"), group)
            firm.settled()
            links = re.findall(r"mailto:(\S+?)\?subject=(\S+)", unquote(notice_to(firm, ALICE)[1]))
            assert {subject for _, subject in links} == set(words)
            (to,) = {address for address, _ in links}
            raw = mail(ALICE, to, subject=word, body="\r\n-- \r\nAlice\r\n")
            assert firm.send(raw, to, sender=ALICE)[0][0] == 250
            firm.settled()
            assert decided(firm, group) == (state, ALICE)
    finally:
        user.language = "en"
        user.save()


@pytest.mark.parametrize(
    ("more", "sender"),
    [
        (("Auto-Submitted: auto-replied",), None),
        (("Precedence: bulk",), None),
        (("X-Autoreply: yes",), None),
        ((), ""),
    ],
)
def test_a_programs_answer_decides_nothing_and_gets_none(firm, held, more, sender):
    before = len(firm.members.got)
    assert answer(firm, ALICE, "accept\r\n", *more, sender=sender) == [250]
    assert decided(firm, held) == ("held", None)
    assert len(firm.members.got) == before
    assert not Message.objects.filter(direction="in", subject__contains="waits for").exists()


def test_an_unclear_answer_is_asked_back_three_times_at_most_and_can_be_answered_again(firm, held):
    for turn in range(5):
        before = len(firm.members.got)
        answer(firm, ALICE, f"What is it about, the {turn}. time?\r\n")
        assert len(firm.members.got) - before == (1 if turn < 3 else 0)
    assert decided(firm, held) == ("held", None)
    assert "nothing was done" in notice_to(firm, ALICE)[1]
    assert answer(firm, ALICE, "reject\r\n") == [250]
    assert decided(firm, held) == ("dropped", ALICE)
    assert not any(one.to.startswith("member") for one in firm.members.got)


def test_a_token_is_good_for_nobody_and_nothing_else(firm, held):
    to = notice_to(firm, ALICE)[0].header("Reply-To")
    local, _, host = to.partition("@")
    forged = f"{local[:-1]}{'a' if local[-1] != 'a' else 'b'}@{host}"
    bounce = notice_to(firm, ALICE)[0].mail_from.replace("b-", "d-")
    for address in (forged, bounce):
        assert firm.send(mail(ALICE, address, subject="accept"), address, sender=ALICE)[0][0] == 550
    as_bounce = to.replace("d-", "b-")
    assert firm.send(mail(ALICE, as_bounce, subject="accept"), as_bounce, sender=ALICE)[0][0] == 550
    GroupPerson.objects.filter(group=held, user=firm.cast.alice.user).delete()
    membership = firm.cast.bob.user.memberships.get()
    membership.is_active = False
    membership.save()
    try:
        answer(firm, BOB, "accept\r\n")  # works here no longer
        assert decided(firm, held) == ("held", None)
    finally:
        membership.is_active = True
        membership.save()


def test_where_there_is_no_bounce_host_the_answer_is_found_in_the_polled_mailbox(firm):
    workspace = firm.account.workspace
    workspace.bounce_host = ""
    workspace.save()
    try:
        groups = [firm.group(*firm.people(1), who_may_post="approved") for _ in range(2)]
        for group, plus_tag in zip(groups, (True, False), strict=True):
            firm.account.plus_tag = plus_tag
            firm.account.save()
            firm.send(mail(to=str(group), subject=f"plus {plus_tag}"), group)
            firm.settled()
            notice, _ = notice_to(firm, ALICE)
            address, subject = notice.header("Reply-To"), notice.header("Subject")
            assert ("+" in address) == plus_tag
            assert ("[" in subject) == (not plus_tag)
            box, _ = Collector.objects.get_or_create(account=firm.account)
            reply = f"Return-Path: <{ALICE}>\r\n".encode() + mail(
                ALICE, address, subject=f"Re: {subject}", body="accept\r\n"
            )
            events_process(event_store_imap(collector=box, uidvalidity=1, items=[(int(plus_tag) + 1, reply)]))
            assert decided(firm, group) == ("sent", ALICE)
        firm.settled()
    finally:
        workspace.bounce_host = HOST
        workspace.save()
        firm.account.plus_tag = False
        firm.account.save()


def test_in_a_mailbox_that_is_read_as_a_whole_the_answer_decides_and_is_no_letter(firm):
    workspace = firm.account.workspace
    workspace.bounce_host = ""
    workspace.save()
    try:
        group = firm.group(*firm.people(1), who_may_post="approved")
        firm.send(mail(to=str(group)), group)
        firm.settled()
        notice, _ = notice_to(firm, ALICE)
        tag = notice.header("Subject").rpartition(" ")[2]
        raw = mail(ALICE, notice.header("Reply-To"), subject=f"reject {tag}", body="")
        box, _ = Collector.objects.get_or_create(account=firm.account)
        got = Mail(uid=901, raw=raw, received_at=timezone.now(), flags=frozenset())
        mails_store(folder=box, uidvalidity=1, looked=mails_look([got]), blobs=mails_write([got]))
        assert decided(firm, group) == ("dropped", ALICE)
        assert not Message.objects.filter(direction="in", subject__startswith="reject").exists()
    finally:
        workspace.bounce_host = HOST
        workspace.save()


def test_a_copy_of_the_answer_in_somebody_elses_mailbox_decides_nothing(firm, held):
    from postroom.models.account import Account

    other = Account.objects.create(workspace=firm.account.workspace, name="Bob", address="bob@other.example")
    box = Collector.objects.create(account=other)
    to = notice_to(firm, ALICE)[0].header("Reply-To")
    copy = f"Return-Path: <{ALICE}>\r\n".encode() + mail(ALICE, f"{to}, {other.address}", subject="accept")
    events_process(event_store_imap(collector=box, uidvalidity=1, items=[(1, copy)]))
    assert decided(firm, held) == ("held", None)
    posting_moderate(viewer=firm.cast.alice, group_id=held.id, posting_id=firm.posted(held)[0].id, send=False)
    assert not Delivery.objects.filter(message__posting__group=held, state="accepted").exists()
    other.deleted_at = other.created_at
    other.save()
