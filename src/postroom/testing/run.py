"""Running daemons as processes of their own in tests and benches, and waiting for what they do."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


def start(
    command: str, *more: str, env: Mapping[str, str], log: Path | None = None
) -> "subprocess.Popen[bytes]":
    """`postroom COMMAND` as a child in a session of its own."""
    output = log.open("ab") if log else subprocess.DEVNULL
    try:
        return subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "postroom.cli.main", command, *more],
            env={**env},
            stdout=output,
            stderr=subprocess.STDOUT if log else subprocess.DEVNULL,
            start_new_session=True,
        )
    finally:
        if log:
            output.close()  # type: ignore[union-attr]


def kill(process: "subprocess.Popen[bytes]") -> None:
    """kill -9."""
    os.kill(process.pid, signal.SIGKILL)
    process.wait(10)


def end(process: "subprocess.Popen[bytes]", *, wait_s: float = 30) -> int:
    """SIGTERM and the exit code; killed after `wait_s`."""
    if process.poll() is None:
        process.terminate()
    try:
        return process.wait(wait_s)
    except subprocess.TimeoutExpired:
        kill(process)
        return process.returncode


@contextmanager
def running(
    command: str, *more: str, env: Mapping[str, str], log: Path | None = None
) -> Iterator["subprocess.Popen[bytes]"]:
    """The command runs while the block does."""
    process = start(command, *more, env=env, log=log)
    try:
        yield process
    finally:
        end(process)


def until(true: Callable[[], object], *, wait_s: float = 30.0, step_s: float = 0.05) -> None:
    """Wait until it is true. AssertionError after `wait_s`."""
    deadline = time.monotonic() + wait_s
    while not true():
        assert time.monotonic() < deadline, f"not so after {wait_s:.0f} s"
        time.sleep(step_s)
