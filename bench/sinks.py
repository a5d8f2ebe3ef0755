"""Postfix's own smtp-sink and smtp-source, from the root that scripts/roots.py unpacks."""

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from postroom.testing.rooted import mail_root


class Tools:
    def __init__(self) -> None:
        root = mail_root()
        self._bin = root / "usr" / "sbin"
        libraries = [root / "usr/lib/postfix", root / "usr/lib/x86_64-linux-gnu"]
        self._env = {**os.environ, "LD_LIBRARY_PATH": ":".join(map(str, libraries))}

    @contextmanager
    def sink(self, folder: Path) -> Iterator["Sink"]:
        """smtp-sink -c on a free port of 127.0.0.1."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        counter = folder / f"sink-{port}"
        with counter.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603
                [str(self._bin / "smtp-sink"), *_as_nobody(), "-c", f"127.0.0.1:{port}", "1000"],
                env=self._env,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )
        try:
            until = time.monotonic() + 10
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    if time.monotonic() > until:
                        raise
                    time.sleep(0.05)
            yield Sink(port, counter)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(10)

    def source(self, port: int, *, messages: int, size: int, connections: int) -> float:
        """Messages a second of `smtp-source -d`."""
        begun = time.perf_counter()
        subprocess.run(  # noqa: S603
            [
                str(self._bin / "smtp-source"),
                *("-d", "-s", str(connections), "-m", str(messages), "-l", str(size)),
                *("-f", "from@bench.example", "-t", "to@bench.example", f"127.0.0.1:{port}"),
            ],
            env=self._env,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        return messages / (time.perf_counter() - begun)


def _as_nobody() -> list[str]:
    """As root it asks for an account to become."""
    return ["-u", "nobody"] if os.geteuid() == 0 else []


class Sink:
    """port; messages: how many final dots it has answered."""

    def __init__(self, port: int, counter: Path) -> None:
        self.port = port
        self._counter = counter

    @property
    def messages(self) -> int:
        found = re.findall(rb"mesg=(\d+)", self._counter.read_bytes()[-4096:])
        return int(found[-1]) if found else 0
