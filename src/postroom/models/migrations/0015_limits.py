import django.db.models.deletion
from django.db import migrations, models


def count(default: int = 0) -> models.Field:
    return models.PositiveIntegerField(default=default)


class Migration(migrations.Migration):
    dependencies = [("postroom", "0014_domains")]

    operations = [
        migrations.AddField("account", "pause_every", count()),
        migrations.AddField("account", "pause_s", count()),
        migrations.AddField("account", "per_span", count()),
        migrations.AddField("account", "span_minutes", count()),
        migrations.AddField("workspace", "parallel_runs_each", count()),
        migrations.AddField(
            "campaign",
            "mailing",
            models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="siblings",
                to="postroom.campaign",
            ),
        ),
        migrations.AddField("campaign", "waits_since", models.DateTimeField(null=True)),
        migrations.CreateModel(
            name="AccountRest",
            fields=[
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        serialize=False,
                        to="postroom.account",
                    ),
                ),
                ("sent", models.PositiveIntegerField(default=0)),
                ("until", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="WorkspaceBucket",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("window_s", models.PositiveIntegerField()),
                ("slice_at", models.BigIntegerField()),
                ("taken", models.PositiveIntegerField()),
                (
                    "workspace",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="postroom.workspace"),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("workspace", "window_s", "slice_at"), name="workspace_slice_once"
                    )
                ]
            },
        ),
    ]
