"""The unprivileged account that children run as when the supervisor is root."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from postroom.errors import HostError

NAME = "postroom"


@dataclass(frozen=True)
class Account:
    name: str
    uid: int
    gid: int


def needed(say: Callable[[str], None]) -> Account | None:
    """The account for children of root, made when absent; None when we are not root."""
    if os.geteuid() != 0:
        return None
    found = existing()
    if found is None:
        _make(say)
        found = existing()
    assert found is not None
    return found


def existing() -> Account | None:
    """The account, if it is there."""
    try:
        entry = pwd.getpwnam(NAME)
    except KeyError:
        return None
    return Account(NAME, entry.pw_uid, entry.pw_gid)


def _make(say: Callable[[str], None]) -> None:
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    useradd = shutil.which("useradd", path=path)
    if useradd is None:
        raise HostError(
            f"PostgreSQL does not run as root, and useradd is missing. Make a system account {NAME}."
        )
    say(f"Making the system account {NAME}: the database and the mail processes run as it, not as root.")
    done = subprocess.run(  # noqa: S603
        [
            *(useradd, "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin"),
            *("--home-dir", "/nonexistent", NAME),
        ],
        capture_output=True,
        text=True,
    )
    if done.returncode not in {0, 9}:  # 9: somebody else just made it
        raise HostError(f"The system account {NAME} cannot be made: {done.stderr.strip()}")


def can(account: Account | None, test: str, path: Path) -> bool:
    """May the account do `-r`, `-w` or `-x` on `path`? None asks for ourselves."""
    if account is None:
        return os.access(path, {"-r": os.R_OK, "-w": os.W_OK, "-x": os.X_OK}[test])
    done = subprocess.run(  # noqa: S603
        ["/usr/bin/test", test, str(path)],
        user=account.uid,
        group=account.gid,
        extra_groups=[],
        check=False,
        cwd="/",
    )
    return done.returncode == 0


def own_folder(path: Path, account: Account | None, *, shared_parent: bool = False) -> None:
    """Make the folder if absent, for us alone; as root it is given to the account. Parents are never changed.

    shared_parent: others may write there too, so one that somebody else made is refused.
    """
    ours = {os.geteuid(), account.uid if account else os.geteuid()}
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if shared_parent and (path.is_symlink() or path.stat().st_uid not in ours):
            raise HostError(f"The folder {path} belongs to somebody else. Remove it.")
        if account is not None and path.stat().st_uid != account.uid:
            os.chown(path, account.uid, account.gid)
        if path.stat().st_uid == (account.uid if account else os.geteuid()):
            path.chmod(0o700)
    except OSError as error:
        raise HostError(f"The folder {path} cannot be used: {error.strerror}.") from error
    if not can(account, "-w", path):
        who = account.name if account else "you"
        raise HostError(
            f"The folder {path} cannot be reached or written by {who}."
            " Choose another with POSTROOM_DATA, or change the rights of the folders above it."
        )
