from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("postroom", "0036_mailer_status")]

    operations = [
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(
                    ("campaign__isnull", False),
                    models.Q(
                        ("contact__isnull", True), ("primary_canonical__isnull", False), _connector="OR"
                    ),
                ),
                fields=["campaign", "position"],
                name="delivery_loose",
            ),
        ),
    ]
