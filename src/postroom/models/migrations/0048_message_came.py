from django.db import migrations, models

_IN = models.Q(("direction", "in"))


class Migration(migrations.Migration):
    dependencies = [("postroom", "0047_picture_trust")]
    operations = [
        migrations.RemoveIndex("message", "message_newest"),
        migrations.AddIndex(
            "message",
            models.Index(fields=["workspace", "-created_at", "-id"], name="message_newest", condition=_IN),
        ),
        migrations.AddIndex(
            "message",
            models.Index(fields=["account", "-created_at", "-id"], name="message_came", condition=_IN),
        ),
    ]
