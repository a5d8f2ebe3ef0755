"""Groups through the real ingress and delivery daemons; the members' server keeps what it gets."""

import re
from dataclasses import dataclass

import pytest
from django.db import connection

from postroom.models.group import Group, GroupMember, Posting
from postroom.testing.cast import Cast, make_account, make_cast, make_group
from postroom.testing.posting import Members, Post, mail, members_server, post, post_at_work
from postroom.testing.run import until

pytestmark = pytest.mark.django_db(transaction=True)

HOST = "returns.alderpike.example"
SALES = "sales@alderpike.example"


@dataclass
class Firm:
    cast: Cast
    post: Post
    members: Members

    def group(self, name, *members, **options) -> Group:
        return make_group(self.cast.alice, name, *members, **options)

    def send(self, raw, *to, sender="anna@outside.example", **more):
        return post(self.post.smtp, raw, *(to or (SALES,)), sender=sender, **more)

    def settled(self, wait_s=30):
        """Every posting went on, and every copy has an outcome."""
        def is_so():
            with connection.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM postroom_posting WHERE state = 'taken'")
                if cursor.fetchone()[0]:
                    return False
                cursor.execute("SELECT count(*) FROM postroom_shard WHERE NOT is_done")
                return cursor.fetchone()[0] == 0
        until(is_so, wait_s=wait_s)


@pytest.fixture
def firm(child_env, tmp_path):
    cast = make_cast(bounce_host=HOST)
    members = Members()
    with members_server(members) as port:
        account = make_account(cast.alice, port=port)
        cast.alice.workspace.notice_account = account
        cast.alice.workspace.save()
        with post_at_work(child_env, port, members, tmp_path / "log") as at_work:
            yield Firm(cast, at_work, members)


@pytest.mark.req("EG-03")
def test_each_member_gets_one_copy_with_its_own_return_path_and_a_loop_is_dropped(firm):
    people = [f"member{n}@far.example" for n in range(5)]
    firm.group("sales", *people, set_reply_to=False)
    raw = mail()
    assert firm.send(raw)[0][0] == 250
    firm.post.wait(5)
    firm.settled()
    assert firm.members.addresses == sorted(people)
    paths = {one.mail_from for one in firm.members.got}
    assert len(paths) == 5 and all(re.fullmatch(rf"b-[a-z2-7]{{20}}@{HOST}", path) for path in paths)
    for one in firm.members.got:
        assert one.raw.endswith(raw)  # the author's octets, untouched, behind our fields
        assert not any(person in one.head.decode() for person in people)
        assert one.header("List-Id") == "<sales.alderpike.example>"
        assert one.header("List-Post") == f"<mailto:{SALES}>"
        assert one.header("Received").startswith("from ")
    looping = firm.members.got[0].raw
    assert firm.send(looping)[0][0] == 250
    firm.settled()
    assert Posting.objects.order_by("-id").first().state == "dropped"
    assert Posting.objects.order_by("-id").first().reason == "loop"
    assert len(firm.members.got) == 5
