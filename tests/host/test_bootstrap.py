"""The scripts that set a source folder up. They know nothing but Python's standard library."""

import hashlib
import importlib.util
import io
import json
import re
import subprocess
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
VENDOR = ROOT / "src/postroom/web/static/vendor"
FILE = "uv-9.9.9-py3-none-any.whl"


@pytest.fixture
def bootstrap(tmp_path, monkeypatch):
    """The script, at work in an empty folder, for a machine whose pip is not configured."""
    spec = importlib.util.spec_from_file_location("bootstrap", ROOT / "scripts/bootstrap.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("PIP_INDEX_URL", "PIP_CERT", "PIP_PROXY", "PIP_CONFIG_FILE", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "scripts").mkdir()
    return module


@pytest.fixture
def index():
    """A package index on loopback: a page of links, and the files; `asked` keeps the paths and the logins."""
    wheel = io.BytesIO()
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("uv-9.9.9.data/scripts/uv", "#!/bin/sh\necho uv\n")
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append((self.path, self.headers.get("Authorization", "")))
            page = f'<a href="../../files/{FILE}#sha256=00">{FILE}</a>'.encode()
            body = wheel.getvalue() if self.path.startswith("/files/") else page
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever).start()
    server.asked = asked
    server.sha256 = hashlib.sha256(wheel.getvalue()).hexdigest()
    server.url = f"http://127.0.0.1:{server.server_port}/simple"
    yield server
    server.shutdown()
    server.server_close()


def pin(bootstrap, sha256):
    wheels = {bootstrap._machine(): {"file": FILE, "sha256": sha256}}
    (bootstrap.ROOT / "scripts/uv.lock.json").write_text(json.dumps({"version": "9.9.9", "wheels": wheels}))


def test_uv_comes_from_the_index_that_pip_is_configured_for(bootstrap, index, monkeypatch):
    pin(bootstrap, index.sha256)
    monkeypatch.setenv("PIP_INDEX_URL", index.url)
    uv = bootstrap.find_uv(bootstrap.pip_config())
    assert subprocess.run([uv], capture_output=True).stdout == b"uv\n"
    assert [path for path, _ in index.asked] == ["/simple/uv/", f"/files/{FILE}"]
    bootstrap.find_uv(bootstrap.pip_config())
    assert len(index.asked) == 2  # fetched once


def test_the_index_may_stand_in_pip_conf_with_a_login(bootstrap, index, tmp_path):
    pin(bootstrap, index.sha256)
    folder = tmp_path / "home/.config/pip"
    folder.mkdir(parents=True)
    url = index.url.replace("//", "//clerk:s%40fe@")
    (folder / "pip.conf").write_text(f"[global]\nindex-url = {url}\n")
    bootstrap.find_uv(bootstrap.pip_config())
    assert {login for _, login in index.asked} == {"Basic Y2xlcms6c0BmZQ=="}


def test_another_file_under_the_same_name_is_refused(bootstrap, index, monkeypatch):
    pin(bootstrap, "0" * 64)
    monkeypatch.setenv("PIP_INDEX_URL", index.url)
    with pytest.raises(SystemExit, match="SHA-256 differs"):
        bootstrap.find_uv(bootstrap.pip_config())
    assert not (bootstrap.ROOT / ".tools").exists()


def test_an_index_that_does_not_answer_is_told(bootstrap, index, monkeypatch):
    pin(bootstrap, index.sha256)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    with pytest.raises(SystemExit, match="package index cannot be reached"):
        bootstrap.find_uv(bootstrap.pip_config())


def test_every_icon_of_the_list_is_built():
    names = set((ROOT / "scripts/icons.txt").read_text().split())
    built = set(re.findall(r'<symbol id="([\w-]+)"', (VENDOR / "icons.svg").read_text()))
    assert built == names


def test_every_icon_a_page_shows_is_in_the_list():
    names = set((ROOT / "scripts/icons.txt").read_text().split())
    shown = {
        name
        for page in (ROOT / "src/postroom/web").rglob("*.html")
        for name in re.findall(r"""\{%\s*icon\s+["']([\w-]+)["']""", page.read_text())
    }
    assert shown - names == set()


def test_style_sheets_load_nothing_from_elsewhere():
    for sheet in VENDOR.glob("*.css"):
        for target in re.findall(r"url\(\s*[\"']?([^\"')]+)", sheet.read_text()):
            assert target.startswith(("data:", "#", "%23")) or (VENDOR / target).exists(), (
                sheet.name,
                target,
            )


def test_no_file_of_others_is_committed():
    done = subprocess.run(
        ["git", "ls-files", "src/postroom/web/static/vendor", "node_modules"], cwd=ROOT, capture_output=True
    )
    assert done.stdout == b""
