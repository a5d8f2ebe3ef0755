"""Statements that run thousands of times are planned once, by plans that hold for tables of any size."""

import pytest
from django.db import connection, transaction

from postroom.actions.shard import shard_load
from postroom.models.delivery import Delivery
from postroom.models.suppression import Suppression
from postroom.queries.prepared import prepared
from tests.actions.test_shard import campaign, claim, result, step

__all__ = ["campaign"]
pytestmark = pytest.mark.django_db


def plans():
    """What was prepared here, by its first words of sense."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, statement, generic_plans, custom_plans FROM pg_prepared_statements")
        return cursor.fetchall()


def work_off(campaign):
    held = claim()
    for number, begin in enumerate((0, 5)):
        rows = shard_load(held, begin, begin + 5)
        assert step(held, 1 + 2 * number, [], begin + 5).go
        assert step(held, 2 + 2 * number, [result(row) for row in rows], begin + 5).held


def test_a_statement_is_planned_once_a_connection_without_its_values(campaign):
    work_off(campaign)
    counted = {statement: (generic, custom) for _, statement, generic, custom in plans()}
    assert len(counted) == 3  # load, mark, mark and outcomes
    assert set(counted.values()) == {(2, 0)}
    assert set(Delivery.objects.values_list("state", flat=True)) == {"accepted"}


def test_a_plan_made_on_empty_tables_reads_no_table_from_end_to_end(campaign):
    work_off(campaign)
    with connection.cursor() as cursor:
        for name, statement, _, _ in plans():
            kinds = "SELECT cardinality(parameter_types) FROM pg_prepared_statements WHERE name = %s"
            cursor.execute(kinds, [name])
            values = ", ".join(["NULL"] * cursor.fetchone()[0])
            cursor.execute(f'EXPLAIN EXECUTE "{name}"({values})')
            plan = "\n".join(row[0] for row in cursor.fetchall())
            for table in ("postroom_delivery", "postroom_suppression", "postroom_message", "postroom_shard"):
                assert f"Seq Scan on {table}" not in plan, statement
            for way in ("Hash Join", "Merge Join", "suppression_listed", "suppression_own"):
                assert way not in plan, statement


def test_a_connection_that_was_lost_is_prepared_again(transactional_db):
    assert prepared("SELECT %(n)s::int + 1", {"n": 1}) == [(2,)]
    connection.close()
    assert prepared("SELECT %(n)s::int + 1", {"n": 2}) == [(3,)]
    assert [row[1] for row in plans()] == ["SELECT $1::int + 1"]


def test_a_transaction_that_failed_takes_nothing_from_the_next_one(transactional_db):
    connection.close()
    with transaction.atomic():
        prepared("SELECT %(n)s::int", {"n": 1})
        transaction.set_rollback(True)
    prepared("SELECT %(n)s::int", {"n": 2})
    with connection.cursor() as cursor:
        cursor.execute("SHOW plan_cache_mode")
        assert cursor.fetchone() == ("force_generic_plan",)


def test_an_address_suppressed_among_many_is_found_by_the_kept_plan(campaign):
    held = claim()
    assert not any(row.suppressed for row in shard_load(held, 0, 10))
    Suppression.objects.bulk_create(
        Suppression(workspace_id=held.workspace_id, form="address", value=value, source="manual")
        for value in ("p3@example.net", *(f"other{n}@example.net" for n in range(3000)))
    )
    assert [row.index for row in shard_load(held, 0, 10) if row.suppressed] == [3]
