"""Our own golden mails: tests/cases/bounce/NNN-name.{eml,toml,md}. The .toml says what must be recognised."""

import contextlib
import io
import json
import tomllib
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

from postroom.cli.recognise import run
from postroom.mail.recognise import Kind, recognise

CASES = Path(__file__).parent.parent / "cases" / "bounce"
NAMES = sorted(path.stem for path in CASES.glob("*.eml"))
OUR_MESSAGE = "20261103.0815.offer@biuro-kwiatek.example"


def expected(name: str) -> dict[str, Any]:
    return tomllib.loads((CASES / f"{name}.toml").read_text("utf-8"))


def command(names: list[str]) -> list[dict[str, Any]]:
    """What `postroom recognise FILE... --json` prints."""
    printed = io.StringIO()
    files = [str(CASES / f"{name}.eml") for name in names]
    with contextlib.redirect_stdout(printed):
        assert run(Namespace(files=files, json=True)) == 0
    lines = [json.loads(line) for line in printed.getvalue().splitlines()]
    assert [line["file"] for line in lines] == files
    return lines


@pytest.mark.parametrize("name", NAMES)
def test_a_golden_mail_is_recognised(name: str) -> None:
    want = expected(name)
    found = recognise((CASES / f"{name}.eml").read_bytes(), our_message_ids=OUR_MESSAGE.__eq__)
    assert found.kind.value == want["kind"]
    reports = [
        {
            "recipient": report.recipient,
            "action": report.action,
            "status": report.status,
            "smtp_code": report.smtp_code,
            "reason": report.reason,
            "class": report.bounce_class.value,
            "permanent": report.permanent,
        }
        for report in found.reports
    ]
    assert reports == want.get("report", [])
    assert found.heuristic == want.get("heuristic", False)
    for key in ("envelope_ids", "returned_message_ids", "x_ids", "references"):
        if key in want:
            assert list(getattr(found, key)) == want[key]
    for key in ("original_message_id", "disposition"):
        if key in want:
            assert getattr(found, key) == want[key]


@pytest.mark.parametrize("name", NAMES)
def test_every_golden_mail_says_why_it_is_there(name: str) -> None:
    assert len((CASES / f"{name}.md").read_text("utf-8").strip().splitlines()) == 1


@pytest.mark.req("BC-04")
def test_thirty_bounces_get_the_right_class_and_no_living_address_is_given_up() -> None:
    names = [name for name in NAMES if expected(name)["kind"] in ("failure", "delayed")]
    assert len(names) >= 30
    right = wrongly_given_up = mails_right = 0
    for name, line in zip(names, command(names), strict=True):
        want = {report["recipient"]: report for report in expected(name)["report"]}
        got = {report["recipient"]: report for report in line["reports"]}
        mails_right += all(who in got and got[who]["class"] == want[who]["class"] for who in want)
        wrongly_given_up += sum(
            report["permanent"] and not (who in want and want[who]["permanent"])
            for who, report in got.items()
        )
        right += 1
    assert wrongly_given_up == 0
    assert mails_right >= right * 28 / 30


@pytest.mark.req("RC-06")
def test_receipts_of_many_clients_are_told_from_answers() -> None:
    names = [name for name in NAMES if "receipt" in expected(name)]
    assert len(names) >= 12
    value = {Kind.READ: "read", Kind.DELETED: "deleted", Kind.AUTO_REPLY: "automatic"}
    for name in names:
        found = recognise((CASES / f"{name}.eml").read_bytes(), our_message_ids=OUR_MESSAGE.__eq__)
        assert value.get(found.kind, "none") == expected(name)["receipt"], name


def test_a_free_text_receipt_is_believed_only_when_it_names_our_message() -> None:
    raw = (CASES / f"{next(name for name in NAMES if 'samsung' in name)}.eml").read_bytes()
    assert recognise(raw).kind is Kind.REPLY
    assert recognise(raw, our_message_ids=lambda _: False).kind is Kind.REPLY
    assert recognise(raw, our_message_ids=OUR_MESSAGE.__eq__).heuristic


def test_the_command_and_the_function_agree() -> None:
    for name, line in zip(NAMES, command(NAMES), strict=True):
        found = recognise((CASES / f"{name}.eml").read_bytes())
        assert line["kind"] == found.kind.value
        assert [report["reason"] for report in line["reports"]] == [report.reason for report in found.reports]


def test_a_file_that_cannot_be_read_has_its_line_and_its_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    there = str(CASES / f"{NAMES[0]}.eml")
    missing = str(tmp_path / "missing.eml")
    assert run(Namespace(files=[missing, there], json=True)) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["file"] for line in lines] == [missing, there]
    assert lines[0]["kind"] == "other"
    assert lines[0]["error"]
    assert "error" not in lines[1]


def test_the_command_says_in_words_who_failed_and_why(capsys: pytest.CaptureFixture[str]) -> None:
    name = next(name for name in NAMES if "postfix-unknown-user" in name)
    assert run(Namespace(files=[str(CASES / f"{name}.eml")], json=False)) == 0
    assert "anna.nowak@firma.example: userunknown 550 5.1.1, may be given up" in capsys.readouterr().out
