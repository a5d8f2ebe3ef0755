from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("postroom", "0039_log_indexes")]

    operations = [
        migrations.RemoveIndex(model_name="webhookcall", name="webhook_call_due"),
        migrations.AddIndex(
            model_name="webhookcall",
            index=models.Index(
                condition=models.Q(("done_at__isnull", True)),
                fields=["webhook", "next_at"],
                name="webhook_call_due",
            ),
        ),
    ]
