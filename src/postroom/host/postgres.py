"""The embedded PostgreSQL: one cluster in the data folder, one postmaster that we start, watch and stop.

One supervisor a cluster (a lock file tells), the postmaster dies with it (the kernel tells), and a postmaster
that was killed is started again. As root everything runs as the unprivileged account. Only a Unix socket in a
folder of mode 0700 is listened on, so whoever may enter that folder is trusted.
"""

import contextlib
import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

import psycopg

from postroom.conf import place
from postroom.errors import HostError
from postroom.host import account as accounts
from postroom.host import child, pgbin

#: For one machine that also runs the program itself; all may be overridden by `options`.
OPTIONS: dict[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "wal_buffers": "16MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "synchronous_commit": "on",
    "random_page_cost": "1.1",
    "jit": "off",
    "log_min_messages": "fatal",  # statements with people's data never reach the log
    "log_min_error_statement": "panic",
    "log_line_prefix": "",
    "timezone": "UTC",
}


def _quiet(_: str) -> None:
    pass


class Cluster:
    """The embedded server on the folder `home`. Use from the main thread of one process."""

    def __init__(
        self,
        home: Path,
        *,
        pg_bin: Path | None = None,
        options: Mapping[str, str] | None = None,
        output: int | IO[bytes] | None = None,
        say: Callable[[str], None] = _quiet,
    ) -> None:
        """home: everything of the cluster lies below; made if absent.
        output: takes what the server writes; None = our own stderr.
        """
        self.home = home
        self.data = home / "data"
        self.sockets = place.socket_folder(home)
        self.url = place.embedded_url(home)
        self.process: subprocess.Popen[bytes] | None = None
        self._pg_bin = pg_bin
        self._options = {**OPTIONS, **(options or {})}
        self._output = output
        self._say = say
        self._lock: IO[str] | None = None
        self._account: accounts.Account | None = None
        self._programs: pgbin.Programs | None = None

    def start(self, timeout: float = 60) -> None:
        """Take the cluster, make it if absent, and return when it answers.

        Raises HostError when it is in use, of another version, or cannot start.
        """
        self._account = accounts.needed(self._say)
        accounts.own_folder(self.home, self._account)
        self._take()
        try:
            self._programs = pgbin.given(self._pg_bin) if self._pg_bin else pgbin.copied(self.home)
            self._check_version(self._programs)
            accounts.own_folder(self.sockets, self._account, shared_parent=self.sockets.parent != self.home)
            if not (self.data / "PG_VERSION").exists():
                self._make()
            self._end_orphan()
            self._launch(timeout)
            self._make_database()
        except BaseException:
            self.stop()
            raise

    def watch(self, timeout: float = 60) -> bool:
        """Start the postmaster again if it is gone; True when it had to be. Call about once a second."""
        if self.process is None or self.process.poll() is None:
            return False
        self._say("The database server ended by itself; starting it again.")
        _end_backends(self.data)
        self._launch(timeout)
        return True

    def stop(self, timeout: float = 30) -> None:
        """Stop the server cleanly and let the cluster go. Harmless when not started."""
        if self.process is not None:
            for sig in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
                if self.process.poll() is None:
                    self.process.send_signal(sig)
                try:
                    self.process.wait(timeout)
                    break
                except subprocess.TimeoutExpired:
                    self._say(f"The database server does not stop on {sig.name}.")
            self.process = None
        if self._lock is not None:
            if self.sockets.parent != self.home:
                with contextlib.suppress(OSError):
                    self.sockets.rmdir()
            self._lock.close()
            self._lock = None

    def _take(self) -> None:
        try:
            lock = open(self.home / "lock", "a+", encoding="ascii")  # noqa: SIM115
        except OSError as error:
            raise HostError(f"{self.home / 'lock'} cannot be opened: {error.strerror}.") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.close()
            refuse_second(self.home)
            raise HostError(f"{self.home / 'lock'} cannot be locked: {error.strerror}.") from error
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        self._lock = lock

    def _check_version(self, programs: pgbin.Programs) -> None:
        try:
            found = (self.data / "PG_VERSION").read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return
        if found != str(programs.major):
            raise HostError(
                f"The data in {self.data} belongs to PostgreSQL {found}; here is {programs.major}."
                " Nothing was changed. Run `postroom backup` with the version that served it before, move the"
                " folder away, and run `postroom restore` with this one."
            )

    def _run(self, *command: str | Path) -> None:
        """Run a program of PostgreSQL as the account; raises HostError with its last words."""
        who = self._account
        done = subprocess.run(  # noqa: S603
            [str(part) for part in command],
            capture_output=True,
            text=True,
            user=who.uid if who else None,
            group=who.gid if who else None,
            extra_groups=[] if who else None,
            cwd="/",
            env=_plain_environment(),
        )
        if done.returncode:
            words = (done.stderr or done.stdout).strip()[-600:]
            raise HostError(f"{Path(command[0]).name} failed: {words}")

    def _make(self) -> None:
        assert self._programs is not None
        self._say(f"Making the database in {self.data}.")
        if self.data.exists() and any(self.data.iterdir()):
            raise HostError(f"{self.data} is not empty and is no database. Move it away.")
        locale = (
            ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C.UTF-8"]
            if self._programs.major >= 17
            else ["--locale=C.UTF-8"]
        )
        self._run(
            *(self._programs["initdb"], "--pgdata", self.data, "--username=postroom", "--auth=trust"),
            *("--encoding=UTF8", *locale),
            *(["--no-sync"] if self._options.get("fsync") == "off" else []),
        )

    def _end_orphan(self) -> None:
        """We hold the lock, so a postmaster that still runs here has lost its supervisor: let it end."""
        for tries in range(300):
            pid = _postmaster(self.data)
            if pid is None:
                _end_backends(self.data)
                return
            if tries == 30:  # 3 s: where the kernel does not end it (not Linux), we do
                os.kill(pid, signal.SIGINT)
            time.sleep(0.1)
        raise HostError(f"An old database server (process {pid}) still runs on {self.data}. Stop it.")

    def _launch(self, timeout: float) -> None:
        """Start and wait. After a kill, backends of the old postmaster may still be ending: try on."""
        assert self._programs is not None
        until = time.monotonic() + timeout
        settings = [f"--{name}={value}" for name, value in self._options.items()]
        while True:
            self.process = child.start(
                [self._programs["postgres"], "-D", self.data, "-k", self.sockets, *settings],
                account=self._account,
                end=signal.SIGINT,
                env=_plain_environment(),
                cwd="/",
                output=self._output,
            )
            while self.process.poll() is None:
                if self._answers():
                    return
                if time.monotonic() > until:
                    raise HostError(f"The database server in {self.data} does not answer. See its log above.")
                time.sleep(0.02)
            if time.monotonic() > until or self.process.returncode in {127, 126}:
                raise HostError(f"The database server in {self.data} does not start. See its log above.")
            time.sleep(0.2)

    def _answers(self) -> bool:
        """The server writes its state into the pid file; asking it by connecting would fill the log."""
        assert self.process is not None
        try:
            lines = (self.data / "postmaster.pid").read_text(encoding="utf-8").split("\n")
        except OSError:
            return False
        return len(lines) > 7 and lines[0] == str(self.process.pid) and lines[7].strip() == "ready"

    def _make_database(self) -> None:
        with psycopg.connect(self.url.replace("/postroom?", "/postgres?"), autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'postroom'").fetchone():
                connection.execute("CREATE DATABASE postroom")


def _plain_environment() -> dict[str, str]:
    """PG* variables of the caller must not steer our server."""
    return {k: v for k, v in os.environ.items() if not k.startswith("PG") and k != "LD_LIBRARY_PATH"}


def _postmaster(data: Path) -> int | None:
    """The living postmaster of this cluster that is not our child, by its pid file."""
    try:
        pid = int((data / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0])
        os.kill(pid, 0)
        words = Path(f"/proc/{pid}/cmdline").read_bytes() if Path("/proc/self").exists() else b"postgres"
    except (FileNotFoundError, ProcessLookupError, PermissionError, ValueError):
        return None
    return pid if b"postgres" in words else None


def _end_backends(data: Path) -> None:
    """End what a dead postmaster left. Idle backends go by themselves; a busy one would first finish its query,
    and no new server starts before. Only where /proc tells who works in `data`."""
    where = os.path.realpath(data)
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(folder / "cwd") == where and (folder / "comm").read_text().startswith("postgres"):
                os.kill(int(folder.name), signal.SIGKILL)
        except OSError:
            continue


def refuse_second(home: Path) -> None:
    """Raises HostError when somebody holds the cluster."""
    pid = served_by(home)
    if pid is not None:
        raise HostError(
            f"Another Postroom (process {pid}) already serves the data in {home.parent}."
            " Stop it first, or choose another folder with POSTROOM_DATA."
        )


def served_by(home: Path) -> int | None:
    """The process that holds the cluster in `home` now; None when nobody does, 0 when its number is not known."""
    try:
        with open(home / "lock", encoding="ascii") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(lock.read().strip() or 0)
    except (OSError, ValueError):
        return None
    return None
