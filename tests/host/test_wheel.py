import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_wheel_carries_the_browser_assets_and_no_source_of_them(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("postroom-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    vendor = "postroom/web/static/vendor/"
    assert {vendor + "tabler.min.css", vendor + "icons.svg", vendor + "plex-sans.css"} <= names
    assert any(name.startswith(vendor + "files/") and name.endswith(".woff2") for name in names)
    assert {"postroom/cli/main.py", "postroom/models/migrations/0001_initial.py"} <= names
    assert not [name for name in names if "node_modules" in name or name.startswith("tests/")]
