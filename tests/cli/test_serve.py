import json
import os
import signal
import socket
import urllib.request
from pathlib import Path

import psycopg
import pytest

from postroom.conf import place
from postroom.testing.rooted import free_port
from tests.cli.tools import Serve, environment, postroom
from tests.host import tools


@pytest.fixture(scope="module")
def served():
    """One instance for the tests that leave it well."""
    with tools.open_folder() as folder, Serve(folder / "data") as made:
        made.said_of("Set it up")
        yield made


@pytest.fixture
def instance():
    with tools.open_folder() as folder, Serve(folder / "data", POSTROOM_JOB_STALLED_SECONDS="6") as made:
        made.said_of("Set it up")
        yield made


def postmaster(data):
    """Its process number; 0 while it is being started."""
    try:
        return int((data / "postgres/data/postmaster.pid").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return 0


def part(instance, name):
    """The process of a part, as the log tells it last."""
    for line in reversed(list(instance.logged)):
        if f'"{name} started as process ' in line:
            return int(json.loads(line)["message"].split()[-1].rstrip("."))
    raise AssertionError("".join(instance.logged))


def test_the_address_and_the_set_up_link_are_said(served):
    assert served.said_of("is at") == f"Postroom is at http://localhost:{served.port}"
    link = served.said_of("Set it up").split()[-1]
    assert link.startswith(f"http://localhost:{served.port}/setup/?code=")
    assert link.rpartition("=")[2] not in "".join(served.logged)


def test_the_first_visit_leads_to_the_set_up(served):
    assert served.get("/") == (302, "/setup/")


def test_style_sheets_and_icons_are_served_by_ourselves(served):
    assert served.get("/static/vendor/tabler.min.css")[0] == 200
    with urllib.request.urlopen(f"http://127.0.0.1:{served.port}/static/vendor/icons.svg") as answer:
        assert b'<symbol id="send"' in answer.read()


def test_every_line_of_the_log_is_json(served):
    lines = [json.loads(line) for line in list(served.logged)]
    assert lines
    assert all({"time", "level", "part", "message"} <= line.keys() for line in lines)


def test_the_key_file_is_closed_to_others(served):
    assert (served.data / "keys.json").stat().st_mode & 0o777 == 0o600


def test_a_second_serve_on_the_same_data_is_refused(served):
    env = {**served.env, "POSTROOM_LISTEN": f"127.0.0.1:{free_port()}", "POSTROOM_INGRESS_LISTEN": "off"}
    done = postroom("serve", env=env)
    assert done.returncode == 2
    assert f"process {served.process.pid}) already serves the data" in done.stderr
    assert "Traceback" not in done.stderr
    assert served.get("/")[0] == 302


def test_a_port_in_use_is_told_with_the_setting_to_change():
    with tools.open_folder() as folder, socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = postroom("serve", env=environment(folder / "data", POSTROOM_LISTEN=f"127.0.0.1:{port}"))
    assert done.returncode == 2
    assert f"127.0.0.1:{port} cannot be listened on" in done.stderr
    assert "POSTROOM_LISTEN" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_setting_that_cannot_be_used_is_told():
    with tools.open_folder() as folder:
        done = postroom("serve", env=environment(folder / "data", POSTROOM_BATCH_MAX="many"))
    assert done.returncode == 2
    assert "POSTROOM_BATCH_MAX='many'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_that_does_not_answer_is_told():
    with tools.open_folder() as folder:
        url = f"postgresql://nobody@127.0.0.1:{free_port()}/none"
        done = postroom("serve", env=environment(folder / "data", POSTROOM_DATABASE_URL=url))
    assert done.returncode == 2
    assert "The database cannot be reached" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_with_other_things_is_not_taken_over():
    with tools.open_folder() as folder:
        (folder / "letter.txt").write_text("dear")
        done = postroom("serve", env=environment(folder))
        assert done.returncode == 2
        assert "holds other things" in done.stderr
        assert [path.name for path in folder.iterdir()] == ["letter.txt"]


def test_a_clean_stop_leaves_nothing_running():
    with tools.open_folder() as folder, Serve(folder / "data") as made:
        made.said_of("Postroom is at")
        assert made.stop() == 0
        assert tools.until(lambda: not tools.mentioning(str(folder)), 10)
        assert not (folder / "data/postgres/data/postmaster.pid").exists()


def test_killed_parts_and_a_killed_database_come_back(instance):
    for name in ("web", "worker"):
        old = part(instance, name)
        os.kill(old, signal.SIGKILL)
        assert tools.until(lambda name=name, old=old: part(instance, name) != old, 60)
    assert tools.until(lambda: instance.get("/")[0] == 302, 120)
    old = postmaster(instance.data)
    os.kill(old, signal.SIGKILL)
    assert tools.until(lambda: postmaster(instance.data) not in (0, old), 60)
    assert tools.until(lambda: instance.get("/")[0] == 302, 120)
    with psycopg.connect(place.embedded_url(instance.data / "postgres"), autocommit=True) as connection:
        (now,) = connection.execute("SELECT now()").fetchone()
        beat = "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > %s"
        assert tools.until(lambda: connection.execute(beat, [now]).fetchone()[0], 120)


def test_a_killed_serve_takes_everything_with_it_and_starts_again_with_its_data(instance):
    link = instance.said_of("Set it up").rpartition("code=")[2]
    instance.stop(signal.SIGKILL)
    assert tools.until(lambda: not tools.mentioning(str(instance.data)), 15)
    with Serve(instance.data) as again:
        assert again.said_of("Set it up").rpartition("code=")[2] == link


def test_a_lost_key_file_stops_the_start_and_is_named(instance):
    instance.stop()
    (instance.data / "keys.json").rename(instance.data / "keys.old")
    done = postroom("serve", env=instance.env)
    assert done.returncode == 2
    assert f"The key file {instance.data / 'keys.json'} is missing" in done.stderr
    assert not (instance.data / "keys.json").exists()


def test_doctor_finds_nothing_bad_while_serving(served):
    done = postroom("doctor", "--json", env=served.env)
    told = json.loads(done.stdout)
    assert [
        check for check in told["checks"] if check["state"] == "bad" and "ingress" not in check["name"]
    ] == []
    states = {check["name"]: check["state"] for check in told["checks"]}
    assert states["database"] == states["tables"] == states["key file"] == states["pages"] == "ok"


def test_doctor_says_what_is_wrong_and_what_to_do():
    with tools.open_folder() as folder:
        data = folder / "data"
        data.mkdir()
        (data / "keys.json").write_text("{}")
        (data / "keys.json").chmod(0o600)
        url = f"postgresql://nobody@127.0.0.1:{free_port()}/none"
        done = postroom("doctor", env=environment(data, POSTROOM_DATABASE_URL=url))
    assert done.returncode == 1
    assert f"BAD   key file: The key file {data / 'keys.json'} is damaged" in done.stdout
    assert "BAD   database: cannot be reached" in done.stdout
    assert "-> Check POSTROOM_DATABASE_URL" in done.stdout
    assert "Traceback" not in done.stderr


def test_a_backup_brings_everything_back_elsewhere(instance):
    url = place.embedded_url(instance.data / "postgres")
    with psycopg.connect(url) as connection:
        connection.execute("INSERT INTO django_session VALUES ('kept', 'data', now())")
    (instance.data / "objects/ab").mkdir()
    (instance.data / "objects/ab/cdef").write_bytes(b"raw mail\r\n")
    file = instance.data.parent / "all.tar"
    done = postroom("backup", file, env=instance.env)
    assert done.returncode == 0, done.stderr
    assert file.stat().st_mode & 0o777 == 0o600
    assert "is there already" in postroom("backup", file, env=instance.env).stderr

    other = Path(instance.data.parent / "other")
    env = {**instance.env, "POSTROOM_DATA": str(other)}
    done = postroom("restore", file, env=env)
    assert done.returncode == 0, done.stderr
    assert (other / "keys.json").read_bytes() == (instance.data / "keys.json").read_bytes()
    assert (other / "objects/ab/cdef").read_bytes() == b"raw mail\r\n"
    second = instance.data.parent / "second.tar"
    assert postroom("backup", second, env=env).returncode == 0
    assert _rows(second) == _rows(file)
    again = postroom("restore", file, env=env)
    assert again.returncode == 2
    assert "has data already" in again.stderr


def _rows(file):
    import tarfile

    with tarfile.open(file) as tar:
        return {
            member.name: tar.extractfile(member).read()
            for member in tar
            if member.name.startswith("tables/") and "procrastinate_workers" not in member.name
        }
