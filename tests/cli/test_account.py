"""`postroom account` and `postroom keys` from the shell's side."""

import json

import pytest
from django.db import connection

from postroom.cli.main import main
from postroom.conf import keys, place
from postroom.models.account import Account
from postroom.models.campaign import CampaignState
from postroom.models.workspace import Instance
from postroom.testing.cast import make_account, make_campaign, make_cast

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _ready(monkeypatch):
    """The database of the tests is up and migrated."""
    monkeypatch.setattr("postroom.cli.boot.ready", lambda part: None)


@pytest.fixture
def cast():
    return make_cast()


def test_the_list_names_every_account_with_its_state(cast, capsys):
    make_account(cast.alice, port=25)
    make_account(cast.charlie, port=25, name="News", kind="platform", approval="pending")
    assert main(["account", "list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["name"], row["owner"], row["workspace"], row["status"]) for row in rows] == [
        ("Sales", "alice@example.org", "Alder & Pike", "ok"),
        ("News", "charlie@example.org", "Other", "pending"),
    ]
    assert main(["account", "list", "--workspace", str(cast.charlie.workspace.id)]) == 0
    out = capsys.readouterr().out
    assert "News" in out
    assert "Sales" not in out


def test_one_account_is_shown_without_its_passwords(cast, capsys):
    account = make_account(cast.bob, port=25, smtp_password="Tr0ub4dor")
    assert main(["account", "show", str(account.id), "--json"]) == 0
    out = capsys.readouterr().out
    assert "Tr0ub4dor" not in out
    shown = json.loads(out)
    assert (shown["smtp_host"], shown["has_password"]) == ("127.0.0.1", True)
    assert main(["account", "show", "0"]) == 2
    assert "no such mail account" in capsys.readouterr().err


def test_deleting_is_refused_while_campaigns_need_it(cast, capsys):
    account = make_account(cast.alice, port=25)
    campaign = make_campaign(cast.alice, account, state=CampaignState.RUNNING)
    assert main(["account", "delete", str(account.id)]) == 2
    assert campaign.name in capsys.readouterr().err
    campaign.state = CampaignState.FINISHED
    campaign.save()
    assert main(["account", "delete", str(account.id), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"deleted": account.id}
    account.refresh_from_db()
    assert account.deleted_at is not None


def test_a_check_that_nobody_does_is_given_up(cast, capsys, monkeypatch):
    monkeypatch.setattr("postroom.cli.account.CHECK_SECONDS", 0.3)
    account = make_account(cast.alice, port=25)
    assert main(["account", "check", str(account.id)]) == 2
    assert "postroom sync" in capsys.readouterr().err


def stored():
    with connection.cursor() as cursor:
        cursor.execute("SELECT smtp_password FROM postroom_account ORDER BY id")
        found = [text for (text,) in cursor.fetchall()]
        cursor.execute("SELECT relay_password FROM postroom_instance")
        return found + [text for (text,) in cursor.fetchall()]


@pytest.fixture
def key_file(tmp_path, monkeypatch):
    """A key file of its own, so that the one of the other tests stays as it is."""
    path = tmp_path / "keys.json"
    keys.create(path)
    monkeypatch.setenv("POSTROOM_KEY_FILE", str(path))
    return path


def test_keys_are_turned_over_with_every_secret_readable_all_the_time(key_file, cast, capsys):
    for number in range(3):
        make_account(cast.alice, port=25, name=f"A{number}", smtp_password=f"secret {number}")
    Instance.objects.update(relay_password="relay secret")
    before, old = stored(), keys.current().fernet_keys
    assert main(["keys", "rotate", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "changed": {"postroom_account": 3, "postroom_instance": 1},
        "keys": 2,
    }
    between = stored()
    assert not set(before) & set(between)
    assert keys.current().fernet_keys[1:] == old
    assert key_file.stat().st_mode & 0o777 == 0o600
    assert main(["keys", "rotate", "--finish"]) == 0
    assert stored() == between, "what is under the newest key is left alone"
    assert len(keys.current().fernet_keys) == 1
    assert keys.current().fernet_keys != old
    found = list(Account.objects.order_by("id").values_list("smtp_password", flat=True))
    assert found == ["secret 0", "secret 1", "secret 2"]
    assert Instance.objects.get().relay_password == "relay secret"


def test_a_secret_that_no_key_reads_keeps_the_old_keys(key_file, cast, capsys):
    account = make_account(cast.alice, port=25, smtp_password="secret")
    main(["keys", "rotate"])
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE postroom_account SET smtp_password = 'gAAAAnonsense' WHERE id = %s", [account.id]
        )
    capsys.readouterr()
    assert main(["keys", "rotate", "--finish"]) == 2
    assert str(key_file) in capsys.readouterr().err
    assert len(keys.load(key_file).fernet_keys) == 2


def test_a_key_file_of_another_installation_is_named_at_the_start(key_file, cast):
    from postroom.actions.secrets import secrets_check
    from postroom.errors import HostError

    secrets_check()
    make_account(cast.alice, port=25, smtp_password="secret")
    secrets_check()
    key_file.unlink()
    keys.create(key_file)
    with pytest.raises(HostError, match=str(key_file)):
        secrets_check()
    assert place.key_file() == key_file
    assert keys.current() == keys.load(key_file)
