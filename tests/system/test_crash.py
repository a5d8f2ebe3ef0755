"""kill -9 in mid-campaign: nothing lost, nothing doubled, doubt named and small (DESIGN 4.5, section 8).

Three rounds a victim, twenty in `make soak`; each round sends its own campaign, in turn at full speed, under a slow
limit, and with recipients that are deferred first.
"""

import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import pytest

from postroom.testing.counting import Manners, counting
from postroom.testing.run import end, kill, start, until

ROUNDS = 20 if os.environ.get("SOAK") else 3
CONNECTIONS = 4
BATCH = 200
QUICK = {
    "POSTROOM_LEASE_SECONDS": "2",
    "POSTROOM_LEASE_RENEW_SECONDS": "0.5",
    "POSTROOM_POLL_SECONDS": "0.2",
    "POSTROOM_RETRY_SCHEDULE": "1,1,1,1",
    "POSTROOM_TROUBLE_SCHEDULE": "0.5,1,2",
    "POSTROOM_SHARD_SIZE": "300",
    "POSTROOM_DELIVERY_PROCESSES": "2",
}
#: (name, recipients, messages a minute, killed when so many copies were counted)
SCENES = (("fast", 3000, 0, 400), ("slow", 240, 1200, 40), ("deferred", 1200, 0, 300))


class Instance:
    """`postroom serve` with a data folder and ports of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as web, socket.socket() as ingress:
            web.bind(("127.0.0.1", 0))
            ingress.bind(("127.0.0.1", 0))
            listen, takes = web.getsockname()[1], ingress.getsockname()[1]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("POSTROOM_")}
        self.env = {
            **kept,
            **QUICK,
            "POSTROOM_DATA": str(folder / "data"),
            "POSTROOM_LISTEN": f"127.0.0.1:{listen}",
            "POSTROOM_URL": f"http://localhost:{listen}",
            "POSTROOM_INGRESS_LISTEN": f"127.0.0.1:{takes}",
        }
        if "POSTROOM_PG_BIN" in os.environ:
            self.env["POSTROOM_PG_BIN"] = os.environ["POSTROOM_PG_BIN"]
        self.port = listen
        self.serve()

    def serve(self) -> None:
        self.process = start("serve", env=self.env, log=self.folder / "serve.log")
        until(self.answers, wait_s=240, step_s=0.1)

    def answers(self) -> bool:
        assert self.process.poll() is None, (self.folder / "serve.log").read_text()[-3000:]
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def tool(self, *words: str) -> dict:
        for _ in range(40):
            done = subprocess.run(
                [sys.executable, "-m", "postroom.testing.crash", *words],
                env=self.env,
                capture_output=True,
                text=True,
                timeout=120,
            )
            if done.returncode == 0:
                return json.loads(done.stdout)
            if words[0] == "make":
                break
            time.sleep(0.5)  # the database may just be starting again
        raise AssertionError(done.stderr[-12000:])

    def postmaster(self) -> int:
        found = next((self.folder / "data").glob("**/postmaster.pid"))
        return int(found.read_text().split()[0])

    def deliveries(self) -> list[int]:
        found = []
        for status in Path("/proc").glob("[0-9]*/environ"):
            try:
                mine = f"POSTROOM_DATA={self.env['POSTROOM_DATA']}".encode() in status.read_bytes()
                words = status.with_name("cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if mine and b"delivery" in words:
                found.append(int(status.parent.name))
        return found


@pytest.fixture(scope="module")
def instance():
    # not pytest's own folder, which is closed to the account of the database
    folder = Path(tempfile.mkdtemp(prefix="postroom-crash-"))
    folder.chmod(0o755)
    made = Instance(folder)
    yield made
    end(made.process)
    shutil.rmtree(folder, ignore_errors=True)


def kill_delivery(instance: Instance) -> None:
    os.kill(random.choice(instance.deliveries()), signal.SIGKILL)


def kill_postmaster(instance: Instance) -> None:
    os.kill(instance.postmaster(), signal.SIGKILL)


def kill_serve(instance: Instance) -> None:
    kill(instance.process)
    instance.serve()


#: Processes whose mini-batch may be in doubt after the kill.
VICTIMS = {"delivery": (kill_delivery, 1), "postmaster": (kill_postmaster, 2), "serve": (kill_serve, 2)}


@pytest.mark.parametrize("round_number", range(ROUNDS))
@pytest.mark.parametrize("victim", VICTIMS)
def test_a_kill_loses_and_doubles_nothing(instance, victim, round_number):
    strike, processes = VICTIMS[victim]
    name, recipients, per_minute, after = SCENES[round_number % len(SCENES)]
    tag = f"{victim}{round_number}"
    manners = Manners(once=rf"^{re.escape(tag)}-\d*[05]@" if name == "deferred" else "", delay_s=0.005)
    with counting(manners) as (desk, port):
        made = instance.tool(
            "make",
            *("--recipients", str(recipients), "--port", str(port), "--tag", tag),
            *("--connections", str(CONNECTIONS), "--per-minute", str(per_minute)),
        )
        until(lambda: sum(desk.copies.values()) >= after, wait_s=60, step_s=0.005)
        time.sleep(random.random() * 0.2)
        strike(instance)
        found: dict = {}

        def over() -> bool:
            found.update(instance.tool("report", "--campaign", str(made["campaign"])))
            return found["state"] == "finished"

        until(over, wait_s=90, step_s=0.5)
        states = Counter(found["rows"].values())
        lost = [
            address
            for address, state in found["rows"].items()
            if desk.copies[address] == 0 and state not in ("uncertain", "failed", "skipped")
        ]
        assert lost == []
        assert [address for address, copies in desk.copies.items() if copies > 1] == []
        assert len(found["rows"]) == recipients
        assert states["uncertain"] <= processes * BATCH + CONNECTIONS
        assert states["accepted"] + states["uncertain"] == recipients
        assert {s: found["figures"][s] for s in ("accepted", "uncertain")} == {
            "accepted": states["accepted"],
            "uncertain": states["uncertain"],
        }
