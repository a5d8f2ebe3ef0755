import django.db.models.deletion
from django.db import migrations, models

import postroom.models.secret


class Migration(migrations.Migration):
    dependencies = [("postroom", "0031_conversation_work")]

    operations = [
        migrations.CreateModel(
            name="RecordKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.CharField(max_length=60)),
                ("records", models.PositiveIntegerField()),
                (
                    "workspace",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="postroom.workspace",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("workspace", "key"), name="record_key_once")]
            },
        ),
        migrations.RemoveIndex(model_name="record", name="record_name"),
        migrations.AddField(
            model_name="record",
            name="search",
            field=models.TextField(blank=True, db_collation="C", default=""),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="record",
            name="sort_key",
            field=models.CharField(blank=True, db_collation="C", default="", max_length=200),
            preserve_default=False,
        ),
        migrations.AddIndex(
            model_name="record",
            index=models.Index(fields=["workspace", "sort_key", "id"], name="record_sort"),
        ),
        migrations.AlterField(
            model_name="recordperson",
            name="contact",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="records",
                to="postroom.contact",
            ),
        ),
        migrations.AddField(
            model_name="campaign",
            name="sample",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="postroom.blob",
            ),
        ),
        migrations.AddField(
            model_name="draft",
            name="template",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="postroom.template",
            ),
        ),
        migrations.AddField(
            model_name="message",
            name="template",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="postroom.template",
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("direction", "out"), ("purpose", "single")),
                fields=["workspace", "-created_at", "-id"],
                name="message_sent",
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("direction", "out"), ("purpose", "single")),
                fields=["workspace", "user", "-created_at", "-id"],
                name="message_sent_by",
            ),
        ),
        migrations.AddField(
            model_name="profile",
            name="archive_scope",
            field=models.CharField(
                choices=[("own", "Own"), ("team", "Team"), ("all", "All")], default="team", max_length=4
            ),
        ),
        migrations.AddField(
            model_name="webhook", name="failing_since", field=models.DateTimeField(null=True)
        ),
        migrations.AddField(
            model_name="webhook",
            name="old_secret",
            field=postroom.models.secret.SecretField(blank=True, default=""),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="webhook", name="old_secret_until", field=models.DateTimeField(null=True)
        ),
        migrations.AddField(model_name="webhook", name="rests_until", field=models.DateTimeField(null=True)),
        migrations.AddField(
            model_name="webhookcall", name="is_given_up", field=models.BooleanField(default=False)
        ),
        migrations.AlterField(
            model_name="webhookcall",
            name="webhook",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="calls",
                to="postroom.webhook",
            ),
        ),
        migrations.AddIndex(
            model_name="webhookcall",
            index=models.Index(fields=["webhook", "-id"], name="webhook_call_newest"),
        ),
    ]
