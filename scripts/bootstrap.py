"""Set everything up with Python's standard library alone: uv, the virtual environment, assets, catalogues.

A bare Debian has no venv module, pip, curl or node. So uv's wheel (version and SHA-256 in uv.lock.json) is
taken from the package index that pip is configured for and unpacked below .tools/; uv then does the rest from
uv.lock. Quick when all is up to date. Writes to stderr only: stdout belongs to the command that follows.
"""

import configparser
import hashlib
import io
import json
import os
import platform
import re
import ssl
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYPI = "https://pypi.org/simple"
VENV = ROOT / ".venv"
PYTHON = VENV / "bin/python"


def main() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036  (this script meets any Python)
        sys.exit(f"Postroom needs Python 3.11 or later; {sys.executable} is {platform.python_version()}.")
    config = pip_config()
    stamp = hashlib.sha256(
        b"\0".join(
            (ROOT / name).read_bytes() for name in ("uv.lock", "pyproject.toml", "scripts/uv.lock.json")
        )
    ).hexdigest()
    stamp_file = VENV / ".postroom-stamp"
    if not PYTHON.exists() or not stamp_file.exists() or stamp_file.read_text() != stamp:
        install(find_uv(config), config)
        stamp_file.write_text(stamp)
    for script in ("assets.py", "catalogues.py"):
        run([str(PYTHON), str(ROOT / "scripts" / script)], environment(config))


def pip_config() -> dict[str, str]:
    """index-url, cert and proxy as pip would see them: its files, then its variables."""
    home = Path(os.path.expanduser("~"))
    files = [Path(p, "pip/pip.conf") for p in os.environ.get("XDG_CONFIG_DIRS", "/etc/xdg").split(":")]
    files += [Path("/etc/pip.conf"), home / ".pip/pip.conf"]
    files += [Path(os.environ.get("XDG_CONFIG_HOME", home / ".config"), "pip/pip.conf")]
    if os.environ.get("PIP_CONFIG_FILE"):
        files.append(Path(os.environ["PIP_CONFIG_FILE"]))
    found: dict[str, str] = {}
    for file in files:
        parser = configparser.RawConfigParser()
        try:
            parser.read(file, encoding="utf-8")
        except (OSError, configparser.Error, UnicodeDecodeError):
            say(f"{file} cannot be read; going on without it.")
            continue
        for section in ("global", "install"):
            found.update(parser.items(section) if parser.has_section(section) else [])
    for name in ("index-url", "cert", "proxy"):
        value = os.environ.get("PIP_" + name.upper().replace("-", "_"))
        if value:
            found[name] = value
    return found


def environment(config: dict[str, str]) -> dict[str, str]:
    """What uv and npm need to reach the network as pip would, and to work without a home folder."""
    env = dict(os.environ)
    cert = config.get("cert") or env.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile
    debian = "/etc/ssl/certs/ca-certificates.crt"
    cert = cert if cert and Path(cert).exists() else debian if Path(debian).exists() else None
    if cert:
        env.setdefault("SSL_CERT_FILE", cert)
        env.setdefault("NODE_EXTRA_CA_CERTS", cert)
    if config.get("proxy"):
        for name in ("HTTPS_PROXY", "HTTP_PROXY"):
            env.setdefault(name, config["proxy"])
    if not os.access(os.path.expanduser("~"), os.W_OK):
        env.setdefault("UV_CACHE_DIR", str(ROOT / ".cache/uv"))
    env["UV_PYTHON_DOWNLOADS"] = "never"
    env["UV_PROJECT_ENVIRONMENT"] = str(VENV)
    env.pop("VIRTUAL_ENV", None)
    return env


def find_uv(config: dict[str, str]) -> Path:
    """uv of the pinned version below .tools/, fetched once."""
    lock = json.loads((ROOT / "scripts/uv.lock.json").read_text())
    uv = ROOT / f".tools/uv-{lock['version']}"
    if uv.exists():
        return uv
    wheel = lock["wheels"].get(_machine())
    if wheel is None:
        sys.exit(f"scripts/uv.lock.json has no uv for {_machine()}. Install the packages of pyproject.toml.")
    say(f"Fetching uv {lock['version']}.")
    data = fetch(wheel["file"], config)
    if hashlib.sha256(data).hexdigest() != wheel["sha256"]:
        sys.exit(f"{wheel['file']} is not the expected file: its SHA-256 differs. Nothing was installed.")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        inside = next(name for name in archive.namelist() if name.endswith("/scripts/uv"))
        half = uv.with_suffix(f".{os.getpid()}")
        half.parent.mkdir(exist_ok=True)
        half.write_bytes(archive.read(inside))
    half.chmod(0o755)
    half.replace(uv)
    return uv


def fetch(file: str, config: dict[str, str]) -> bytes:
    """The file of project uv from the package index."""
    index, opener = _opener(config)
    page_url = f"{index}/uv/"
    try:
        page = opener.open(urllib.request.Request(page_url, headers={"Accept": "text/html"}), timeout=60)
        base, text = page.geturl(), page.read().decode("utf-8", "replace")
        link = re.search(r'href="([^"]*/)?' + re.escape(file) + r'(#[^"]*)?"', text)
        if link is None:
            sys.exit(f"The package index has no {file}.")
        url = urllib.parse.urljoin(base, link[0][6:-1].split("#")[0].replace("&amp;", "&"))
        return opener.open(url, timeout=300).read()
    except (OSError, urllib.error.URLError) as error:
        sys.exit(
            f"The package index cannot be reached: {getattr(error, 'reason', error)}. It is the one pip is"
            " configured for (PIP_INDEX_URL, PIP_CERT, HTTPS_PROXY or pip.conf)."
        )


def _opener(config: dict[str, str]) -> tuple[str, urllib.request.OpenerDirector]:
    """The address of the index without a login, and what fetches from it with the login."""
    context = ssl.create_default_context(cafile=config.get("cert") or os.environ.get("SSL_CERT_FILE") or None)
    handlers: list[urllib.request.BaseHandler] = [urllib.request.HTTPSHandler(context=context)]
    if config.get("proxy"):
        handlers.append(urllib.request.ProxyHandler({"http": config["proxy"], "https": config["proxy"]}))
    parts = urllib.parse.urlsplit(config.get("index-url", PYPI))
    if parts.username:
        passwords = urllib.request.HTTPPasswordMgrWithPriorAuth()
        user, word = urllib.parse.unquote(parts.username), urllib.parse.unquote(parts.password or "")
        parts = parts._replace(netloc=parts.netloc.rpartition("@")[2])
        passwords.add_password(None, f"{parts.scheme}://{parts.netloc}", user, word, is_authenticated=True)
        handlers.append(urllib.request.HTTPBasicAuthHandler(passwords))
    return parts.geturl().rstrip("/"), urllib.request.build_opener(*handlers)


def install(uv: Path, config: dict[str, str]) -> None:
    """Make .venv hold exactly what uv.lock says."""
    env = environment(config)
    index = pip_config().get("index-url", PYPI)
    say("Installing the packages of uv.lock.")
    if index.rstrip("/") == PYPI:
        run([str(uv), "sync", "--frozen", "--quiet", "--python", sys.executable], env)
        return
    # uv.lock names the files at PyPI; another index has the same ones (the hashes tell) at other addresses.
    env["UV_DEFAULT_INDEX"] = index
    wanted = VENV.with_name(".tools") / "requirements.txt"
    run([str(uv), "export", "--frozen", "--quiet", "--no-emit-project", "-o", str(wanted)], env)
    run([str(uv), "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(VENV)], env)
    run([str(uv), "pip", "sync", "--quiet", "--require-hashes", "--python", str(PYTHON), str(wanted)], env)
    run([str(uv), "pip", "install", "--quiet", "--no-deps", "--python", str(PYTHON), "-e", str(ROOT)], env)


def run(command: list[str], env: dict[str, str]) -> None:
    done = subprocess.run(command, cwd=ROOT, env=env, stdout=sys.stderr)  # noqa: S603
    if done.returncode:
        words = " ".join([Path(command[0]).name, *command[1:3]])
        sys.exit(f"{words} failed ({done.returncode}); its words are above.")


def _machine() -> str:
    system, machine = platform.system().lower(), platform.machine().lower()
    machine = {"amd64": "x86_64", "arm64": "aarch64" if system == "linux" else "arm64"}.get(machine, machine)
    musl = system == "linux" and "musl" in (platform.libc_ver()[0] or "musl")
    return f"{system}-musl-{machine}" if musl else f"{system}-{machine}"


def say(words: str) -> None:
    sys.stderr.write(f"setup: {words}\n")


if __name__ == "__main__":
    main()
