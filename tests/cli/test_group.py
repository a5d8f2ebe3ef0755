"""`postroom group` from the shell's side."""

import csv
import io
import json

import pytest
from django.utils import timezone

from postroom.actions.group import group_make
from postroom.cli.main import main
from postroom.models.domain import Domain
from postroom.models.group import Group
from postroom.queries.group import kind_of
from postroom.testing.cast import make_cast

pytestmark = pytest.mark.django_db
ALICE = ["--as", "alice@example.org"]


@pytest.fixture(autouse=True)
def _ready(monkeypatch):
    """The database of the tests is up and migrated."""
    monkeypatch.setattr("postroom.cli.boot.ready", lambda part: None)


@pytest.fixture
def cast():
    made = make_cast()
    for name in ("alderpike.example", "pike.example"):
        Domain.objects.create(workspace=made.alice.workspace, name=name, token="t", proved_at=timezone.now())
    return made


@pytest.fixture
def said(capsys):
    """said("list", ...): (exit code, what was printed as JSON)."""

    def call(*words):
        code = main(["group", *map(str, words), "--json"])
        return code, json.loads(capsys.readouterr().out)

    return call


@pytest.mark.req("EG-01", "EG-15", "EG-18", "EG-20", "EG-22")
def test_a_group_is_made_changed_filled_and_deleted(cast, said):
    code, made = said("add", "office@pike.example", "RealName=Office", "Expand=no", *ALICE)
    assert (code, made["address"], made["RealName"], made["Expand"]) == (
        0,
        "office@pike.example",
        "Office",
        False,
    )
    assert made["SetReplyTo"] is True
    code, changed = said("set", made["address"], "expand=YES", "WhoMayPost=members", *ALICE)
    assert (changed["Expand"], changed["WhoMayPost"]) == (True, "members")
    code, added = said("member", made["address"], "anna", "jan@gmail.example", "anna", *ALICE)
    assert (code, added["added"]) == (1, ["anna@pike.example", "jan@gmail.example"])
    assert [one["code"] for one in added["errors"]] == ["MEMBER_EXISTS"]
    assert said("show", made["address"], *ALICE)[1]["Members"] == ["anna@pike.example", "jan@gmail.example"]
    assert said("remove", made["address"], "ANNA", *ALICE)[1] == {"removed": 1}
    (row,) = said("list", *ALICE)[1]
    assert (row["address"], row["members_count"]) == ("office@pike.example", 1)
    code, problem = said("delete", made["address"], *ALICE, "--confirm", "office")
    assert (code, problem["code"]) == (2, "CONFIRM")
    assert said("delete", made["address"], *ALICE, "--confirm", made["address"])[0] == 0
    assert said("list", *ALICE)[1] == []


def test_who_has_no_right_is_told_so(cast, said):
    code, problem = said("add", "office@pike.example", "--as", "bob@example.org")
    assert (code, problem["code"]) == (2, "NO_RIGHT")
    code, problem = said("set", "none@pike.example", "Expand=yes", *ALICE)
    assert (code, problem["code"]) == (2, "NOT_FOUND")


def test_groups_of_communigate_that_contain_each_other_are_taken_over(cast, said, tmp_path):
    (tmp_path / "office.grp").write_text('{Members=(sales,"jan@gmail.example",?!@);SetReplyTo=NO;}')
    (tmp_path / "sales.grp").write_text('{Members=(office,anna);RealName="Sales";}')
    files = [tmp_path / "office.grp", tmp_path / "sales.grp"]
    code, taken = said("import", *files, *ALICE, "--domain", "pike.example")
    assert code == 1
    assert [(one["address"], one["made"], one["added"]) for one in taken] == [
        ("office@pike.example", True, 2),
        ("sales@pike.example", True, 2),
    ]
    assert [one["code"] for one in taken[0]["errors"]] == ["BAD_ADDRESS"]
    office = Group.objects.get(name="office")
    assert office.set_reply_to is False
    assert {one.address: kind_of(one) for one in office.members.all()} == {
        "sales@pike.example": "group",
        "jan@gmail.example": "external",
    }
    assert Group.objects.get(name="sales").members.filter(subgroup=office).exists()
    code, again = said("import", files[1], *ALICE, "--domain", "pike.example")
    assert (code, again[0]["made"], again[0]["added"], again[0]["here"]) == (0, False, 0, 2)


def test_mailman_and_csv_come_in_by_the_name_of_their_file(cast, said, tmp_path):
    (tmp_path / "board.txt").write_text("jan@gmail.example\nanna@alderpike.example\n")
    (tmp_path / "all.csv").write_text("group,address,name\nstaff,eve@x.example,Eve\nshop,a@x.example,\n")
    code, taken = said(
        "import", tmp_path / "board.txt", tmp_path / "all.csv", *ALICE, "--domain", "alderpike.example"
    )
    assert (code, [one["address"].partition("@")[0] for one in taken]) == (0, ["board", "staff", "shop"])
    assert Group.objects.get(name="staff").members.get().name == "Eve"


def test_the_maps_of_postfix_name_every_group(cast, said, settings, tmp_path, capsys):
    settings.POSTROOM_INGRESS_LMTP = ("127.0.0.1", 8024)
    domain = Domain.objects.get(name="pike.example")
    group_make(viewer=cast.alice, domain_id=domain.id, name="office")
    group_make(viewer=cast.alice, domain_id=domain.id, name="closed", email_disabled=True)
    code, counts = said("export", "--postfix", tmp_path / "maps")
    assert (code, counts["transport"]) == (0, 1)
    lines = (tmp_path / "maps" / "postroom_transport").read_text().splitlines()
    assert lines == ["office@pike.example lmtp:inet:[127.0.0.1]:8024"]
    assert "office" in (tmp_path / "maps" / "postroom_recipients").read_text()
    main(["group", "member", "office@pike.example", "=cmd <jan@x.example>", *ALICE])
    capsys.readouterr()
    assert main(["group", "export", "--csv", "office@pike.example", *ALICE]) == 0
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert rows == [
        ["group", "address", "name", "kind", "state"],
        ["office@pike.example", "jan@x.example", "'=cmd", "external", "active"],
    ]
