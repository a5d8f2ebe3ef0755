"""A collector's first reading begins with mail that arrived from a moment on."""

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("postroom", "0004_import_speed")]

    operations = [
        migrations.AddField(
            "collector", "take_from", models.DateTimeField(default=django.utils.timezone.now)
        ),
    ]
