"""An import whose process is killed with -9 in the middle, by a real kill of a real process."""

import os
import subprocess
import sys
import time
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connection

from postroom.actions import imports
from postroom.actions.import_check import import_check
from postroom.actions.import_run import import_run
from postroom.models.contact import Contact, ContactList, ContactSearch, ImportRun, ListMember
from postroom.testing.cast import make_cast

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = 12_000
CHILD = """
import sys, django
django.setup()
from postroom.actions import import_run
import_run.PART_LINES = 300
import_run.import_run(import_id=int(sys.argv[1]))
"""


def url() -> str:
    here = connection.settings_dict
    host = quote(here["HOST"], safe="")
    port = f"&port={here['PORT']}" if here["PORT"] else ""
    password = f"&password={quote(here['PASSWORD'])}" if here["PASSWORD"] else ""
    return f"postgresql:///{here['NAME']}?user={here['USER']}&host={host}{port}{password}"


def test_a_killed_import_is_nowhere_half_done_and_goes_on(tmp_path):
    cast = make_cast()
    file = tmp_path / "people.csv"
    file.write_text("name;email\n" + "".join(f"P{n};p{n}@b.example\n" for n in range(ROWS)))
    run = imports.import_start(viewer=cast.alice, file=file, file_name="people.csv")
    imports.import_check_ask(viewer=cast.alice, import_id=run.id)
    import_check(import_id=run.id)
    imports.import_run_ask(viewer=cast.alice, import_id=run.id)
    env = {**os.environ, "POSTROOM_DATABASE_URL": url(), "POSTROOM_DATA": str(settings.POSTROOM_DATA)}
    process = subprocess.Popen([sys.executable, "-c", CHILD, str(run.id)], env=env)
    try:
        until = time.monotonic() + 60
        while ImportRun.objects.get(id=run.id).done < 1500 and time.monotonic() < until:
            assert process.poll() is None
            time.sleep(0.002)
    finally:
        process.kill()
        process.wait()
    half = ImportRun.objects.get(id=run.id)
    assert half.state == "running"
    assert 0 < half.added < ROWS
    for rows in (Contact.objects, ContactSearch.objects, ListMember.objects):
        assert rows.count() == half.added
    assert ContactList.objects.get(id=half.target_list_id).size == half.added
    import_run(import_id=run.id)  # what the sweep of stalled jobs does
    run.refresh_from_db()
    assert (run.state, run.added, Contact.objects.count()) == ("done", ROWS, ROWS)
    assert ContactList.objects.get(id=run.target_list_id).size == ROWS
