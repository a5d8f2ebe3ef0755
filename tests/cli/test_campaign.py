"""`postroom campaign` and `postroom user invite` from the shell's side."""

import json

import pytest

from postroom.actions.campaign_start import campaign_freeze
from postroom.cli.main import main
from postroom.models.campaign import Campaign
from postroom.models.profile import Invitation, Profile
from postroom.models.workspace import Instance
from postroom.testing.cast import make_account, make_campaign, make_cast, make_list

pytestmark = pytest.mark.django_db
ALICE = ["--as", "alice@example.org"]


@pytest.fixture(autouse=True)
def _ready(monkeypatch):
    """The database of the tests is up and migrated."""
    monkeypatch.setattr("postroom.cli.boot.ready", lambda part: None)


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture
def said(capsys):
    """said("list", ...): (exit code, what was printed as JSON)."""

    def call(*words):
        code = main(["campaign", *map(str, words), "--json"])
        return code, json.loads(capsys.readouterr().out)

    return call


def test_a_campaign_is_made_started_paused_resumed_and_cancelled(cast, said, tmp_path):
    make_account(cast.alice, port=25)
    make_list(cast.alice, ["a@firm.pl", "b@firm.pl"])
    body = tmp_path / "body.html"
    body.write_text("<p>Dzień dobry {{ name }}</p>", encoding="utf-8")
    code, made = said(
        "create", "Ceny", *ALICE, "--subject", "Ceny", "--html", body, "--list", "customers",
        "--account", "Sales@alderpike.example",
    )  # fmt: skip
    assert (code, made["state"], made["html"]) == (0, "draft", "<p>Dzień dobry {{ name }}</p>")
    number = made["id"]
    assert said("start", number, *ALICE)[1]["state"] == "freezing"
    campaign_freeze(campaign_id=number)
    code, shown = said("show", number, *ALICE)
    assert (shown["state"], shown["figures"]["total"], shown["figures"]["queued"]) == ("running", 2, 2)
    assert said("pause", number, *ALICE)[1]["state"] == "paused"
    assert said("resume", number, *ALICE)[1]["state"] == "running"
    code, gone = said("cancel", number, *ALICE)
    assert (code, gone["state"]) == (0, "cancelled")
    assert [one["id"] for one in said("list", *ALICE, "--state", "cancelled")[1]] == [number]
    assert said("list", *ALICE, "--state", "running")[1] == []


def test_what_is_in_the_way_is_told_on_both_outputs(cast, capsys):
    campaign = make_campaign(cast.alice, make_account(cast.alice, port=25, status="untested"))
    assert main(["campaign", "start", str(campaign.id), *ALICE, "--json"]) == 2
    out = capsys.readouterr()
    assert json.loads(out.out)["code"] == "ACCOUNT_UNTESTED"
    assert "never checked" in out.err
    assert main(["campaign", "pause", str(campaign.id), *ALICE]) == 2
    assert capsys.readouterr().out == ""


def test_everybody_acts_with_their_own_rights(cast, said, capsys):
    campaign = make_campaign(cast.alice, make_account(cast.alice, port=25))
    assert said("show", campaign.id, "--as", "charlie@example.org") == (
        2,
        {"code": "NOT_FOUND", "message": "There is no such campaign."},
    )
    Profile.objects.update(rights=[])
    code, told = said("cancel", campaign.id, "--as", "bob@example.org")
    assert (code, told["code"]) == (2, "NO_RIGHT")
    assert main(["campaign", "list", "--as", "nobody@example.org"]) == 2
    assert "Nobody works here as nobody@example.org" in capsys.readouterr().err
    cast.bob.user.is_active = False
    cast.bob.user.save()
    assert main(["campaign", "list", "--as", "bob@example.org"]) == 2


def test_a_draft_that_cannot_be_whole_is_not_made(cast, capsys, tmp_path):
    broken = tmp_path / "body.html"
    broken.write_bytes(b"\xff\xfe\x00")
    for more in (
        ["--list", "Nobody"],
        ["--account", "x@y.pl"],
        ["--html", "/nowhere"],
        ["--html", str(broken)],
    ):
        assert main(["campaign", "create", "Ceny", *ALICE, *more]) == 2
    assert main(["campaign", "list", *ALICE, "--state", "nope"]) == 2
    assert not Campaign.objects.exists()


def test_somebody_is_invited_into_a_profile(cast, capsys):
    Instance.objects.update(url="http://post.firm.pl")
    command = ["user", "invite", "Dana@firm.pl", *ALICE, "--profile", "office", "--json"]
    assert main(command) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["email"], told["mailed"]) == ("dana@firm.pl", False)
    assert told["link"].startswith("http://post.firm.pl/invited/")
    assert Invitation.objects.get().profile_ids == [Profile.objects.get(workspace=cast.alice.workspace).id]
    assert main(command) == 2
    assert "invited already" in capsys.readouterr().err
    assert main(["user", "invite", "eve@firm.pl", *ALICE, "--profile", "Nope"]) == 2
    Profile.objects.update(rights=[])
    assert main(["user", "invite", "eve@firm.pl", "--as", "bob@example.org"]) == 2
