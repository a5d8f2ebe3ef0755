import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

COLLECTOR = {
    "asked_at": models.DateTimeField(null=True),
    "begun_at": models.DateTimeField(null=True),
    "day": models.DateField(null=True),
    "day_new": models.PositiveIntegerField(default=0),
    "refusals": models.PositiveSmallIntegerField(default=0),
    "taken": models.PositiveIntegerField(default=0),
    "to_take": models.PositiveIntegerField(default=0),
    "told_to": models.CharField(blank=True, max_length=200),
}


class Migration(migrations.Migration):
    dependencies = [("postroom", "0035_group_engine")]
    operations = [
        migrations.CreateModel(
            name="SendingMinute",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("worker", models.CharField(max_length=80)),
                ("minute_at", models.DateTimeField()),
                ("accepted", models.PositiveIntegerField(default=0)),
                ("deferred", models.PositiveIntegerField(default=0)),
                ("failed", models.PositiveIntegerField(default=0)),
                (
                    "shards",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), default=list, size=None
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, to="postroom.account"
                    ),
                ),
            ],
        ),
        *(migrations.AddField("collector", name, field) for name, field in COLLECTOR.items()),
        migrations.AddField("workspace", "log_days", models.PositiveSmallIntegerField(default=90)),
        migrations.AlterField("logline", "at", models.DateTimeField(default=django.utils.timezone.now)),
        migrations.AddIndex(
            "eventreport",
            models.Index(
                condition=models.Q(("recipient", ""), _negated=True),
                fields=["workspace", "recipient"],
                name="report_recipient",
            ),
        ),
        migrations.AddIndex(
            "logline",
            models.Index(
                condition=models.Q(("queue_id", ""), _negated=True),
                fields=["workspace", "queue_id"],
                name="log_queue",
            ),
        ),
        migrations.AddConstraint(
            "sendingminute",
            models.UniqueConstraint(fields=("account", "minute_at", "worker"), name="sending_minute_once"),
        ),
    ]
