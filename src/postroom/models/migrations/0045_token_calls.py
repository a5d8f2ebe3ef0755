"""Requests of a token are counted for all web processes together."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("postroom", "0044_search_grams")]

    operations = [
        migrations.CreateModel(
            name="TokenCalls",
            fields=[
                (
                    "token",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="postroom.apitoken",
                    ),
                ),
                ("minute", models.BigIntegerField()),
                ("calls", models.IntegerField()),
            ],
        ),
        # Nothing is lost with it, and no request waits for a disk.
        migrations.RunSQL("ALTER TABLE postroom_tokencalls SET UNLOGGED", migrations.RunSQL.noop),
    ]
