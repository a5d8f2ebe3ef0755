"""A sync daemon in a thread of the test process."""

import threading
import time
from contextlib import contextmanager

from django.db import connections

from postroom.daemons.sync.main import Sync


@contextmanager
def syncing():
    """The daemon at work; when the block ends it is stopped as by SIGTERM."""
    daemon = Sync()
    thread = threading.Thread(target=_work, args=(daemon,), name="sync")
    thread.start()
    try:
        yield daemon
    finally:
        daemon.stop()
        thread.join(20)
        assert not thread.is_alive()


def _work(daemon):
    try:
        daemon.work()
    finally:
        connections.close_all()


def wait_for(found, timeout=20.0):
    """The first true answer of `found()`, or its last one."""
    until = time.monotonic() + timeout
    while not (answer := found()) and time.monotonic() < until:
        time.sleep(0.05)
    return answer
