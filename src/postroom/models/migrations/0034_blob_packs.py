from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("postroom", "0033_composer")]

    operations = [
        migrations.AddField(
            "blob", "pack", models.CharField(blank=True, db_default="", default="", max_length=32)
        ),
        migrations.AddField("blob", "offset", models.BigIntegerField(db_default=0, default=0)),
        migrations.AddConstraint(
            "mailboxchange",
            models.UniqueConstraint(
                condition=models.Q(("action", "append")), fields=["message"], name="mailbox_append_once"
            ),
        ),
    ]
