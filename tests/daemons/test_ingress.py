"""The ingress daemon as a process of its own, in front of a real database."""

import os
import shutil
import signal
import smtplib
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from postroom.actions.event import event_store_smtp
from postroom.conf import keys, place
from postroom.host.postgres import Cluster
from postroom.mail.token import token_make
from postroom.models.event import Event
from postroom.queries.blob import blob_read
from postroom.testing.rooted import free_port

POSTROOM = (sys.executable, "-m", "postroom.cli.main")
NOTE = b"From: a@b.pl\r\nTo: x@y.pl\r\nSubject: Re: hello\r\n\r\nThank you.\r\n"


def address(number: int = 7) -> str:
    return f"b-{token_make(number, keys.current().token_keys[0])}@returns.example"


def eventually(check, seconds: float = 30.0):
    until = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < until, "this never came true"
        time.sleep(0.05)
    return found


@contextmanager
def ingress(env: dict[str, str], **more: str):
    """The daemon; gives its process and port."""
    port = free_port()
    listen = {"POSTROOM_INGRESS_LISTEN": f"127.0.0.1:{port}", "POSTROOM_INGRESS_SWEEP_SECONDS": "0.5", **more}
    process = subprocess.Popen([*POSTROOM, "ingress"], env={**env, **listen})
    try:
        eventually(lambda: answers(port) or process.poll() is not None, 90)
        assert process.poll() is None
        yield process, port
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
    finally:
        process.kill()
        process.wait()


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def send(port: int, to: str, raw: bytes = NOTE) -> int:
    """The deciding reply code."""
    try:
        with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
            client.sendmail("", to, raw)
            return 250
    except smtplib.SMTPRecipientsRefused as refused:
        return next(iter(refused.recipients.values()))[0]
    except smtplib.SMTPDataError as refused:
        return refused.smtp_code


def test_only_mail_for_a_token_of_ours_is_taken_and_what_is_taken_is_stored_and_read(child_env):
    forged = "b-" + "a" * 20 + "@returns.example"
    with ingress(child_env) as (_, port):
        assert [send(port, to) for to in ("post@returns.example", forged, "postmaster")] == [550] * 3
        assert send(port, address()) == 250
        event = eventually(lambda: Event.objects.exclude(kind="").first())
    assert (event.source, event.envelope_from, event.envelope_to) == ("smtp", "", address())
    assert blob_read(event.raw_id) == NOTE
    assert event.error == ""
    assert Event.objects.count() == 1


def test_what_an_earlier_run_left_unread_is_read_at_the_start(child_env):
    event_id = event_store_smtp(envelope_from="", envelope_to=address(), raw=NOTE, source="smtp")
    assert Event.objects.get().kind == ""
    with ingress(child_env):
        eventually(lambda: Event.objects.get(id=event_id).kind)


def test_lmtp_at_a_unix_socket_answers_for_each_recipient(child_env):
    folder = Path(tempfile.mkdtemp())
    path = folder / "lmtp.sock"
    try:
        with ingress(child_env, POSTROOM_INGRESS_LMTP=str(path)):
            eventually(path.is_socket)
            with smtplib.LMTP(str(path), timeout=10) as client:
                client.ehlo()
                client.mail("")
                tried = [client.rcpt(to)[0] for to in (address(1), "nobody@returns.example", address(2))]
                assert tried == [250, 550, 250]
                assert client.docmd("DATA")[0] == 354
                client.send(NOTE + b".\r\n")
                assert [client.getreply()[0] for _ in range(2)] == [250, 250]
        assert sorted(Event.objects.values_list("envelope_to", "source")) == sorted(
            (address(number), "lmtp") for number in (1, 2)
        )
    finally:
        shutil.rmtree(folder)


def test_odd_mail_is_taken_and_kept_as_it_is(child_env):
    odd = [
        b"\r\n",
        b"\x00\xff\xfe" * 1000 + b"\r\n",
        b"no header at all\r\n",
        b"a: b\r\n" * 20_000 + b"\r\n",
    ]
    with ingress(child_env) as (_, port):
        assert [send(port, address(), raw) for raw in odd] == [250] * len(odd)
        eventually(lambda: not Event.objects.filter(kind="").exists())
    assert sorted(blob_read(event.raw_id) for event in Event.objects.all()) == sorted(odd)


def test_a_full_disk_asks_to_come_again(child_env, tmp_path):
    """A folder for objects that cannot be written: a file is in its place."""
    data = Path(tempfile.mkdtemp())
    try:
        (data / "objects").write_bytes(b"")
        env = {**child_env, "POSTROOM_DATA": str(data), "POSTROOM_KEY_FILE": str(place.key_file())}
        with ingress(env) as (_, port):
            assert send(port, address()) == 451
            assert Event.objects.count() == 0
            (data / "objects").unlink()
            assert send(port, address()) == 250
    finally:
        shutil.rmtree(data)


@pytest.fixture
def own_cluster():
    """A database that a test may stop: (cluster, environment for children)."""
    home = Path(tempfile.mkdtemp(prefix="postroom-ingress-"))
    home.chmod(0o755)
    with open(os.devnull, "wb") as nowhere:
        cluster = Cluster(home / "postgres", pg_bin=place.pg_bin(), options={"fsync": "off"}, output=nowhere)
        cluster.start()
        env = {**os.environ, "POSTROOM_DATABASE_URL": cluster.url}
        try:
            subprocess.run(
                [*POSTROOM, "migrate"], env=env, check=True, timeout=120, stdout=subprocess.DEVNULL
            )
            yield cluster, env
        finally:
            cluster.stop()
            shutil.rmtree(home, ignore_errors=True)


def test_without_a_database_nothing_is_accepted_and_nothing_is_lost_when_it_is_back(own_cluster):
    cluster, env = own_cluster
    taken = 0
    with ingress(env) as (_, port):
        for _ in range(2):
            assert send(port, address()) == 250
            taken += 1
            cluster.process.kill()
            cluster.process.wait()
            assert send(port, address()) == 451
            cluster.watch()
            taken += eventually(lambda: send(port, address()) == 250)
        with psycopg.connect(cluster.url, autocommit=True) as link:
            count = "SELECT count(*), count(*) FILTER (WHERE kind <> '') FROM postroom_event"
            eventually(lambda: link.execute(count).fetchone() == (taken, taken))
            assert link.execute("SELECT count(*) FROM postroom_event WHERE error <> ''").fetchone() == (0,)
