from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("postroom", "0018_suppression_subdomains"),
    ]

    operations = [
        migrations.AddField(
            model_name="probe",
            name="letter_to",
            field=models.CharField(blank=True, max_length=254),
        ),
    ]
