import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import postroom.models.workspace


def _id():
    return models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")


class Migration(migrations.Migration):
    dependencies = [("postroom", "0032_records_archive_webhooks")]

    operations = [
        migrations.AddField("draft", "picked", models.JSONField(default=dict)),
        migrations.AddField("message", "people", models.JSONField(default=dict)),
        migrations.AddField(
            "workspace",
            "blocked_files",
            django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=20),
                blank=True,
                default=postroom.models.workspace.blocked_by_default,
                size=None,
            ),
        ),
        migrations.CreateModel(
            name="Upload",
            fields=[
                ("id", _id()),
                ("name", models.CharField(max_length=255)),
                ("content_type", models.CharField(max_length=120)),
                ("size_bytes", models.BigIntegerField()),
                ("offset", models.BigIntegerField(default=0)),
                ("mark", models.CharField(max_length=64)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "draft",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="uploads",
                        to="postroom.draft",
                    ),
                ),
            ],
            options={"constraints": [models.UniqueConstraint(fields=("draft", "mark"), name="upload_once")]},
        ),
        migrations.CreateModel(
            name="Signature",
            fields=[
                ("id", _id()),
                ("html", models.TextField(blank=True)),
                (
                    "account",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.CASCADE, to="postroom.account"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="postroom.workspace"),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("workspace", "user", "account"),
                        name="signature_once",
                        nulls_distinct=False,
                    )
                ]
            },
        ),
        migrations.CreateModel(
            name="TemplateFile",
            fields=[
                ("id", _id()),
                ("name", models.CharField(max_length=255)),
                ("content_type", models.CharField(max_length=120)),
                (
                    "blob",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="postroom.blob"),
                ),
                (
                    "template",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="files",
                        to="postroom.template",
                    ),
                ),
            ],
        ),
    ]
