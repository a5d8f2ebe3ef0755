"""`python -m bench.group --members N --postings M --json`: how fast a posting reaches its members.

The real ingress and delivery daemons as processes of their own, PostgreSQL with fsync, one transaction a member with
its own return path, against plain `smtp-sink`. Handed over: from the connection of the author's client to the moment
the sink has taken the last copy. Postings a second: M postings handed over by four clients at once. Copies are counted
in one more untimed pass against a server of our own.
"""

import argparse
import json
import os
import smtplib
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench.place import instance
from bench.sinks import Tools

CLIENTS = 4


class Firm:
    """A group of N members, at a server of its own choice each time."""

    def __init__(self, members: int, connections: int) -> None:
        from postroom.testing.cast import make_account, make_cast

        self.members = members
        self.cast = make_cast(bounce_host="returns.alderpike.example")
        self.account = make_account(self.cast.alice, port=25, connections=connections)
        self.groups = 0

    def group(self, port: int) -> str:
        """The address of a new one whose copies go to this port."""
        from postroom.testing.cast import make_group

        self.account.smtp_port = port
        self.account.save()
        self.groups += 1
        people = [f"member{n}@far{n % 50}.example" for n in range(self.members)]
        name = f"group{self.groups}"
        return str(make_group(self.cast.alice, name, *people, account=self.account).address)


def letter(to: str, number: int, size: int) -> bytes:
    line = "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod.\r\n"
    head = (
        f"From: Anna <anna@outside.example>\r\nTo: {to}\r\nSubject: Number {number}\r\n"
        f"Date: Sun, 22 Nov 2026 10:00:00 +0100\r\nMessage-ID: <{number}.{time.time_ns()}@outside.example>\r\n\r\n"
    )
    return (head + line * max(1, (size - len(head)) // len(line))).encode()


def hand_over(port: int, to: str, numbers: range, size: int) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=60) as client:
        for number in numbers:
            client.sendmail("anna@outside.example", [to], letter(to, number, size))


def storm(port: int, to: str, postings: int, size: int) -> None:
    threads = [
        threading.Thread(target=hand_over, args=(port, to, range(n, postings, CLIENTS), size))
        for n in range(CLIENTS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def waited(is_so: Any, seconds: float = 300) -> None:
    until = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > until:
            raise SystemExit("the copies do not come")
        time.sleep(0.005)


def measure(args: argparse.Namespace, folder: Path) -> dict[str, object]:
    from postroom.testing.run import end, start

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {
        **os.environ,
        "POSTROOM_INGRESS_LISTEN": f"127.0.0.1:{port}",
        "POSTROOM_GROUP_PER_MINUTE": "0",
    }
    firm = Firm(args.members, args.connections)
    with ExitStack() as stack:
        sink = stack.enter_context(Tools().sink(folder))
        parts = [start("ingress", env=env, log=folder / "ingress.log")]
        parts += [start("delivery", env=env, log=folder / "delivery.log") for _ in range(args.processes)]
        for part in parts:
            stack.callback(end, part)
        waited(lambda: _answers(port))
        group = firm.group(sink.port)
        hand_over(
            port, group, range(1), args.size
        )  # the first opens connections and compiles what is compiled once
        waited(lambda: sink.messages >= args.members)
        seconds = []
        for number in range(args.repeat):
            before = sink.messages
            begun = time.perf_counter()
            hand_over(port, group, range(number + 1, number + 2), args.size)
            waited(lambda before=before: sink.messages >= before + args.members)
            seconds.append(time.perf_counter() - begun)
        before = sink.messages
        begun = time.perf_counter()
        storm(port, group, args.postings, args.storm_size)
        waited(lambda: sink.messages >= before + args.members * args.postings)
        rate = args.postings / (time.perf_counter() - begun)
        rss = sum(_rss_mb(part.pid) for part in parts)
        lost, duplicates = count(firm, port, min(args.postings, 10), stack)
    return {
        "members": args.members,
        "postings": args.postings,
        "seconds_to_handover": round(sorted(seconds)[len(seconds) // 2], 3),
        "postings_per_second": round(rate, 1),
        "rss_mb": rss,
        "lost": lost,
        "duplicates": duplicates,
    }


def count(firm: Firm, port: int, postings: int, stack: ExitStack) -> tuple[int, int]:
    """(lost, duplicates) of one untimed pass against the counting server."""
    from postroom.practice.control import control_ask

    server = subprocess.Popen(
        [sys.executable, "-m", "bench.counting"], stdout=subprocess.PIPE, env={**os.environ}
    )
    stack.callback(server.wait, 10)
    stack.callback(server.terminate)
    assert server.stdout is not None
    ports = json.loads(server.stdout.readline())
    group = firm.group(ports["port"])
    time.sleep(1.5)  # the daemons look at the account again once a second
    storm(port, group, postings, 2000)
    wanted = postings * firm.members

    def summary() -> dict[str, Any]:
        found: dict[str, Any] = control_ask(("127.0.0.1", ports["control"]), "everything")
        return found

    until = time.monotonic() + 120
    while summary()["accepted"] < wanted and time.monotonic() < until:
        time.sleep(0.2)
    time.sleep(1.5)
    copies = summary()["copies"]
    people = [copies.get(f"member{n}@far{n % 50}.example", 0) for n in range(firm.members)]
    return sum(max(0, postings - one) for one in people), sum(max(0, one - postings) for one in people)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def _rss_mb(pid: int) -> int:
    """The highest resident size the process has had."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) // 1024
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--members", type=int, default=1000)
    parser.add_argument("--postings", type=int, default=10)
    parser.add_argument("--size", type=int, default=20_000, help="bytes of a posting, one at a time")
    parser.add_argument("--storm-size", type=int, default=4000, help="bytes of each of the M postings")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--repeat", type=int, default=5, help="postings one at a time; the median counts")
    parser.add_argument("--processes", type=int, default=1, help="delivery processes")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with instance() as folder:
        try:
            result = measure(args, folder)
        finally:
            if os.environ.get("POSTROOM_BENCH_LOG"):
                for log in folder.glob("*.log"):
                    sys.stderr.write(log.read_text())
    if args.json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name:32} {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
