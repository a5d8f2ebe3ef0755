"""Whether a workspace has entries for subdomains is asked with every mini-batch."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("postroom", "0017_people")]

    operations = [
        migrations.AddIndex(
            "suppression",
            models.Index(
                fields=["workspace"],
                name="suppression_subdomains",
                condition=models.Q(form="subdomains"),
            ),
        ),
    ]
