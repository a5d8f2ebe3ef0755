"""The newest shared entries of a source: IS NULL in the middle of an index keeps it from giving their order."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("postroom", "0025_single_messages")]

    operations = [
        migrations.RemoveIndex("suppression", "suppression_listed"),
        migrations.AddIndex(
            "suppression",
            models.Index(
                fields=["source", "workspace", "id"],
                name="suppression_listed",
                condition=models.Q(owner__isnull=True),
            ),
        ),
        migrations.AddIndex(
            "suppression",
            models.Index(
                fields=["owner", "source", "id"],
                name="suppression_own",
                condition=models.Q(owner__isnull=False),
            ),
        ),
    ]
