from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("postroom", "0038_signals")]
    operations = [
        migrations.AddIndex(
            "event",
            models.Index(
                condition=models.Q(
                    ("message__isnull", True),
                    ("strength__in", ("none", "likely")),
                    models.Q(("kind", ""), _negated=True),
                ),
                fields=["workspace", "-received_at", "-id"],
                name="event_loose",
            ),
        ),
        migrations.RemoveIndex("logline", "log_newest"),
        migrations.AddIndex("logline", models.Index(fields=["workspace", "-at", "-id"], name="log_newest")),
        migrations.AddIndex(
            "logline",
            models.Index(
                condition=models.Q(("level", "info"), _negated=True),
                fields=["workspace", "-at", "-id"],
                name="log_trouble",
            ),
        ),
    ]
