"""Room on each page of deliveries and shards, so that recording an outcome rewrites no index (HOT)."""

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("postroom", "0001_initial")]
    operations: ClassVar = [
        migrations.RunSQL(
            "ALTER TABLE postroom_delivery SET (fillfactor = 60); "
            "ALTER TABLE postroom_shard SET (fillfactor = 40); "
            "ALTER TABLE postroom_campaignfigures SET (fillfactor = 20);",
            migrations.RunSQL.noop,
        )
    ]
