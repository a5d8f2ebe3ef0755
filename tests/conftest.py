"""Every test runs against a real PostgreSQL.

That is the embedded one, in a folder of its own, or the server of POSTROOM_TEST_DATABASE_URL. The environment
is set here, before Django reads its settings; so the name of the settings must not stand in pyproject.toml,
where pytest-django would read them before this file.
"""

import atexit
import gc
import os
import shutil
import tempfile
from pathlib import Path

import pytest

_FOLDER = Path(tempfile.mkdtemp(prefix="postroom-test-"))
for _name in [
    name for name in os.environ if name.startswith("POSTROOM_") and name not in {"POSTROOM_PG_BIN"}
]:
    if _name != "POSTROOM_TEST_DATABASE_URL":
        del os.environ[_name]
_GIVEN = os.environ.get("POSTROOM_TEST_DATABASE_URL", "")
os.chmod(_FOLDER, 0o755)  # mkdtemp's 0700 would keep the account of the database out
os.environ["POSTROOM_DATA"] = str(_FOLDER)
os.environ["DJANGO_SETTINGS_MODULE"] = "postroom.conf.settings"
if _GIVEN:
    os.environ["POSTROOM_DATABASE_URL"] = _GIVEN

from django.conf import settings  # noqa: E402
from psycopg import conninfo  # noqa: E402

from postroom.conf import keys, place  # noqa: E402
from postroom.host.postgres import Cluster  # noqa: E402

keys.create(place.key_file())
assert settings.POSTROOM_DATA == _FOLDER, "Django's settings were read too early"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long files first, so that no process is left alone with one at the end (--no-loadscope-reorder)."""
    first = ("system", "cli", "daemons", "web")
    items.sort(key=lambda item: first.index(name) if (name := item.path.parent.name) in first else len(first))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """Each test process makes a folder and a database of its own: it must not find the settings of this one."""
    for name in ("DJANGO_SETTINGS_MODULE", "POSTROOM_DATA", "POSTROOM_DATABASE_URL"):
        os.environ.pop(name, None)


@atexit.register
def _clear() -> None:
    shutil.rmtree(_FOLDER, ignore_errors=True)


@pytest.fixture(autouse=True, scope="module")
def nothing_left():
    """What a file of tests left open is found before the next file begins, which is not to blame for it."""
    yield
    gc.collect()


@pytest.fixture(scope="session")
def pg_url():
    """The address of a running PostgreSQL; pytest-django makes its test database there."""
    if _GIVEN:
        yield _GIVEN
        return
    options = {
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "shared_buffers": "64MB",
    }
    with open(_FOLDER / "postgres.log", "wb") as log:
        cluster = Cluster(
            place.cluster(), pg_bin=place.pg_bin(), options={**options, "max_connections": "60"}, output=log
        )
        cluster.start()
        yield cluster.url
        cluster.stop()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(pg_url):
    """The server runs before pytest-django makes its database."""


_FLUSH = """
DO $$
DECLARE named text; filled boolean;
BEGIN
  SET LOCAL session_replication_role = replica;
  FOREACH named IN ARRAY ARRAY[{names}] LOOP
    EXECUTE format('SELECT EXISTS (SELECT FROM %s)', named) INTO filled;
    IF filled THEN EXECUTE format('DELETE FROM %s', named); END IF;
  END LOOP;
END $$
"""


#: Of Django itself, the same whatever a test does.
_LASTING = ("django_content_type", "auth_permission", "django_migrations")


@pytest.fixture(scope="session", autouse=True)
def quick_flush():
    """After a test with whole commits only the tables that hold something of it are emptied: a tenth of the time."""
    from django.db import connection
    from django.test import TransactionTestCase

    def empty(self):
        tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
        with connection.cursor() as cursor:
            cursor.execute(
                _FLUSH.format(names=", ".join(f"'{one}'" for one in tables if one not in _LASTING))
            )

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", empty)
        yield


@pytest.fixture
def child_env(transactional_db) -> dict[str, str]:
    """The environment for child processes of a test that are to see its database: whole commits, no rollback."""
    from django.db import connection

    made = connection.settings_dict
    url = conninfo.make_conninfo(settings.POSTROOM_DATABASE_URL, dbname=made["NAME"])
    return {**os.environ, "POSTROOM_DATABASE_URL": url}


def pytest_sessionfinish(session, exitstatus):
    """In CI nothing may be skipped."""
    if os.environ.get("CI") and exitstatus == 0 and _skipped(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter, config):
    if os.environ.get("CI") and _skipped(config):
        terminalreporter.write_line("In CI nothing may be skipped: that counts as a failure.", red=True)


def _skipped(config) -> bool:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return bool(reporter and reporter.stats.get("skipped"))


@pytest.fixture(autouse=True)
def english():
    """A page asked for in a test leaves its language behind; the next test begins in English."""
    from django.utils import translation

    translation.activate("en")
    yield
    translation.activate("en")
