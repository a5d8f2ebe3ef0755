"""When a changed option begins to hold (EG-18): between two mails, never within one, whatever waits meanwhile."""

import itertools
import threading
import time

import pytest
from django.db import connection, transaction

from postroom.actions.group import group_save
from postroom.actions.moderation import posting_moderate
from postroom.models.group import Group
from postroom.testing.posting import mail
from postroom.testing.run import until

pytestmark = pytest.mark.django_db


class Flow:
    """People who write to a group without a pause. sent: (subject, when it was begun, when the 250 came)."""

    def __init__(self, firm, group, writers: int = 3) -> None:
        self.sent: list[tuple[str, float, float]] = []
        self._firm, self._group = firm, group
        self._end = threading.Event()
        self._numbers = itertools.count()
        self._threads = [threading.Thread(target=self._write) for _ in range(writers)]

    def _write(self) -> None:
        while not self._end.is_set():
            subject = f"flow {next(self._numbers)}"
            author = f"{subject.replace(' ', '')}@outside.example"
            begun = time.monotonic()
            ((code, _),) = self._firm.send(
                mail(author, str(self._group), subject=subject), self._group, sender=author
            )
            assert code == 250
            self.sent.append((subject, begun, time.monotonic()))

    def __enter__(self) -> "Flow":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join(30)

    def more(self, count: int) -> None:
        wanted = len(self.sent) + count
        until(lambda: len(self.sent) >= wanted)


@pytest.mark.req("EG-18")
def test_an_option_changed_while_mail_flows_holds_from_the_next_accepted_mail_on(firm):
    member = firm.people(1)[0]
    group = firm.group(member)
    with Flow(firm, group) as flow:
        flow.more(15)
        begun = time.monotonic()
        group_save(viewer=firm.cast.alice, group_id=group.id, set_reply_to=False)
        done = time.monotonic()
        flow.more(15)
    firm.settled()
    postings = firm.posted(group)
    by_new = [not one.options["set_reply_to"] for one in postings]
    assert by_new == sorted(by_new), "a mail accepted after the save was taken by the old settings"
    new = {one.subject for one, is_new in zip(postings, by_new, strict=True) if is_new}
    before = {subject for subject, _, taken in flow.sent if taken < begun}
    after = {subject for subject, started, _ in flow.sent if started > done}
    assert len(before) >= 15
    assert len(after) >= 10
    assert not before & new
    assert after <= new
    assert len(firm.members.got) == len(flow.sent)
    for copy in firm.members.got:
        assert bool(copy.header("Reply-To")) == (copy.header("Subject") not in new)


@pytest.mark.req("EG-18")
def test_a_save_that_overtakes_a_mail_before_its_250_holds_for_it(firm):
    """The rules were asked with the old settings; the save is through first."""
    member = firm.people(1)[0]
    group = firm.group(member)
    found = []
    raw = mail(to=str(group))
    sending = threading.Thread(target=lambda: found.extend(firm.send(raw, group)))
    with transaction.atomic():
        Group.objects.select_for_update().get(id=group.id)
        sending.start()
        time.sleep(0.7)
        assert found == []
        group_save(viewer=firm.cast.alice, group_id=group.id, set_reply_to=False, real_name="Sales")
    sending.join(30)
    assert [code for code, _ in found] == [250]
    firm.settled()
    (posting,) = firm.posted(group)
    assert (posting.options["set_reply_to"], posting.options["real_name"]) == (False, "Sales")
    (copy,) = firm.members.to(member)
    assert copy.header("Reply-To") == ""
    group_save(viewer=firm.cast.alice, group_id=group.id, set_reply_to=True)
    sending = threading.Thread(target=lambda: found.extend(firm.send(mail(to=str(group), number=2), group)))
    with transaction.atomic():
        Group.objects.select_for_update().get(id=group.id)
        sending.start()
        time.sleep(0.7)
        group_save(viewer=firm.cast.alice, group_id=group.id, email_disabled=True)
    sending.join(30)
    assert found[1] == (550, "5.2.1 group not accepting mail")


@pytest.mark.req("EG-18")
def test_what_was_accepted_before_goes_on_by_the_old_settings_however_late(firm):
    one, two = firm.people(2)
    group = firm.group(one, two, real_name="Old name")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE postroom_message IN SHARE MODE")  # nothing goes on to members meanwhile
        assert firm.send(mail(one, str(group), number=1), group, sender=one)[0][0] == 250
        time.sleep(
            0.7
        )  # the first is being sent on, and waits; the second waits behind it, not looked at yet
        assert firm.send(mail(one, str(group), number=2), group, sender=one)[0][0] == 250
        saved = threading.Thread(
            target=lambda: (_save(firm, group, set_reply_to=False, remove_author=False), connection.close())
        )
        saved.start()
        saved.join(30)
        assert [posting.state for posting in firm.posted(group)] == ["taken", "taken"]
    firm.settled()
    group.refresh_from_db()
    assert group.set_reply_to is False
    assert firm.members.addresses == [two, two]
    assert {copy.header("Reply-To") for copy in firm.members.got} == {f"Old name <{group}>"}
    firm.send(mail(one, str(group), number=3), group, sender=one)
    firm.settled()
    assert firm.members.addresses == sorted([one, two, two, two])
    assert firm.members.got[-1].header("Reply-To") == ""


def _save(firm, group, **values) -> None:
    group_save(viewer=firm.cast.alice, group_id=group.id, real_name="New name", **values)


@pytest.mark.req("EG-18")
def test_copies_that_wait_for_a_moderator_leave_as_they_were_queued(firm):
    member = firm.people(1)[0]
    group = firm.group(member, who_may_post="approved")
    firm.send(mail(to=str(group)), group)
    firm.settled()
    (posting,) = firm.posted(group)
    group_save(
        viewer=firm.cast.alice,
        group_id=group.id,
        set_reply_to=False,
        email_disabled=True,
        who_may_post="named",
    )
    posting_moderate(viewer=firm.cast.alice, group_id=group.id, posting_id=posting.id, send=True)
    firm.settled()
    (copy,) = firm.members.to(member)
    assert copy.header("Reply-To") == f"{group}, anna@outside.example"
    assert firm.send(mail(to=str(group), number=2), group)[0] == (550, "5.2.1 group not accepting mail")
