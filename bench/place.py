"""A throw-away instance for a benchmark: data folder, keys, embedded cluster with fsync on, Django set up."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def instance(keep: Path | None = None, **settings: str) -> Iterator[Path]:
    """Django is ready inside; the folder and the cluster are gone afterwards. settings: POSTROOM_ variables.

    keep: a folder that stays, with the database in it, and is used again by the next run; see `filled`.
    """
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="postroom-bench-")) if keep is None else keep.resolve()
    folder.chmod(0o755)
    os.environ.pop("POSTROOM_DATABASE_URL", None)
    os.environ.update(POSTROOM_DATA=str(folder), DJANGO_SETTINGS_MODULE="postroom.conf.settings", **settings)
    from postroom.conf import keys, place
    from postroom.host.postgres import Cluster

    if not place.key_file().exists():
        keys.create(place.key_file())
    try:
        with (folder / "postgres.log").open("wb") as log:
            cluster = Cluster(place.cluster(), pg_bin=place.pg_bin(), output=log)
            cluster.start()
            try:
                _django()
                yield folder
            finally:
                from django.db import connections

                connections.close_all()
                cluster.stop()
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)


def filled(folder: Path, fill: Callable[[], dict[str, Any]], **size: int) -> dict[str, Any]:
    """What `fill` told when it made data of this size: now, or in an earlier run on a folder that was kept."""
    note = folder / "filled.json"
    if note.exists():
        told = json.loads(note.read_text())
        if told["size"] != size:
            raise SystemExit(f"{folder} holds data of another size: {told['size']}. Name another folder.")
        return dict(told["made"])
    made = fill()
    note.write_text(json.dumps({"size": size, "made": made}))
    return made


def _django() -> None:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
