"""`postroom serve`: everything on one machine, under one supervisor."""

import argparse
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from typing import Any

import psycopg

from postroom.cli import boot
from postroom.conf import keys, log, place
from postroom.errors import HostError
from postroom.host import account as accounts
from postroom.host.account import Account
from postroom.host.postgres import Cluster, refuse_second
from postroom.host.supervisor import Part, Supervisor

logger = logging.getLogger("postroom.serve")
POSTROOM = (sys.executable, "-m", "postroom.cli.main")


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "serve",
        help="Serve everything on this machine: pages, daemons and, by default, the database.",
        description="Serve everything on this machine until SIGTERM or Ctrl-C. Settings: docs/settings.md.",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    log.setup("serve")
    ended = threading.Event()
    for sig in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sig, lambda *_: ended.set())
    settings = boot.settings()
    account = accounts.needed(_say)
    refuse_second(place.cluster())
    prepare_data(account)
    check_ports(settings, account)
    cluster = start_cluster()
    try:
        make_keys(account)
        child_account = code_account(account)
        child_env = environment()
        told = migrate(child_account, child_env)
    except BaseException:
        if cluster is not None:
            cluster.stop()
        raise
    supervisor = Supervisor(parts(settings), cluster=cluster, account=child_account, env=child_env)
    for sig in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sig, lambda *_: supervisor.stop())
    if ended.is_set():
        supervisor.stop()
    else:
        supervisor.start()
        threading.Thread(target=_greet, args=(settings, told["setup_code"]), daemon=True).start()
    supervisor.run()
    _say("Stopped.")
    return 0


def prepare_data(account: Account | None) -> None:
    """Make the data folder. As root, a foreign folder that holds something else is never taken over."""
    data = place.data()
    ours = (
        not data.exists() or not any(data.iterdir()) or place.cluster().exists() or place.key_file().exists()
    )
    if not ours:
        raise HostError(f"{data} holds other things. Choose an empty or a new folder with POSTROOM_DATA.")
    accounts.own_folder(data, account)
    accounts.own_folder(place.objects(), account)


def check_ports(settings: Any, account: Account | None) -> None:
    """Say now what would otherwise end a child again and again."""
    for name in ("POSTROOM_LISTEN", "POSTROOM_INGRESS_LISTEN", "POSTROOM_INGRESS_LMTP"):
        address = getattr(settings, name)
        if address is None or address[1] == 0:  # 0: a Unix socket
            continue
        host, port = address
        if account is not None and port < 1024:
            raise HostError(
                f"{name}={host}:{port}: ports below 1024 are not open to the account {account.name}. Put a proxy"
                " or the mail server in front (docs/recipes), or use systemd with CAP_NET_BIND_SERVICE."
            )
        try:
            family, kind, *_, found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            with socket.socket(family, kind) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(found)
        except OSError as error:
            raise HostError(
                f"{host}:{port} cannot be listened on: {error.strerror}. Another program may use it,"
                f" perhaps another Postroom. Choose another with {name}."
            ) from error


def start_cluster() -> Cluster | None:
    """The embedded server, started; None when POSTROOM_DATABASE_URL names one."""
    if not place.is_embedded():
        return None
    read, write = os.pipe()
    threading.Thread(target=_copy_log, args=(read,), daemon=True).start()
    cluster = Cluster(place.cluster(), pg_bin=place.pg_bin(), output=write, say=_say)
    cluster.start()
    return cluster


def make_keys(account: Account | None) -> None:
    """Write the key file for a new installation; where there is data already, a missing one is an error."""
    path = place.key_file()
    if not path.exists() and not _has_tables():
        keys.create(path)
        if account is not None:
            os.chown(path, account.uid, account.gid)
    keys.current()
    if account is not None and not accounts.can(account, "-r", path):
        raise HostError(
            f"The key file {path} cannot be read by {account.name}. Run: chown {account.name} {path}"
        )


def _has_tables() -> bool:
    with psycopg.connect(place.database_url(), connect_timeout=10) as connection:
        row = connection.execute("SELECT to_regclass('django_migrations')").fetchone()
    return row is not None and row[0] is not None


def code_account(account: Account | None) -> Account | None:
    """The account for the Python children: root's children drop to it if it can read the code at all."""
    if account is None:
        return None
    if can_run_code(account):
        return account
    _say(
        f"The program lies where the account {account.name} cannot read it, so the daemons run as root."
        " Install it elsewhere to change that; `postroom doctor` says more."
    )
    return None


def can_run_code(account: Account) -> bool:
    """Tried, not guessed: Python itself may lie below a folder that the account cannot search."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", "import postroom.conf.place, granian"],
            user=account.uid,
            group=account.gid,
            extra_groups=[],
            env=environment(),
            cwd="/",
            capture_output=True,
        )
    except OSError:
        return False
    return done.returncode == 0


def environment() -> dict[str, str]:
    """For the children: what depends on who and where we are is written out."""
    found = {name: value for name, value in os.environ.items() if not name.endswith("_URL_FILE")}
    found["POSTROOM_DATA"] = str(place.data())
    found["POSTROOM_KEY_FILE"] = str(place.key_file())
    if not place.is_embedded():
        found["POSTROOM_DATABASE_URL"] = place.database_url()
    return found


def migrate(account: Account | None, child_env: dict[str, str]) -> dict[str, Any]:
    """In a child, so that the supervisor stays small and root touches no table."""
    done = subprocess.run(  # noqa: S603
        [*POSTROOM, "migrate", "--json"],
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        env=child_env,
        cwd="/",
        stdout=subprocess.PIPE,
    )
    if done.returncode:
        raise HostError("The database could not be brought to this version; the reason is above.")
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def parts(settings: Any) -> list[Part]:
    deliveries = settings.POSTROOM_DELIVERY_PROCESSES or os.cpu_count() or 1
    names = ["web"] if settings.POSTROOM_LISTEN else []
    names += ["worker", "sync"]
    names += ["ingress"] if settings.POSTROOM_INGRESS_LISTEN or settings.POSTROOM_INGRESS_LMTP else []
    made = [Part(name, [*POSTROOM, name]) for name in names]
    made += [Part(f"delivery {n}", [*POSTROOM, "delivery"]) for n in range(1, deliveries + 1)]
    return made


def local_url(settings: Any) -> str:
    """Where a person at this machine finds the pages. Passkeys refuse an IP, hence localhost."""
    if os.environ.get("POSTROOM_URL") or settings.POSTROOM_LISTEN is None:
        return str(settings.POSTROOM_URL)
    host, port = settings.POSTROOM_LISTEN
    return f"http://{'localhost' if host in {'127.0.0.1', '0.0.0.0', '::', '::1'} else host}:{port}"  # noqa: S104


def _greet(settings: Any, setup_code: str) -> None:
    """Wait until the pages answer, then say where they are. The link goes to stdout, never into the log."""
    if settings.POSTROOM_LISTEN is None:
        return
    host, port = settings.POSTROOM_LISTEN
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    while True:
        try:
            socket.create_connection((host, port), 1).close()
            break
        except OSError:
            time.sleep(0.1)
    url = local_url(settings)
    print(f"Postroom is at {url}", flush=True)
    if setup_code:
        print(f"Set it up: {url}/setup/?code={setup_code}", flush=True)


def _copy_log(pipe: int) -> None:
    server = logging.getLogger("postgres")
    with open(pipe, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            server.info(line.rstrip())


def _say(words: str) -> None:
    logger.info(words)
