"""`postroom import` from the shell's side."""

import json

import pytest

from postroom.cli.main import main
from postroom.models.contact import Contact, ContactList
from postroom.models.workspace import Workspace
from postroom.testing.cast import make_cast

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def ready(monkeypatch):
    """The database of the tests is up and migrated."""
    monkeypatch.setattr("postroom.cli.boot.ready", lambda part: None)


@pytest.fixture
def cast():
    found = make_cast()
    Workspace.objects.filter(id=found.charlie.workspace.id).delete()
    return found


def test_people_come_in_and_the_figures_are_json(cast, tmp_path, capsys):
    file = tmp_path / "klienci.csv"
    file.write_bytes("Imię;E-mail\r\nŻaneta;z@b.example\r\nZły;nie\r\n".encode("cp1250"))
    assert main(["import", str(file), "--list", "Klienci", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["rows"], said["added"], said["rejected"]) == (2, 1, 1)
    assert Contact.objects.get().name == "Żaneta"
    assert ContactList.objects.get(id=said["list_id"]).name == "Klienci"
    assert main(["import", str(file), "--list", "klienci", "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert (again["added"], again["unchanged"], again["list_id"]) == (0, 1, said["list_id"])
    assert file.exists()


def test_what_cannot_be_used_ends_with_code_2_and_a_word(cast, tmp_path, capsys):
    file = tmp_path / "people.xlsx"
    file.write_bytes(b"PK\x03\x04 and so on")
    assert main(["import", str(file)]) == 2
    assert "CSV UTF-8" in capsys.readouterr().err
    assert main(["import", str(tmp_path / "none.csv")]) == 2
    assert not Contact.objects.exists()


def test_columns_can_be_given(cast, tmp_path, capsys):
    file = tmp_path / "people.csv"
    file.write_text("x,y\nJan,jan@b.example\n")
    assert main(["import", str(file), "--column", "1=surname", "--column", "2=email", "--json"]) == 0
    assert Contact.objects.get().surname == "Jan"
