"""Runs belong to the server: they outlive sign-out, a new password, a restart and a killed process (PI-04, PI-06);
fifty people work at once and no write is lost (GW-03)."""

import http.client
import http.cookiejar
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from postroom.testing.counting import Manners, counting
from postroom.testing.run import end, until
from tests.system.test_crash import Instance

PASSWORD = "correct horse"
#: How long fifty people work: five minutes in `make soak`.
SECONDS = 300 if os.environ.get("SOAK") else 20
PEOPLE = 50


@pytest.fixture(scope="module")
def instance():
    folder = Path(tempfile.mkdtemp(prefix="postroom-office-"))
    folder.chmod(0o755)
    made = Instance(folder)
    yield made
    end(made.process)
    shutil.rmtree(folder, ignore_errors=True)


def sessions(instance, *words):
    done = subprocess.run(
        [sys.executable, "-m", "postroom.testing.sessions", *map(str, words)],
        env=instance.env,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


class Browser:
    """A person at a browser, without the pictures."""

    def __init__(self, instance):
        self.root = f"http://localhost:{instance.port}"
        jar = http.cookiejar.CookieJar()
        self.open = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar)).open

    def get(self, path):
        with self.open(self.root + path, timeout=30) as answer:
            return answer.read().decode()

    def post(self, path, page="", **values):
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self.get(page or path)).group(1)
        body = urllib.parse.urlencode({"csrfmiddlewaretoken": token, **values}).encode()
        with self.open(self.root + path, body, timeout=30) as answer:
            return answer.url


@pytest.mark.req("PI-06")
def test_a_run_outlives_sign_out_a_new_password_and_a_restart(instance):
    recipients = 1500
    with counting(Manners(delay_s=0.005)) as (desk, port):
        made = sessions(instance, "draft", "--recipients", recipients, "--port", port)
        alice = Browser(instance)
        alice.post("/sign-in/", login="alice@example.org", password=PASSWORD)
        page = f"/campaigns/{made['campaign']}/"
        assert alice.post(f"{page}start/", page=page, confirm="1").endswith(page)
        alice.post(
            "/password/change/", oldpassword=PASSWORD, password1="a new horse", password2="a new horse"
        )
        alice.post("/sign-out/", page="/more/")
        until(lambda: sum(desk.copies.values()) > 50, wait_s=60)
        assert sum(desk.copies.values()) < recipients, "it is on its way"
        assert end(instance.process) == 0
        assert sum(desk.copies.values()) < recipients, "stopped in the middle"
        instance.serve()
        found: dict = {}

        def over():
            found.update(instance.tool("report", "--campaign", str(made["campaign"])))
            return found["state"] == "finished"

        until(over, wait_s=120, step_s=0.5)
        assert sum(desk.copies.values()) == recipients
        assert max(desk.copies.values()) == 1
        assert set(found["rows"].values()) == {"accepted"}
        bob = Browser(instance)
        bob.post("/sign-in/", login="bob@example.org", password=PASSWORD)
        assert "Away" in bob.get("/campaigns/")


@pytest.mark.req("PI-04")
def test_the_end_of_one_process_leaves_the_other_runs_alone(instance):
    recipients = 900
    with counting(Manners(delay_s=0.05)) as (desk, port):
        made = [
            instance.tool("make", "--recipients", str(recipients), "--port", str(port), "--tag", f"run{n}")
            for n in range(3)
        ]
        until(lambda: sum(desk.copies.values()) > 100, wait_s=60)
        os.kill(random.choice(instance.deliveries()), signal.SIGKILL)
        before = sum(desk.copies.values())
        assert before < 3 * recipients, "they are on their way"
        desk.answer_delay_s = 0.005
        until(lambda: sum(desk.copies.values()) > before, wait_s=20)
        for run in made:
            found: dict = {}

            def over(found=found, run=run):
                found.update(instance.tool("report", "--campaign", str(run["campaign"])))
                return found["state"] == "finished"

            until(over, wait_s=120, step_s=0.5)
            states = set(found["rows"].values())
            assert states <= {"accepted", "uncertain"}
            assert len(found["rows"]) == recipients
        assert max(desk.copies.values()) == 1


class Person(threading.Thread):
    """Lists and edits until the time is over: reads a number, writes the next one; again when somebody was faster."""

    def __init__(self, port, session, templates, until_):
        super().__init__(daemon=True)
        self.port, self.templates, self.until = port, templates, until_
        self.cookie = f"sessionid={session}; csrftoken={'a' * 32}"
        self.written, self.stale, self.asked, self.wrong = 0, 0, 0, []

    def run(self):
        self.link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            while time.monotonic() < self.until:
                self.ask(
                    "GET", random.choice(("/contacts/", "/templates/", "/campaigns/", "/contacts/lists/"))
                )
                self.edit(random.choice(self.templates))
        except Exception as error:
            self.wrong.append(repr(error))
        finally:
            self.link.close()

    def edit(self, template):
        path = f"/api/v1/templates/{template}"
        status, body = self.ask("GET", path)
        if status != 200:
            return
        now = json.loads(body)
        text = {"version": now["version"], "name": now["name"], "text": str(int(now["text"]) + 1)}
        status, body = self.ask("PUT", path, json.dumps(text))
        if status == 200:
            self.written += 1
        elif status == 409:
            self.stale += 1
            assert json.loads(body)["code"] == "STALE_VERSION"

    def ask(self, method, path, body=None):
        headers = {"Cookie": self.cookie, "X-CSRFToken": "a" * 32, "Content-Type": "application/json"}
        self.link.request(method, path, body, headers)
        answer = self.link.getresponse()
        data = answer.read()
        self.asked += 1
        if answer.status not in (200, 409):
            self.wrong.append(f"{method} {path}: {answer.status} {data[:200]!r}")
        return answer.status, data


@pytest.mark.req("GW-03")
def test_fifty_people_list_and_edit_at_once(instance):
    made = sessions(instance, "make", "--people", PEOPLE)
    ends = time.monotonic() + SECONDS
    people = [Person(instance.port, key, made["templates"], ends) for key in made["sessions"]]
    for person in people:
        person.start()
    for person in people:
        person.join(SECONDS + 90)
    assert [line for person in people for line in person.wrong] == []
    written, asked = sum(one.written for one in people), sum(one.asked for one in people)
    assert min(one.asked for one in people) > 0, "everybody was served"
    found = sessions(instance, "sum")
    print(f"{asked} answers, {written} writes, {sum(one.stale for one in people)} stale")
    assert found["sum"] == written, "no write is lost"
    assert found["versions"] == written
    assert written > PEOPLE
