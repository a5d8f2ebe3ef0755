"""A recipient that nobody here has is refused, and the log of the domain's workspace says so."""

import asyncio

import pytest
from django.db import connections

from postroom.daemons.ingress.desk import Desk, Inbox
from postroom.models.event import LogLine
from postroom.testing.cast import make_cast

pytestmark = pytest.mark.django_db(transaction=True)


def test_refused_recipients_are_in_the_log_but_do_not_fill_it():
    cast = make_cast(bounce_host="returns.alderpike.example")
    inbox = Inbox(threads=1)

    async def ask(*addresses):
        desk = Desk("smtp", inbox)
        return [await desk.recipient(address, "") for address in addresses]

    try:
        (reply,) = asyncio.run(ask("Nobody@returns.alderpike.example"))
        assert reply.code == 550
        (line,) = LogLine.objects.all()
        assert (line.workspace_id, line.level, line.stage) == (cast.alice.workspace.id, "warning", "rcpt")
        assert (line.address, line.words[:3]) == ("nobody@returns.alderpike.example", "550")
        asyncio.run(
            ask(*(f"n{number}@returns.alderpike.example" for number in range(40)), "x@elsewhere.example")
        )
        assert LogLine.objects.count() == 31
    finally:
        asyncio.run(_close(inbox))


async def _close(inbox):
    await inbox.in_thread(connections.close_all)
    inbox.close()
