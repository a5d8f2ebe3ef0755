"""What a whole import shares is not looked up again for each of its rows."""

import django.db.models.deletion
from django.db import migrations, models


def reference(to: str, *, null: bool = False, keep: bool = False) -> models.ForeignKey:
    """A reference without index and constraint."""
    gone = django.db.models.deletion.CASCADE if keep else django.db.models.deletion.DO_NOTHING
    return models.ForeignKey(
        to=to, on_delete=gone, db_index=False, db_constraint=False, null=null, blank=null
    )


class Migration(migrations.Migration):
    dependencies = [("postroom", "0003_contact_search_order")]

    operations = [
        migrations.AlterField("contact", "import_run", reference("postroom.importrun", null=True)),
        migrations.AlterField("contact", "workspace", reference("postroom.workspace", keep=True)),
        migrations.AlterField("contactsearch", "workspace", reference("postroom.workspace")),
        migrations.AlterField("listmember", "import_run", reference("postroom.importrun", null=True)),
        migrations.AlterField("listmember", "contact_list", reference("postroom.contactlist", keep=True)),
    ]
