"""Room for the second version of every row of a page of deliveries: with 60 a third of the outcomes found none."""

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("postroom", "0022_member_of_lists")]
    operations: ClassVar = [
        migrations.RunSQL(
            "ALTER TABLE postroom_delivery SET (fillfactor = 45);",
            "ALTER TABLE postroom_delivery SET (fillfactor = 60);",
        )
    ]
