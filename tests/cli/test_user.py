"""`postroom user` from the shell's side."""

import json

import pytest

from postroom.cli.main import main
from postroom.models.user import User
from postroom.models.workspace import Workspace
from postroom.testing.cast import make_account, make_cast

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _ready(monkeypatch):
    """The database of the tests is up and migrated."""
    monkeypatch.setattr("postroom.cli.boot.ready", lambda part: None)


@pytest.fixture
def cast():
    return make_cast()


def test_the_list_names_everybody_with_firm_and_role(cast, capsys):
    assert main(["user", "list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["email"], row["role"], row["workspace"]) for row in rows] == [
        ("alice@example.org", "owner", "Alder & Pike"),
        ("bob@example.org", "member", "Alder & Pike"),
        ("charlie@example.org", "owner", "Other"),
    ]


def test_a_link_opens_a_page_for_a_new_password_once(cast, capsys, client):
    assert main(["user", "link", "Bob@example.org"]) == 0
    link = capsys.readouterr().out.strip()
    assert link.startswith("http://localhost:8025/password/reset/key/")
    path = link.removeprefix("http://localhost:8025")
    form = client.get(path, follow=True).redirect_chain[-1][0]
    new = {"password1": "another sentence", "password2": "another sentence"}
    assert client.post(form, new).status_code == 302
    assert User.objects.get(email="bob@example.org").check_password("another sentence")
    assert b"worth nothing any more" in client.get(path, follow=True).content


def test_a_link_for_nobody_is_refused(cast, capsys):
    assert main(["user", "link", "nobody@example.org"]) == 2
    assert "Nobody signs in here as nobody@example.org" in capsys.readouterr().err


def test_a_new_login_comes_with_its_link(cast, capsys):
    assert main(["user", "create", "dana@example.org", "--role", "admin"]) == 2, "two workspaces: which?"
    workspace = Workspace.objects.get(name="Other")
    command = [
        "user",
        "create",
        "dana@example.org",
        "--role",
        "admin",
        "--workspace",
        str(workspace.id),
        "--json",
    ]
    assert main(command) == 0
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert said["email"] == "dana@example.org"
    assert "/password/reset/key/" in said["link"]
    assert User.objects.get(email="dana@example.org").memberships.get().role == "admin"
    assert main(command) == 2


@pytest.mark.req("CM-17")
def test_switching_an_owner_off_names_the_accounts_that_are_left(cast, capsys):
    make_account(cast.bob, port=2525, name="Shop")
    assert main(["user", "off", "bob@example.org"]) == 0
    assert "need another owner, and are not read until then: Shop" in capsys.readouterr().out
    assert not User.objects.get(email="bob@example.org").is_active
    assert main(["user", "on", "bob@example.org"]) == 0
    assert User.objects.get(email="bob@example.org").is_active


@pytest.mark.req("GW-01")
def test_the_last_owner_stays(cast, capsys):
    assert main(["user", "off", "alice@example.org"]) == 2
    assert "last owner" in capsys.readouterr().err
    assert User.objects.get(email="alice@example.org").is_active
