"""Between asyncio and the database: actions run in threads, each thread with a connection of its own.

A database that is away (restart, `kill -9` of the postmaster) is waited for: every action called here is either a read
or guarded by epoch and step, so it may be tried again.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import psycopg
from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections, connection

log = logging.getLogger("postroom.bridge")

T = TypeVar("T")

AWAY = (OperationalError, InterfaceError)


class Bridge:
    """A few threads for actions and queries."""

    def __init__(self, threads: int = 6) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="db")
        self.closing = False

    async def call(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """The function's result, from a thread. Waits while the database is away; raises what else it raises.

        After `closing` is set, an absent database is given three seconds.
        """
        loop = asyncio.get_running_loop()
        pause, waited = 0.1, 0.0
        while True:
            try:
                return await loop.run_in_executor(self._pool, lambda: _in_thread(function, args, kwargs))
            except AWAY as error:
                if self.closing and waited > 3:
                    raise
                if waited == 0:
                    log.warning("the database is away: %s", str(error).splitlines()[0] if str(error) else "")
            await asyncio.sleep(pause)
            waited += pause
            pause = min(pause * 1.5, 1.0)

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)


def _in_thread(function: Callable[..., T], args: Sequence[Any], kwargs: dict[str, Any]) -> T:
    close_old_connections()
    try:
        return function(*args, **kwargs)
    except AWAY:
        connection.close()
        raise


def conninfo() -> str:
    """The address of the database Django uses, for a connection beside Django's."""
    return psycopg.conninfo.make_conninfo(
        settings.POSTROOM_DATABASE_URL, dbname=str(connection.settings_dict["NAME"])
    )


async def listen(channels: Sequence[str]) -> AsyncIterator[tuple[str, str]]:
    """(channel, payload) of each NOTIFY, for ever; ("", "") after each connection: some may have been missed."""
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(conninfo(), autocommit=True) as link:
                for channel in channels:
                    await link.execute(f"LISTEN {channel}")
                yield "", ""
                async for note in link.notifies():
                    yield note.channel, note.payload
        except psycopg.Error:
            await asyncio.sleep(0.5)
