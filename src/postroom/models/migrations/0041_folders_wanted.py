from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("postroom", "0040_webhook_due")]

    operations = [migrations.AddField("collector", "is_wanted", models.BooleanField(default=True))]
