"""How fast contacts come in: a CSV file of N rows, from the stored file to searchable rows, on the embedded cluster.

`python -m bench.imports --rows N --json` prints {"rows", "rows_per_second", "peak_rss_mb"}. Timed is what a person
waits for: the check of every row in the child process and the taking over, with fsync and synchronous_commit on.
peak_rss_mb is the larger of this process (without the database) and of the child that parses.
"""

import argparse
import json
import os
import random
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path

FIRST = [
    "Żaneta",
    "Łukasz",
    "Grażyna",
    "Józef",
    "Anna",
    "Jan",
    "Piotr",
    "Małgorzata",
    "Paweł",
    "Мария",
    "Eve",
]
LAST = [
    "Świątek",
    "Zięba",
    "Dąbrowska",
    "Gąsior",
    "Nowak",
    "Kowalski",
    "Wiśniewska",
    "Петрова",
    "Brown",
    "Mazur",
]
CHOICES = {
    "encoding": "utf-8",
    "separator": ";",
    "has_header": True,
    "mapping": {"0": "name", "1": "surname", "2": "email", "3": "company", "4": "attr:customer_no"},
    "existing": "fill",
    "list_id": 0,
}


def write_file(path: Path, rows: int) -> None:
    """One row in a thousand is refused, one in five hundred repeats an address."""
    choose = random.Random(1).choice
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write("Imię;Nazwisko;E-mail;Firma;Nr klienta\r\n")
        for number in range(rows):
            at = "" if number % 1000 == 999 else "@"
            who = number - 1 if number % 500 == 7 else number
            first, last = choose(FIRST), choose(LAST)
            file.write(
                f"{first};{last};person{who}{at}firm{who % 5000}.example;Meble {last} sp. z o.o.;K-{number:07d}\r\n"
            )


def measure(rows: int, folder: Path) -> dict[str, object]:
    """Set Django up on the running cluster, bring the file in, check the figures."""
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    from postroom.actions.blob import blob_put_file
    from postroom.actions.import_check import import_check
    from postroom.actions.import_run import import_run
    from postroom.models.contact import Contact, ContactList, ImportRun
    from postroom.models.workspace import Workspace

    source = folder / "people.csv"
    write_file(source, rows)
    workspace = Workspace.objects.create(name="Bench")
    target = ContactList.objects.create(workspace=workspace, name="Everybody")
    run = ImportRun.objects.create(
        workspace=workspace,
        file_name="people.csv",
        file=blob_put_file(source),
        choices={**CHOICES, "list_id": target.id},
        target_list=target,
        state="checking",
    )
    began = time.perf_counter()
    import_check(import_id=run.id)
    checked = time.perf_counter()
    ImportRun.objects.filter(id=run.id).update(state="running")
    import_run(import_id=run.id)
    ended = time.perf_counter()
    run.refresh_from_db()
    stored = Contact.objects.filter(workspace=workspace).count()
    assert run.state == "done", run.error
    assert stored == run.added == rows - run.rejected - run.duplicates
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    return {
        "rows": rows,
        "rows_per_second": round(rows / (ended - began)),
        "peak_rss_mb": max(own, child),
        "check_seconds": round(checked - began, 2),
        "store_seconds": round(ended - checked, 2),
        "added": stored,
        "rejected": run.rejected,
        "duplicates": run.duplicates,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="postroom-bench-"))
    folder.chmod(0o755)
    os.environ.update(POSTROOM_DATA=str(folder), DJANGO_SETTINGS_MODULE="postroom.conf.settings")
    os.environ.pop("POSTROOM_DATABASE_URL", None)
    from postroom.conf import keys, place
    from postroom.host.postgres import Cluster

    keys.create(place.key_file())
    try:
        with (folder / "postgres.log").open("wb") as log:
            cluster = Cluster(place.cluster(), pg_bin=place.pg_bin(), output=log)
            cluster.start()
            try:
                result = measure(given.rows, folder)
            finally:
                cluster.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if given.json:
        print(json.dumps(result))
    else:
        print(f"{result['rows']:,} rows, {result['rows_per_second']:,} rows/s, {result['peak_rss_mb']} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
