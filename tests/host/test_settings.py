import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from postroom.conf import env, keys
from postroom.errors import HostError
from tests.host import tools

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (lambda: env.whole("POSTROOM_X", 1, least=1, most=9), "ten"),
        (lambda: env.whole("POSTROOM_X", 1, least=1, most=9), "10"),
        (lambda: env.whole("POSTROOM_X", 1), "-1"),
        (lambda: env.seconds("POSTROOM_X", 1), "soon"),
        (lambda: env.seconds("POSTROOM_X", 1), "nan"),
        (lambda: env.seconds("POSTROOM_X", 1), "0"),
        (lambda: env.seconds_list("POSTROOM_X", (1,)), "60;300"),
        (lambda: env.flag("POSTROOM_X"), "maybe"),
        (lambda: env.choice("POSTROOM_X", "a", ("a", "b")), "c"),
        (lambda: env.listen("POSTROOM_X", "127.0.0.1:1"), "8025"),
        (lambda: env.listen("POSTROOM_X", "127.0.0.1:1"), "localhost:99999"),
        (lambda: env.servers("POSTROOM_X"), "dns.example.org"),
        (lambda: env.servers("POSTROOM_X"), "192.0.2.1:99999"),
        (lambda: env.servers("POSTROOM_X"), "192.0.2.1,"),
        (lambda: env.url("POSTROOM_X", "http://a"), "post.example.org"),
        (lambda: env.url("POSTROOM_X", "http://a"), "https://post.example.org/mail"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_with_its_value(monkeypatch, read, value):
    monkeypatch.setenv("POSTROOM_X", value)
    with pytest.raises(HostError, match=rf"POSTROOM_X='{re.escape(value)}'.*expected"):
        read()


def test_good_values_are_read(monkeypatch):
    monkeypatch.setenv("POSTROOM_X", "2.5, 10")
    assert env.seconds_list("POSTROOM_X", (1,)) == (2.5, 10)
    monkeypatch.setenv("POSTROOM_X", "[::1]:25")
    assert env.listen("POSTROOM_X", "off") == ("::1", 25)
    monkeypatch.setenv("POSTROOM_X", "192.0.2.1, 127.0.0.1:5353, ::1, [2001:db8::1]:54")
    assert env.servers("POSTROOM_X") == (
        ("192.0.2.1", 53),
        ("127.0.0.1", 5353),
        ("::1", 53),
        ("2001:db8::1", 54),
    )
    monkeypatch.setenv("POSTROOM_X", "off")
    assert env.listen("POSTROOM_X", "127.0.0.1:1") is None
    monkeypatch.setenv("POSTROOM_X", "")
    assert env.whole("POSTROOM_X", 7) == 7


def test_a_secret_may_stand_in_a_file(monkeypatch, tmp_path):
    (tmp_path / "dsn").write_text("postgresql://a:b@c/d\n")
    monkeypatch.setenv("POSTROOM_X_FILE", str(tmp_path / "dsn"))
    assert env.secret("POSTROOM_X") == "postgresql://a:b@c/d"
    monkeypatch.setenv("POSTROOM_X", "other")
    with pytest.raises(HostError, match="both set"):
        env.secret("POSTROOM_X")
    monkeypatch.delenv("POSTROOM_X")
    monkeypatch.setenv("POSTROOM_X_FILE", str(tmp_path / "none"))
    with pytest.raises(HostError, match="none"):
        env.secret("POSTROOM_X")


def test_new_keys_are_readable_by_us_only_and_never_replaced(tmp_path):
    path = tmp_path / "keys.json"
    assert keys.create(path)
    assert path.stat().st_mode & 0o777 == 0o600
    first = keys.load(path)
    assert not keys.create(path)
    assert keys.load(path) == first
    assert len(first.token_keys[0]) == 32


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.pop("fernet_keys"),
        lambda data: data.update(fernet_keys=[]),
        lambda data: data.update(fernet_keys=["short"]),
        lambda data: data.update(token_keys=["zz"]),
        lambda data: data.update(token_keys=["ab"]),
        lambda data: data.update(secret_key=""),
    ],
)
def test_a_damaged_key_file_stops_the_program_and_is_named(tmp_path, change):
    path = tmp_path / "keys.json"
    keys.create(path)
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))
    with pytest.raises(HostError, match=str(path)):
        keys.load(path)


def test_a_missing_or_open_key_file_is_named(tmp_path):
    path = tmp_path / "keys.json"
    with pytest.raises(HostError, match=f"{path} is missing"):
        keys.load(path)
    keys.create(path)
    path.chmod(0o644)
    with pytest.raises(HostError, match=f"chmod 600 {path}"):
        keys.load(path)


def known():
    """Every variable that the settings read."""
    script = "import postroom.conf.settings; from postroom.conf import env; print(*sorted(env.KNOWN))"
    environ = {**os.environ, "PYTHONPATH": str(tools.SOURCE)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environ, capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_every_setting_is_explained_in_the_documentation():
    documented = set(re.findall(r"`(POSTROOM_[A-Z0-9_]+)`", (ROOT / "docs/settings.md").read_text()))
    read = {name for name in known() if not name.endswith("_FILE") or name == "POSTROOM_KEY_FILE"}
    assert read - documented == set()
    assert documented - known() == set()


def test_no_other_module_reads_the_environment_by_itself():
    readers = [
        path
        for path in (ROOT / "src/postroom").rglob("*.py")
        if re.search(r"environ(\.get\(|\[)\s*[\"']POSTROOM_", path.read_text())
        and path.parent.name not in {"conf", "practice"}
    ]
    assert [path.name for path in readers] == [
        "serve.py"
    ]  # only to see whether POSTROOM_URL was given at all
