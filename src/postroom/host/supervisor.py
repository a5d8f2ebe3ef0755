"""Keeping the parts of `postroom serve` running: each a process of its own, started again when it ends."""

import logging
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from postroom.host import child
from postroom.host.account import Account
from postroom.host.postgres import Cluster

log = logging.getLogger("postroom.serve")

#: A part that ends is started again after so many seconds, longer each time; a good minute starts the count anew.
PAUSES = (0.5, 1, 2, 4, 8, 15, 30)
GOOD_SECONDS = 60.0
#: A part gets so long to finish what it has in hand: a mini-batch and its recording.
STOP_SECONDS = 20.0
TICK_SECONDS = 0.1


@dataclass
class Part:
    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0
    failures: int = 0
    due: float = field(default=0)


class Supervisor:
    """Use from the main thread. `stop` may be called from a signal handler."""

    def __init__(
        self,
        parts: Sequence[Part],
        *,
        cluster: Cluster | None,
        account: Account | None,
        env: Mapping[str, str],
    ) -> None:
        self.parts = list(parts)
        self.cluster = cluster
        self._account = account
        self._env = env
        self._ended = threading.Event()

    def stop(self) -> None:
        self._ended.set()

    def start(self) -> None:
        for part in self.parts:
            self._launch(part)

    def run(self) -> None:
        """Watch until `stop`; then end the parts and the database, in this order."""
        try:
            while not self._ended.wait(TICK_SECONDS):
                if self.cluster is not None:
                    self.cluster.watch()
                for part in self.parts:
                    self._look(part)
        finally:
            self.end()

    def end(self) -> None:
        alive = [part for part in self.parts if part.process is not None and part.process.poll() is None]
        for part in alive:
            assert part.process is not None
            part.process.send_signal(signal.SIGTERM)
        until = time.monotonic() + STOP_SECONDS
        for part in alive:
            assert part.process is not None
            try:
                part.process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.warning("%s does not stop and is killed.", part.name)
                part.process.kill()
                part.process.wait()
        if self.cluster is not None:
            self.cluster.stop()

    def _look(self, part: Part) -> None:
        now = time.monotonic()
        if part.process is None:
            if now >= part.due:
                self._launch(part)
            return
        code = part.process.poll()
        if code is None:
            return
        part.failures = 0 if now - part.started > GOOD_SECONDS else part.failures + 1
        pause = PAUSES[min(max(part.failures - 1, 0), len(PAUSES) - 1)]
        part.process, part.due = None, now + pause
        how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
        log.warning("%s %s; starting it again in %s s.", part.name, how, pause)

    def _launch(self, part: Part) -> None:
        part.started = time.monotonic()
        part.process = child.start(
            part.command, account=self._account, end=signal.SIGKILL, env=self._env, cwd="/"
        )
        log.info("%s started as process %s.", part.name, part.process.pid)
