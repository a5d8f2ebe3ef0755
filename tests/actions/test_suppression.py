from datetime import timedelta

import psycopg
import pytest
from django.db import connection

from postroom.actions.campaign_start import campaign_freeze, campaign_start
from postroom.actions.shard import shard_claim, shard_load
from postroom.actions.suppression import (
    suppression_add,
    suppression_enter,
    suppression_lift,
    suppression_put_back,
)
from postroom.actions.suppression_import import suppression_import
from postroom.errors import InputError, NotFound
from postroom.models.suppression import Suppression
from postroom.queries import prepared
from postroom.queries.suppression import (
    suppression_counts,
    suppression_matches,
    suppression_page,
    suppressions_covering,
)
from postroom.testing.cast import make_account, make_campaign, make_cast, make_list

pytestmark = pytest.mark.django_db

PATTERNS = [
    "jan@firma.pl",
    "JAN@Firma.PL",
    "jan+news@firma.pl",
    "jan@sklep.firma.pl",
    "@firma.pl",
    "@sklep.firma.pl",
    "@*.firma.pl",
    "@*.pl",
    "jan@",
    "info@",
    "@żółw.pl",
    "zażółć@firma.pl",
]
ADDRESSES = [
    "jan@firma.pl",
    "Jan@FIRMA.pl",
    "jan+news@firma.pl",
    "janek@firma.pl",
    "jan@sklep.firma.pl",
    "jan@a.sklep.firma.pl",
    "jan@innafirma.pl",
    "info@firma.pl",
    "info@example.com",
    "ola@xn--w-uga1v8h.pl",
    "zażółć@firma.pl",
    "jan@example.com",
]
# A row a pattern, a column an address: the whole table was worked out by hand.
COVERED = """
xx..........
xx..........
..x.........
....x.......
xxxx...x..x.
....x.......
....xx......
xxxxxxxx.xx.
xx..xxx....x
.......xx...
.........x..
..........x.
"""


@pytest.fixture
def cast():
    return make_cast()


@pytest.mark.req("SX-03")
@pytest.mark.parametrize("row", range(12))
def test_each_pattern_covers_exactly_the_addresses_of_its_row(cast, row):
    make_list(cast.alice, ADDRESSES[:1])
    suppression_enter(viewer=cast.alice, entry=PATTERNS[row], why="asked")
    found = []
    for address in ADDRESSES:
        canonical = address.lower()
        found.append("x" if suppressions_covering(cast.alice.workspace.id, [canonical]) else ".")
    assert "".join(found) == COVERED.split()[row]


@pytest.mark.req("SX-03")
def test_a_file_with_one_bad_line_stores_the_good_ones_and_names_the_bad_one(cast, tmp_path):
    suppression_enter(viewer=cast.alice, entry="old@firma.pl")
    # the same entry from an import is another source and counts as new; repeated lines do not
    lines = ["# our list", "a@firma.pl", "", "@konkurent.pl  # competitor", "b@@firma", "jobs@", "A@firma.pl"]

    def bring_in():
        file = tmp_path / "optouts.csv"
        file.write_text("\n".join(lines))
        return suppression_import(viewer=cast.alice, file=file, file_name=file.name)

    report = bring_in()
    assert (report.state, report.accepted, report.duplicates, report.rejected) == ("done", 3, 1, 1)
    bad = report.line_errors.get()
    assert (bad.line, bad.text) == (5, "b@@firma")
    assert "user@firm.pl" in bad.reason
    again = bring_in()
    assert (again.accepted, again.duplicates) == (0, 4)
    assert suppression_counts(cast.alice) == {"": 4, "manual": 1, "import": 3}


@pytest.mark.parametrize(
    "bad", ["", "firma", "@", "@firma", "*@firma.pl", "a b@firma.pl", "@*.", "a@b.pl\nc@d.pl"]
)
def test_another_form_is_refused(cast, bad):
    with pytest.raises(InputError) as caught:
        suppression_enter(viewer=cast.alice, entry=bad)
    assert caught.value.code == "BAD_ENTRY"
    assert not Suppression.objects.exists()


def test_adding_twice_changes_nothing(cast):
    values = {"workspace_id": cast.alice.workspace.id, "entry_form": "address", "source": "bounce"}
    assert suppression_add(value="Gone@Firma.PL", why="5.1.1", **values) is True
    assert suppression_add(value="gone@firma.pl", why="again", **values) is False
    assert Suppression.objects.get().why == "5.1.1"


def test_an_entry_may_stop_mail_to_one_list_only(cast):
    some = make_list(cast.alice, ["a@b.example"])
    firm = cast.alice.workspace.id
    suppression_add(
        workspace_id=firm,
        entry_form="address",
        value="a@b.example",
        source="unsubscribe",
        contact_list_id=some.id,
    )
    assert suppressions_covering(firm, ["a@b.example"]) == {}
    assert list(suppressions_covering(firm, ["a@b.example"], some.id)) == ["a@b.example"]


def test_a_lifted_entry_comes_back_as_it_was(cast):
    firm = cast.alice.workspace.id
    suppression_add(
        workspace_id=firm, entry_form="address", value="a@b.example", source="complaint", why="ARF"
    )
    before = Suppression.objects.values("form", "value", "source", "why", "at").get()
    count, step = suppression_lift(viewer=cast.alice, ids=[Suppression.objects.get().id])
    assert (count, Suppression.objects.count()) == (1, 0)
    assert suppression_put_back(viewer=cast.alice, step_id=step) == 1
    assert Suppression.objects.values("form", "value", "source", "why", "at").get() == before


def test_another_firms_entries_are_neither_seen_nor_lifted(cast):
    suppression_enter(viewer=cast.alice, entry="a@b.example")
    assert suppression_page(cast.charlie).entries == []
    with pytest.raises(NotFound):
        suppression_lift(viewer=cast.charlie, ids=[Suppression.objects.get().id])


def test_an_entry_says_how_many_people_it_covers(cast):
    make_list(cast.alice, ["a@firma.pl", "b@firma.pl", "c@x.firma.pl", "jobs@y.pl"])
    assert suppression_matches(cast.alice, "domain", "firma.pl") == (2, True)
    assert suppression_matches(cast.alice, "subdomains", "firma.pl") == (1, True)
    assert suppression_matches(cast.alice, "local", "jobs") == (1, True)
    assert suppression_matches(cast.charlie, "domain", "firma.pl") == (0, True)


def test_the_check_at_dispatch_is_one_statement_and_looks_up_by_index(cast, monkeypatch):
    """However many recipients a batch has and however many entries there are (SX-01; DESIGN 4.4)."""
    people = make_list(cast.alice, [f"p{n}@firm{n % 50}.pl" for n in range(200)])
    campaign = make_campaign(cast.alice, make_account(cast.alice, port=25), people)
    campaign_start(viewer=cast.alice, campaign_id=campaign.id, undo_s=0)
    campaign_freeze(campaign_id=campaign.id)
    Suppression.objects.bulk_create(
        Suppression(
            workspace=cast.alice.workspace, form="address", value=f"p{n}@firm{n % 50}.pl", source="import"
        )
        for n in range(100, 20_000)
    )
    suppression_enter(viewer=cast.alice, entry="@*.pl")
    Suppression.objects.filter(form="subdomains").update(value="elsewhere.pl")
    claim = shard_claim(worker="x", lease=timedelta(minutes=1), busy=[])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE postroom_suppression")
        cursor.execute("ANALYZE postroom_delivery")
    said, link = [], connection.connection

    class Listening(prepared.Cursor):
        def execute(self, query, params=None, **more):
            said.append((query, params))
            return super().execute(query, params, **more)

    shard_load(claim, 0, 1)  # the settings of the session are made once
    said.clear()
    monkeypatch.setattr(prepared, "Cursor", Listening)
    rows = shard_load(claim, 0, 200)
    monkeypatch.undo()
    assert sum(row.suppressed == "suppressed_shared" for row in rows) == 100
    assert len(said) == 1
    for name in ("enable_seqscan", "enable_hashjoin", "enable_mergejoin"):
        link.execute(f"SET {name} = on")  # the index is found without being told to
    plan = "\n".join(row[0] for row in link.execute(f"EXPLAIN {said[0][0]}", said[0][1]))
    assert "Seq Scan on postroom_suppression" not in plan, plan
    assert "suppression_once" in plan, plan


@pytest.mark.django_db(transaction=True)
def test_delivery_is_woken_when_the_entry_is_committed():
    cast = make_cast()
    with psycopg.connect(_url(), autocommit=True) as ear:
        ear.execute("LISTEN postroom_suppression")
        suppression_enter(viewer=cast.alice, entry="a@b.example")
        heard = next(ear.notifies(timeout=5))
    assert heard.payload == str(cast.alice.workspace.id)


def _url() -> str:
    settings = connection.settings_dict
    parts = {
        "host": settings["HOST"],
        "port": settings["PORT"],
        "user": settings["USER"],
        "dbname": settings["NAME"],
    }
    return psycopg.conninfo.make_conninfo("", **{key: value for key, value in parts.items() if value})
