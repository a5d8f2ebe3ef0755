"""A firm with groups: an ingress, a delivery daemon, a server of members and a name server, all real."""

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from psycopg import conninfo

from postroom.models.account import Account
from postroom.models.group import Group, Posting
from postroom.testing.cast import Cast, make_account, make_cast, make_group
from postroom.testing.dns import NameServer, name_server
from postroom.testing.posting import Members, Post, members_server, post, post_at_work
from postroom.testing.run import until

HOST = "returns.alderpike.example"


@dataclass
class Firm:
    """The tests share it: each has groups and people of its own."""

    cast: Cast
    post: Post
    members: Members
    names: NameServer
    account: Account
    #: Of its daemons.
    env: "dict[str, str]"
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def people(self, count: int) -> list[str]:
        return [f"member{next(self.numbers)}@far.example" for _ in range(count)]

    def group(self, *members: "str | Group", **options) -> Group:
        return make_group(self.cast.alice, f"group{next(self.numbers)}", *members, **options)

    def send(self, raw: bytes, *to: "Group | str", sender: str = "anna@outside.example", **more):
        """The deciding replies."""
        return post(self.post.smtp, raw, *map(str, to), sender=sender, **more)

    def settled(self, wait_s: float = 75):
        """Every posting went on, and every copy has an outcome; what a thread left is swept up each minute."""
        asked = (
            "SELECT (SELECT count(*) FROM postroom_posting WHERE state = 'taken')"
            " + (SELECT count(*) FROM postroom_shard WHERE NOT is_done)"
            " + (SELECT count(*) FROM postroom_event WHERE kind = '')"
            " + (SELECT count(*) FROM postroom_postingnews WHERE told_at IS NULL)"
        )

        def is_so() -> bool:
            with connection.cursor() as cursor:
                cursor.execute(asked)
                return cursor.fetchone()[0] == 0

        until(is_so, wait_s=wait_s)

    def posted(self, group: Group) -> list[Posting]:
        return list(Posting.objects.filter(group=group).order_by("id"))


@contextmanager
def firm_at_work(folder) -> "Iterator[Firm]":
    """All of it; the database is emptied afterwards."""
    made = connection.settings_dict
    url = conninfo.make_conninfo(settings.POSTROOM_DATABASE_URL, dbname=made["NAME"])
    cast = make_cast(bounce_host=HOST)
    members = Members(refuse="^refused")
    with members_server(members) as port, name_server() as names:
        account = make_account(cast.alice, port=port)
        cast.alice.workspace.notice_account = account
        cast.alice.workspace.save()
        host, dns = names.address
        env = {**os.environ, "POSTROOM_DATABASE_URL": url}
        more = {"POSTROOM_DNS": f"{host}:{dns}", "POSTROOM_INGRESS_AUTHSERV": "mx.alderpike.example"}
        with post_at_work(env, port, members, folder / "log", **more) as at_work:
            yield Firm(cast, at_work, members, names, account, {**env, **more})
    connection.close()
    call_command("flush", verbosity=0, interactive=False, allow_cascade=False)
