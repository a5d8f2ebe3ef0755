"""`postroom account import-legacy`: the only way a POP3 account comes to be."""

import json

import pytest

from postroom.cli.main import main
from postroom.models.account import Account, Collector
from postroom.models.workspace import Workspace
from postroom.testing.cast import make_cast

pytestmark = pytest.mark.django_db

HEAD = (
    "name,address,owner,pop3_host,pop3_port,security,login,password,smtp_host,smtp_port,smtp_security,"
    "smtp_login,smtp_password\n"
)


@pytest.fixture(autouse=True)
def _ready(monkeypatch):
    """The database of the tests is up and migrated."""
    monkeypatch.setattr("postroom.cli.boot.ready", lambda part: None)


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture
def bring(cast, tmp_path, capsys):
    """Import this text; (exit code, the answer)."""

    def run(text, encoding="utf-8"):
        file = tmp_path / "old.csv"
        file.write_bytes(text.encode(encoding))
        workspace = str(cast.alice.workspace.id)
        code = main(["account", "import-legacy", str(file), "--workspace", workspace, "--json"])
        said = capsys.readouterr()
        assert "Tr0ub4dor" not in said.out + said.err
        return code, json.loads(said.out) if said.out else said.err

    return run


ANNA = "Anna,anna@firm.example,bob@example.org,pop.firm.example,,,anna,Tr0ub4dor,smtp.firm.example,,,,\n"


@pytest.mark.req("CM-02", "CM-03")
def test_rows_become_pop3_accounts_that_leave_mail_on_the_server_and_are_read(cast, bring):
    sales = "Sales,sales@firm.example,,pop.firm.example,110,starttls,sales,Tr0ub4dor,"
    sales += "smtp.firm.example,465,,out,Tr0ub4dor2\n"
    code, answer = bring(HEAD + ANNA + sales)
    assert (code, answer["made"], answer["refused"]) == (0, 2, 0)
    assert [row["line"] for row in answer["rows"]] == [2, 3]
    anna, sales = Account.objects.order_by("id")
    assert [one.id for one in (anna, sales)] == [row["account_id"] for row in answer["rows"]]
    assert (anna.protocol, anna.pop3_leave, anna.pop3_locked, anna.owner) == (
        "pop3",
        True,
        False,
        cast.bob.user,
    )
    assert (anna.imap_host, anna.imap_port, anna.imap_security) == ("pop.firm.example", 995, "tls")
    assert (anna.smtp_login, anna.smtp_password, anna.smtp_security) == ("anna", "Tr0ub4dor", "tls")
    assert (sales.imap_port, sales.smtp_port, sales.smtp_security) == (110, 465, "tls")
    assert (sales.owner, sales.smtp_login, sales.smtp_password) == (cast.alice.user, "out", "Tr0ub4dor2")
    assert (sales.status, Collector.objects.filter(is_on=True).count()) == ("untested", 2)


@pytest.mark.req("CM-02")
def test_bad_rows_are_named_with_their_column_and_do_not_keep_the_others(cast, bring):
    rows = [
        ANNA,
        ANNA,  # twice
        "Nobody,n@firm.example,charlie@example.org,pop.firm.example,,,n,Tr0ub4dor,smtp.firm.example,,,,\n",
        "Host,h@firm.example,,po p,,,h,Tr0ub4dor,smtp.firm.example,,,,\n",
        "Password,p@firm.example,,pop.firm.example,,,p,,smtp.firm.example,,,,\n",
        "Port,q@firm.example,,pop.firm.example,99999,,q,Tr0ub4dor,smtp.firm.example,,,,\n",
        "Short\n",
        "Clear,c@firm.example,,pop.firm.example,110,none,c,Tr0ub4dor,smtp.firm.example,,,,\n",
        "Żółw,z@firm.example,,pop.firm.example,,,z,Tr0ub4dor,smtp.firm.example,,,,\n",
    ]
    code, answer = bring(HEAD + "".join(rows), "cp1250")
    assert (code, answer["made"], answer["refused"]) == (1, 2, 7)
    assert [(row["line"], row["code"], row["field"]) for row in answer["rows"] if not row["account_id"]] == [
        (3, "NAME_TAKEN", "name"),
        (4, "BAD_VALUE", "owner"),
        (5, "BAD_VALUE", "pop3_host"),
        (6, "BAD_VALUE", "password"),
        (7, "BAD_VALUE", "pop3_port"),
        (8, "BAD_ADDRESS", "address"),
        (9, "CLEAR_TEXT_LOGIN", "security"),
    ]
    assert set(Account.objects.values_list("name", flat=True)) == {"Anna", "Żółw"}
    again = bring(HEAD + "".join(rows), "cp1250")[1]
    assert (again["made"], Account.objects.count()) == (0, 2)


@pytest.mark.parametrize("text", ["", "name,address\nAnna,anna@firm.example\n", HEAD.strip() + ",color\n"])
def test_a_file_without_the_columns_is_refused_as_a_whole(bring, text):
    code, said = bring(text)
    assert code == 2
    assert "columns" in said
    assert not Account.objects.exists()


def test_a_workspace_that_is_not_there_is_named(cast, bring, tmp_path, capsys):
    (tmp_path / "old.csv").write_text(HEAD)
    missing = str(Workspace.objects.order_by("-id")[0].id + 1)
    assert main(["account", "import-legacy", str(tmp_path / "old.csv"), "--workspace", missing]) == 2
    assert "no such workspace" in capsys.readouterr().err
    assert main(["account", "import-legacy", str(tmp_path / "none.csv"), "--workspace", missing]) == 2
