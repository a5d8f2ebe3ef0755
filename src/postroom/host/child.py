"""Starting a process that never outlives us."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from postroom.host.account import Account

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(sig: signal.Signals, parent: int) -> None:
    """Have the kernel send us `sig` when process `parent` ends; at once if it already has. Linux only."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(sig), 0, 0, 0)
        if os.getppid() != parent:
            os.kill(os.getpid(), sig)


def start(
    command: Sequence[str | Path],
    *,
    account: Account | None = None,
    end: signal.Signals = signal.SIGTERM,
    env: Mapping[str, str] | None = None,
    cwd: Path | str | None = None,
    output: int | IO[bytes] | None = None,
) -> subprocess.Popen[bytes]:
    """Start `command` as `account`; it gets the signal `end` when we die, however we die.

    Call from the main thread: the kernel watches the thread. The account is changed before the death signal
    is set, since a change of user clears it. The child leads a process group of its own, so that Ctrl-C
    reaches us only.
    """
    return subprocess.Popen(  # noqa: S603
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        env=dict(env) if env is not None else None,
        cwd=cwd,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        process_group=0,
        preexec_fn=_before(end, os.getpid()),
    )


def _before(end: signal.Signals, parent: int) -> Callable[[], None]:
    def run() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        die_with_parent(end, parent)

    return run
