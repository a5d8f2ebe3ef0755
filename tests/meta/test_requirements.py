"""docs/features.md says the truth: every row once, and done only where a test of the promised interface is marked."""

import json
import subprocess
import sys
from collections import Counter

from tests.requirements import FEATURES, PARTLY, PROMISED, ROOT, checks, listed, rewritten, single_ids

#: Rows of each kind in the requirement list.
ROWS = {"GW": 7, "SX": 9, "PI": 13, "BC": 9, "AR": 3, "RC": 17, "CM": 56, "EG": 22, "SA": 35}

TEXT = FEATURES.read_text("utf-8")


def test_every_row_is_listed_exactly_once():
    wanted = [f"{kind}-{number:02d}" for kind, count in ROWS.items() for number in range(1, count + 1)]
    assert len(wanted) == 171
    assert listed(TEXT) == wanted


def test_marks_name_known_rows_only():
    assert set(checks()) <= set(listed(TEXT))


def test_every_marked_test_lies_at_a_known_layer():
    assert [check for found in checks().values() for check in found if not check.layer] == []


def test_states_and_links_are_what_the_marks_say():
    """Otherwise: python -m tests.requirements --write"""
    wrong = [
        line
        for line, now in zip(TEXT.split("\n"), rewritten(TEXT, checks()).split("\n"), strict=True)
        if line != now
    ]
    assert wrong == []


def test_a_row_is_done_only_by_a_check_of_what_was_promised():
    covered = checks()
    done = {one for one in listed(TEXT) if f"| {one} | " in TEXT and _state(one) == "done"}
    assert done
    for one in done:
        assert {check.layer for check in covered[one]} & PROMISED, one
        assert one not in PARTLY, one


def _state(one: str) -> str:
    line = next(line for line in TEXT.splitlines() if line.startswith(f"| {one} |"))
    return line.split(" | ")[2]


def test_partly_names_known_rows_with_a_reason():
    assert set(PARTLY) <= set(listed(TEXT))
    assert all(reason.endswith(".") for reason in PARTLY.values())


def test_a_pair_of_rows_counts_as_two():
    assert single_ids("CM-14/15") == ["CM-14", "CM-15"]
    assert single_ids("CM-14") == ["CM-14"]
    assert single_ids("nonsense") == ["nonsense"]


def test_marks_are_found_on_functions_classes_modules_and_in_dialogues(tmp_path):
    web, dialogs = tmp_path / "tests" / "web", tmp_path / "tests" / "wire" / "dialogs"
    for folder in (web, dialogs):
        folder.mkdir(parents=True)
    (web / "test_x_api.py").write_text(
        "import pytest\n"
        "pytestmark = [pytest.mark.django_db, pytest.mark.req('SX-09')]\n"
        "@pytest.mark.req('CM-14/15')\n"
        "class TestIt:\n"
        "    @pytest.mark.req('CM-01', 'CM-02')\n"
        "    async def test_a(self): ...\n"
        "    def helper(self): ...\n"
    )
    (dialogs / "dsn.dialog").write_text("req: RC-01\nparcels: 1\n--\nreq: RC-02\n")
    found = checks(tmp_path / "tests")
    assert list(found) == ["CM-01", "CM-02", "CM-14", "CM-15", "RC-01", "SX-09"]
    assert {(check.test, check.layer) for one in found if one != "RC-01" for check in found[one]} == {
        ("tests/web/test_x_api.py::TestIt::test_a", "api")
    }
    assert [check.layer for check in found["RC-01"]] == ["protocol"]


def test_the_command_prints_what_is_covered_and_what_is_missing():
    done = subprocess.run(
        [sys.executable, "-m", "tests.requirements", "--json"], cwd=ROOT, capture_output=True, check=True
    )
    answer = json.loads(done.stdout)
    assert list(answer) == ["covered", "missing"]
    assert Counter(answer["missing"]) + Counter(answer["covered"].keys()) == Counter(listed(TEXT))
    assert all(set(check) == {"test", "layer"} for found in answer["covered"].values() for check in found)
