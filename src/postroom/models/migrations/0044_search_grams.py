"""Contacts, suppressions and the subjects of sent messages are found in the middle of their words without being read."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
from django.db import migrations, models

#: (table, column of its number, noun)
_WATCHED = (("postroom_contactsearch", "contact_id", 1), ("postroom_suppression", "id", 2))

_FUNCTION = """
CREATE FUNCTION postroom_search_due_{noun}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO postroom_searchdue (noun, first, last)
    SELECT {noun}, min({column}), max({column}) FROM changed GROUP BY {column} / 1000;
    RETURN NULL;
END $$
"""
_TRIGGER = """
CREATE TRIGGER search_due_{word} AFTER {event} ON {table}
REFERENCING {which} TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION postroom_search_due_{noun}()
"""
# Of messages only those that go out one by one are found so, and those come one by one.
_OUT = "NEW.direction = 'out' AND NEW.purpose = 'single'"
_MESSAGE = f"""
CREATE FUNCTION postroom_search_due_3() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO postroom_searchdue (noun, first, last) VALUES (3, NEW.id, NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER search_due_insert AFTER INSERT ON postroom_message
FOR EACH ROW WHEN ({_OUT}) EXECUTE FUNCTION postroom_search_due_3()
"""
_ALL = """
INSERT INTO postroom_searchdue (noun, first, last)
SELECT {noun}, min({column}), max({column}) FROM {table} WHERE {where} GROUP BY {column} / 1000
"""


def _statements() -> list[str]:
    made = []
    for table, column, noun in _WATCHED:
        made.append(_FUNCTION.format(noun=noun, column=column))
        for event, which in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD")):
            made.append(_TRIGGER.format(word=event.lower(), event=event, which=which, table=table, noun=noun))
        made.append(_ALL.format(table=table, column=column, noun=noun, where="true"))
    out = _OUT.replace("NEW.", "")
    return [*made, _MESSAGE, _ALL.format(table="postroom_message", column="id", noun=3, where=out)]


class Migration(migrations.Migration):
    dependencies = [("postroom", "0043_fewer_indexes")]

    operations = [
        migrations.CreateModel(
            name="SearchDue",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("noun", models.SmallIntegerField()),
                ("first", models.BigIntegerField()),
                ("last", models.BigIntegerField()),
            ],
            options={"indexes": [models.Index(fields=["noun"], name="search_due_noun")]},
        ),
        migrations.CreateModel(
            name="SearchGrams",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "noun", "thing_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("noun", models.SmallIntegerField()),
                ("thing_id", models.BigIntegerField()),
                (
                    "grams",
                    django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), size=None),
                ),
            ],
            options={
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(fields=["grams"], name="search_grams_gin")
                ],
            },
        ),
        migrations.RunSQL(_statements(), migrations.RunSQL.noop),
    ]
