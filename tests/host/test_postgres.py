import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from postroom.conf import place
from postroom.errors import HostError
from postroom.host import account
from postroom.host.postgres import Cluster, served_by
from tests.host import tools

DEBIAN = Path("/usr/lib/postgresql/15/bin")
#: Starts a cluster in argv[1], says its postmaster and address, and watches over it until it is killed.
KEEPER = """
import sys, time
from pathlib import Path
from postroom.errors import HostError
from postroom.host.postgres import Cluster
cluster = Cluster(Path(sys.argv[1]), say=lambda words: sys.stderr.write(words + "\\n"))
try:
    cluster.start()
except HostError as error:
    sys.exit(str(error))
print(cluster.process.pid, cluster.url, flush=True)
while True:
    cluster.watch()
    time.sleep(0.05)
"""


@pytest.fixture
def folder():
    with tools.open_folder() as made:
        yield made


@pytest.fixture
def cluster(folder):
    made = Cluster(folder / "postgres")
    made.start()
    yield made
    made.stop()


def keeper(home, env=None, python=sys.executable, **more):
    env = env or {**os.environ, "PYTHONPATH": str(tools.SOURCE)}
    return subprocess.Popen(
        [python, "-c", KEEPER, str(home)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=env,
        cwd="/",
        **more,
    )


def kept(process):
    """The postmaster's process and the address, as the keeper tells them."""
    line = process.stdout.readline()
    assert line, process.stderr.read()
    pid, url = line.split()
    return int(pid), url


def finish(process):
    process.kill()
    process.communicate(timeout=30)


def ask(url, query):
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchone()[0]


def count(url):
    return ask(url, "SELECT count(*) FROM kept")


def counts(url, rows):
    """As `count`, while the server may be away."""
    try:
        return count(url) == rows
    except psycopg.OperationalError:
        return False


def fill(url, rows=500):
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (n int)")
        for n in range(rows):
            connection.execute("INSERT INTO kept VALUES (%s)", [n])


def test_a_killed_postmaster_is_started_again_with_every_committed_row(cluster):
    fill(cluster.url)
    cluster.process.kill()
    assert tools.until(cluster.watch)
    assert count(cluster.url) == 500


def test_a_killed_postmaster_is_started_again_although_a_backend_is_busy(cluster):
    fill(cluster.url)
    with closing(psycopg.connect(cluster.url, autocommit=True)) as connection:
        backend = connection.info.backend_pid
        connection.pgconn.send_query(b"SELECT count(*) FROM generate_series(1, 10000000000)")
        cluster.process.kill()
        assert tools.until(cluster.watch, 10)
        assert not tools.alive(backend)
    assert count(cluster.url) == 500
    assert ask(cluster.url, "SELECT 1") == 1


def test_a_killed_backend_costs_connections_only(cluster):
    fill(cluster.url)
    postmaster = cluster.process.pid
    with psycopg.connect(cluster.url) as connection:
        os.kill(connection.info.backend_pid, signal.SIGKILL)
        assert tools.until(lambda: counts(cluster.url, 500))
    assert not cluster.watch()
    assert cluster.process.pid == postmaster


def test_a_killed_supervisor_leaves_no_server_behind_and_the_next_one_goes_on(folder):
    process = keeper(folder / "postgres")
    postmaster, url = kept(process)
    fill(url)
    finish(process)
    assert tools.until(lambda: not tools.alive(postmaster), 10)
    assert tools.until(lambda: not tools.mentioning(str(folder)), 10)
    process = keeper(folder / "postgres")
    try:
        assert count(kept(process)[1]) == 500
    finally:
        finish(process)


def test_a_second_start_on_the_same_data_is_refused_with_a_clear_word(cluster):
    assert served_by(cluster.home) == os.getpid()
    with pytest.raises(HostError, match=rf"process {os.getpid()}\) already serves .* POSTROOM_DATA"):
        Cluster(cluster.home).start()
    assert ask(cluster.url, "SELECT 1") == 1
    cluster.stop()
    assert served_by(cluster.home) is None


def test_data_of_another_major_version_stops_the_start_and_names_the_way_out(cluster):
    cluster.stop()
    (cluster.data / "PG_VERSION").write_text("14\n")
    with pytest.raises(HostError, match=r"PostgreSQL 14.*postroom backup.*postroom restore"):
        Cluster(cluster.home).start()
    assert served_by(cluster.home) is None


def test_a_folder_with_something_else_in_it_is_not_taken_over(folder):
    (folder / "postgres/data").mkdir(parents=True)
    (folder / "postgres/data/letter.txt").write_text("dear")
    with pytest.raises(HostError, match="not empty"):
        Cluster(folder / "postgres").start()
    assert (folder / "postgres/data/letter.txt").read_text() == "dear"


def test_a_data_folder_too_deep_for_a_socket_is_served_all_the_same(folder):
    deep = folder.joinpath(*["a-folder-with-a-long-name"] * 5)
    cluster = Cluster(deep / "postgres")
    cluster.start()
    try:
        assert len(os.fsencode(place.socket_folder(deep / "postgres"))) < 90
        assert ask(cluster.url, "SELECT 1") == 1
    finally:
        cluster.stop()


def test_nobody_else_can_reach_the_socket(cluster):
    assert cluster.sockets.stat().st_mode & 0o077 == 0
    with psycopg.connect(cluster.url) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        assert connection.execute("SHOW synchronous_commit").fetchone() == ("on",)
        assert connection.execute("SHOW fsync").fetchone() == ("on",)


def test_text_is_ordered_and_folded_alike_everywhere(cluster):
    with psycopg.connect(cluster.url) as connection:
        assert connection.execute("SHOW server_encoding").fetchone() == ("UTF8",)
        assert connection.execute("SELECT lower('ŻÓŁĆ ЩЪ')").fetchone() == ("żółć щъ",)


def test_bad_programs_are_told(folder):
    with pytest.raises(HostError, match="POSTROOM_PG_BIN"):
        Cluster(folder / "postgres", pg_bin=folder).start()


as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


@as_root
def test_as_root_the_server_runs_as_the_account_of_its_own(cluster):
    uid = os.stat(f"/proc/{cluster.process.pid}").st_uid
    assert uid == account.needed(lambda words: None).uid
    assert cluster.data.stat().st_uid == uid


@as_root
def test_as_root_the_program_may_lie_below_a_folder_closed_to_others(folder):
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    process = keeper(folder / "postgres", tools.copy_program(closed / "program"))
    try:
        postmaster, url = kept(process)
        assert ask(url, "SELECT 1") == 1
        assert not os.readlink(f"/proc/{postmaster}/exe").startswith(str(closed))
    finally:
        finish(process)
    assert closed.stat().st_mode & 0o777 == 0o700


@as_root
def test_as_root_data_below_a_folder_closed_to_the_account_is_told(folder):
    folder.chmod(0o700)
    with pytest.raises(HostError, match=r"cannot be reached or written by postroom.*POSTROOM_DATA"):
        Cluster(folder / "data/postgres").start()
    assert folder.stat().st_mode & 0o777 == 0o700


def test_an_ordinary_user_needs_nobody(folder):
    python = tools.python_for_all() if os.geteuid() == 0 else sys.executable
    assert python, "no Python here can be run by an ordinary user"
    env = tools.copy_program(folder / "program")
    home = folder / "home"
    home.mkdir()
    more = {}
    if os.geteuid() == 0:
        who = account.needed(lambda words: None)
        os.chown(home, who.uid, who.gid)
        more = {"user": who.uid, "group": who.gid, "extra_groups": []}
    process = keeper(home / "postgres", env, python, **more)
    try:
        postmaster, url = kept(process)
        fill(url, 3)
        os.kill(postmaster, signal.SIGKILL)
        assert tools.until(lambda: counts(url, 3))
    finally:
        finish(process)
    assert tools.until(lambda: not tools.mentioning(str(home)), 10)


def test_the_migrations_run_on_debians_postgresql_15(folder):
    if not DEBIAN.exists():
        pytest.skip(f"{DEBIAN} is not installed")
    cluster = Cluster(folder / "postgres", pg_bin=DEBIAN, options={"fsync": "off"})
    cluster.start()
    try:
        env = {**os.environ, "POSTROOM_DATABASE_URL": cluster.url, "PYTHONPATH": str(tools.SOURCE)}
        command = [sys.executable, "-m", "postroom.cli.main", "migrate"]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        with psycopg.connect(cluster.url) as connection:
            assert connection.execute("SELECT to_regclass('postroom_delivery') IS NOT NULL").fetchone() == (
                True,
            )
            assert connection.info.server_version // 10000 == 15
    finally:
        cluster.stop()


def test_stopping_is_quick_and_clean(cluster):
    started = time.monotonic()
    cluster.stop()
    assert time.monotonic() - started < 20
    assert not (cluster.data / "postmaster.pid").exists()
