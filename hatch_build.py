"""Build hook: the wheel carries the browser assets and the compiled catalogues, which are in no repository.

They are made by `make setup`, or here when node and Babel are at hand. A wheel without them is never built.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parent
WANTED = ("tabler.min.css", "plex-sans.css", "plex-mono.css", "uPlot.iife.min.js", "icons.svg")


class AssetsHook(BuildHookInterface):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":  # of a source folder, where `make setup` keeps them fresh
            return
        python = ROOT / ".venv/bin/python"
        for script in ("assets.py", "catalogues.py"):
            command = [str(python) if python.exists() else sys.executable, str(ROOT / "scripts" / script)]
            subprocess.run(command, cwd=ROOT, check=True)  # noqa: S603
        vendor = ROOT / "src/postroom/web/static/vendor"
        missing = [name for name in WANTED if not (vendor / name).exists()]
        if missing:
            raise RuntimeError(f"{vendor} lacks {', '.join(missing)}. Run `make assets`.")
        build_data["artifacts"] += ["src/postroom/web/static/vendor/**", "src/postroom/web/locale/**/*.mo"]
