import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("postroom", "0034_blob_packs")]

    operations = [
        migrations.AddField("account", "takes_groups", models.BooleanField(default=False)),
        migrations.AddField("posting", "options", models.JSONField(default=dict)),
        migrations.AddField("posting", "peer", models.CharField(blank=True, max_length=300)),
        migrations.AddField(
            "posting",
            "recipients",
            django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=254), default=list, size=None
            ),
        ),
        migrations.AddField(
            "posting",
            "parent",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="children",
                to="postroom.posting",
            ),
        ),
        migrations.AddField("posting", "front", models.TextField(blank=True)),
        migrations.AddField(
            "posting",
            "cuts",
            django.contrib.postgres.fields.ArrayField(
                base_field=models.PositiveIntegerField(), default=list, size=None
            ),
        ),
        migrations.CreateModel(
            name="PostingNews",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("action", models.CharField(max_length=9)),
                ("told_at", models.DateTimeField(null=True)),
                ("at", models.DateTimeField(auto_now_add=True)),
                (
                    "delivery",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="postroom.delivery",
                    ),
                ),
                (
                    "posting",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="news",
                        to="postroom.posting",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("told_at", None)), fields=["id"], name="posting_news_open"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("delivery", "action"), name="posting_news_once")
                ],
            },
        ),
    ]
