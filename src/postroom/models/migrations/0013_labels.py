"""What a message and a campaign are about."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("postroom", "0012_office")]

    operations = [
        migrations.AddField(
            model_name=name,
            name="type",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="postroom.messagetype",
            ),
        )
        for name in ("campaign", "message")
    ]
