"""`postroom log` from the shell's side."""

import json

import pytest

from postroom.cli.main import main
from postroom.testing.cast import make_cast

pytestmark = pytest.mark.django_db

LINES = """\
2026-11-22T02:28:18+01:00 mx postfix/cleanup[12]: 4fKz0w1RtB2: message-id=<abc@shop.example>
2026-11-22T02:28:19+01:00 mx postfix/smtp[13]: 4fKz0w1RtB2: to=<ann@box.example>, relay=none, status=sent (250 2.0.0 Ok)
"""


@pytest.fixture(autouse=True)
def _ready(monkeypatch):
    monkeypatch.setattr("postroom.cli.boot.ready", lambda part: None)


@pytest.mark.req("CM-52")
def test_a_file_is_taken_in_once_and_its_lines_are_found(tmp_path, capsys):
    space = str(make_cast().alice.workspace.id)
    file = tmp_path / "mail.log"
    file.write_text(LINES)
    assert main(["log", "import", str(file), "--workspace", space, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "lines": 2,
        "new": 2,
        "known": 0,
        "other": 0,
        "unreadable": 0,
    }
    assert main(["log", "import", str(file), "--workspace", space]) == 0
    assert "2 lines: 0 new, 2 known" in capsys.readouterr().out
    assert main(["log", "show", "ann@box.example", "--workspace", space, "--json"]) == 0
    line = json.loads(capsys.readouterr().out)
    assert (line["address"], line["message_id"]) == ("ann@box.example", "abc@shop.example")
    assert main(["log", "show", "--workspace", space]) == 0
    assert "status=sent 250 2.0.0 Ok" in capsys.readouterr().out


def test_a_file_that_is_no_log_or_not_there_says_so(tmp_path, capsys):
    space = str(make_cast().alice.workspace.id)
    file = tmp_path / "a.txt"
    file.write_text("Hello\nthere\n")
    assert main(["log", "import", str(file), "--workspace", space]) == 1
    assert main(["log", "import", str(tmp_path / "none"), "--workspace", space]) == 2
    assert "cannot be read" in capsys.readouterr().err
