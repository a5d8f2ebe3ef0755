"""`postroom demo`: the main job on a throw-away instance, against the practice post office."""

import argparse
import contextlib
import json
import os
import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from postroom.cli import boot, demo_show, serve
from postroom.errors import HostError
from postroom.host import account as accounts
from postroom.host import child

#: The run ends after so long, whatever is still to come.
MOST_SECONDS = 300.0
START_SECONDS = 180.0
BOUNCE_HOST = "returns.practice.example"
CONNECTIONS = 4

#: Of a hundred people, how many carry which tag (practice/behaviour.py).
SHARES = {
    **{"ok": 38, "read": 20, "later": 6, "relayed": 5, "slow": 4, "unknown": 4, "refused": 3, "leave": 3},
    **{"vacation": 3, "expanded": 2, "full": 2, "policy": 2, "reply": 2, "cut": 2},
    **{"swallow": 1, "silence": 1, "suppressed": 2},
}


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "demo",
        help="Show the main job with nothing to configure.",
        description="Start a throw-away Postroom and a practice post office, send a personalised campaign, collect what"
        " comes back, and show the result; then the pages stay up until Ctrl-C. Everything is removed at the end.",
    )
    parser.add_argument("--recipients", type=_whole, default=500, metavar="N", help="people (default 500)")
    parser.add_argument("--exit", action="store_true", help="end by itself when all is done")
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object to stdout and nothing else"
    )
    parser.add_argument(
        "--port", type=int, default=0, help="port of the pages (default 8025 if free; any with --exit)"
    )
    parser.add_argument(
        "--rate",
        type=float,
        metavar="R",
        help="letters the post office takes a second (default 100 to watch, unbounded with --exit; 0 = unbounded)",
    )
    parser.set_defaults(run=run)


def _whole(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) <= 1_000_000:
        raise argparse.ArgumentTypeError("a number from 1 to 1000000 is expected")
    return int(text)


def plan(recipients: int) -> list[str]:
    """A tag for each recipient: every kind once as far as they go, then in their shares, always the same."""
    hundred = [tag for tag, share in SHARES.items() for _ in range(share)]
    random.Random(7).shuffle(hundred)
    for tag in reversed(SHARES):
        hundred.remove(tag)
        hundred.insert(0, tag)
    return [hundred[number % 100] for number in range(recipients)]


@dataclass(frozen=True)
class Ports:
    web: int
    ingress: int
    practice: int
    control: int


def run(args: argparse.Namespace) -> int:
    # SIGINT too: a shell starts what runs in the background deaf to it. SIGHUP: the terminal was closed.
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, _interrupt)
    rate = args.rate if args.rate is not None else (0.0 if args.exit else 100.0)
    ports = _ports(args.port, prefer=0 if args.exit else 8025)
    folder = Path(tempfile.mkdtemp(prefix="postroom-demo-"))
    folder.chmod(0o755)  # as root the parts run as another account, which must get in
    try:
        with _running(folder, ports, rate) as server:
            return _show(args, ports, server, folder / "log")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _show(args: argparse.Namespace, ports: Ports, server: "subprocess.Popen[bytes]", log: Path) -> int:
    boot.django("demo")
    from postroom.actions.demo import OWNER, demo_make

    password = secrets.token_urlsafe(9)
    url = f"http://localhost:{ports.web}"
    demo = demo_make(
        tags=plan(args.recipients),
        smtp_port=ports.practice,
        url=url,
        bounce_host=BOUNCE_HOST,
        password=password,
        connections=CONNECTIONS,
    )
    demo_show.say(f"The pages are at {url}  -  sign in as {OWNER} with {password}")
    result = demo_show.watch(demo, ("127.0.0.1", ports.control), MOST_SECONDS)
    if args.json:
        print(json.dumps(result.figures), flush=True)
    else:
        print(result.table(), flush=True)
    for sentence in result.wrong:
        demo_show.say(f"WRONG: {sentence}")
    if result.wrong:
        demo_show.say("\n".join(["What the log complains of:", *demo_show.complaints(log)]))
    if not args.exit:
        demo_show.say(f"The pages stay up at {url}/campaigns/{demo.campaign_id}/ until you press Ctrl-C.")
        demo_show.say(f"Sign in as {OWNER} with {password}")
        with contextlib.suppress(KeyboardInterrupt):
            while server.poll() is None:
                time.sleep(0.2)
        demo_show.say("Clearing up.")
    return 1 if result.wrong else 0


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _ports(wanted: int, prefer: int) -> Ports:
    """Free ports; the pages' is the one asked for, or the preferred one if it is free."""
    if wanted and not _is_free(wanted):
        raise HostError(f"Port {wanted} cannot be listened on. Choose another with --port.")
    with contextlib.ExitStack() as held:
        found = []
        for _ in range(4):
            probe = held.enter_context(socket.socket())
            probe.bind(("127.0.0.1", 0))
            found.append(probe.getsockname()[1])
    return Ports(wanted or (prefer if prefer and _is_free(prefer) else found[0]), *found[1:])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            return False
    return True


def _environment(folder: Path, ports: Ports) -> None:
    """Settings of the throw-away instance; nothing of a real one may reach it."""
    for name in list(os.environ):
        if name.startswith("POSTROOM_") and name != "POSTROOM_PG_BIN":
            del os.environ[name]
    os.environ.update(
        POSTROOM_DEMO="1",
        POSTROOM_DATA=str(folder / "data"),
        POSTROOM_URL=f"http://localhost:{ports.web}",
        POSTROOM_LISTEN=f"127.0.0.1:{ports.web}",
        POSTROOM_INGRESS_LISTEN=f"127.0.0.1:{ports.ingress}",
        POSTROOM_RETRY_SCHEDULE="2,2,4,8,16",
        POSTROOM_TROUBLE_SCHEDULE="1,1,2,4",
        POSTROOM_SHARD_SIZE="250",
    )


@contextlib.contextmanager
def _running(folder: Path, ports: Ports, rate: float) -> Iterator["subprocess.Popen[bytes]"]:
    """`postroom serve` and the post office, ready; both are ended afterwards."""
    _environment(folder, ports)
    log = folder / "log"
    server: subprocess.Popen[bytes] | None = None
    post: subprocess.Popen[bytes] | None = None
    try:
        with log.open("wb") as output:
            demo_show.say("Starting a throw-away Postroom with a database of its own.")
            server = child.start(
                [*serve.POSTROOM, "serve"], env=os.environ, output=output, end=signal.SIGTERM
            )
            _wait(server, log, [ports.web, ports.ingress])
            own = {"--listen": ports.practice, "--ingress": ports.ingress, "--control": ports.control}
            where = [word for option, port in own.items() for word in (option, f"127.0.0.1:{port}")]
            post = child.start(
                [*serve.POSTROOM, "practice", *where, "--rate", str(rate)],
                account=serve.code_account(accounts.needed(demo_show.say)),
                env=os.environ,
                output=output,
                cwd="/",
            )
            _wait(post, log, [ports.practice, ports.control])
        yield server
    finally:
        for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(sign, signal.SIG_IGN)  # clearing up is not left half done
        for process in (server, post):  # deliveries say goodbye to a post office that is still there
            if process is not None:
                _end(process)


def _wait(process: "subprocess.Popen[bytes]", log: Path, ports: list[int]) -> None:
    """Until all ports answer. Raises HostError with the end of the log when they never do."""
    until = time.monotonic() + START_SECONDS
    for port in ports:
        while True:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            if process.poll() is not None or time.monotonic() > until:
                words = log.read_text(encoding="utf-8", errors="replace")[-3000:].strip()
                raise HostError(f"The demo could not be started. Its log ends:\n{words}")
            time.sleep(0.05)


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        sys.stderr.write("A part of the demo does not stop and is killed.\n")
        process.kill()
        process.wait()
