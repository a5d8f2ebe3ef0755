"""A throw-away instance for a benchmark: data folder, keys, embedded cluster with fsync on, Django set up."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def instance(**settings: str) -> Iterator[Path]:
    """Django is ready inside; the folder and the cluster are gone afterwards. settings: POSTROOM_ variables."""
    folder = Path(tempfile.mkdtemp(prefix="postroom-bench-"))
    folder.chmod(0o755)
    os.environ.pop("POSTROOM_DATABASE_URL", None)
    os.environ.update(POSTROOM_DATA=str(folder), DJANGO_SETTINGS_MODULE="postroom.conf.settings", **settings)
    from postroom.conf import keys, place
    from postroom.host.postgres import Cluster

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
        shutil.rmtree(folder, ignore_errors=True)


def _django() -> None:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
