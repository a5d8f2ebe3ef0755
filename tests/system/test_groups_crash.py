"""kill -9 in the middle of a posting to 200 members: each gets exactly one copy, whatever is killed when.

Three rounds a victim, twenty with SOAK set. The client is a mail server: it hands the same octets over until it has
read a 250. The victim is killed at a random moment and started again at once.
"""

import os
import random
import smtplib
import threading
import time
from collections import Counter

import pytest

from postroom.models.delivery import Delivery
from postroom.models.group import Posting
from postroom.testing.cast import make_account, make_cast, make_group
from postroom.testing.counting import counting
from postroom.testing.posting import answers, mail, post
from postroom.testing.rooted import free_port
from postroom.testing.run import end, kill, start, until

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 20 if os.environ.get("SOAK") else 3
MEMBERS = 200
QUICK = {
    "POSTROOM_LEASE_SECONDS": "2",
    "POSTROOM_LEASE_RENEW_SECONDS": "0.5",
    "POSTROOM_POLL_SECONDS": "0.2",
    "POSTROOM_RETRY_SCHEDULE": "1,1,1,1",
}
VICTIMS = ("ingress", "delivery", "both")


def hand_over(port: int, raw: bytes, group: str, taken: threading.Event) -> None:
    while not taken.is_set():
        try:
            if post(port, raw, group)[0][0] == 250:
                taken.set()
        except (OSError, smtplib.SMTPException):
            time.sleep(0.05)


@pytest.mark.req("EG-03")
def test_each_member_gets_exactly_one_copy_whatever_is_killed_when(child_env, tmp_path):
    dice = random.Random(os.environ.get("SOAK", "7"))
    cast = make_cast(bounce_host="returns.alderpike.example")
    port = free_port()
    env = {**child_env, **QUICK, "POSTROOM_INGRESS_LISTEN": f"127.0.0.1:{port}"}
    log = tmp_path / "log"
    with counting() as (desk, sink):
        account = make_account(cast.alice, port=sink)
        parts = {name: start(name, env=env, log=log) for name in ("ingress", "delivery")}
        try:
            until(lambda: answers(port), wait_s=60)
            for number in range(ROUNDS * len(VICTIMS)):
                victim = VICTIMS[number % len(VICTIMS)]
                people = [f"round{number}-member{n}@far.example" for n in range(MEMBERS)]
                group = make_group(cast.alice, f"round{number}", *people, account=account)
                raw = mail(to=group.address, number=number, body="text " * 4000 + "\r\n")
                taken = threading.Event()
                client = threading.Thread(target=hand_over, args=(port, raw, group.address, taken))
                client.start()
                time.sleep(dice.uniform(0, 0.5))
                for name in parts if victim == "both" else (victim,):
                    kill(parts[name])
                    parts[name] = start(name, env=env, log=log)
                client.join(60)
                assert taken.is_set()
                until(lambda group=group: is_settled(group), wait_s=60)
                assert Counter({one: desk.copies[one] for one in people}) == Counter(people), victim
                assert Posting.objects.filter(group=group).count() == 1
                # what is in doubt is named, and no more than one a connection; all the others are known
                states = Counter(rows(group).values_list("state", flat=True))
                assert states["accepted"] + states["uncertain"] == MEMBERS
                assert states["uncertain"] <= account.connections
        finally:
            for process in parts.values():
                end(process)


def rows(group):
    return Delivery.objects.filter(message__posting__group=group)


def is_settled(group) -> bool:
    waiting = rows(group).filter(state__in=("queued", "deferred"))
    return Posting.objects.filter(group=group, state="sent").exists() and not waiting.exists()
