"""Switched off in one workspace, last seen, a version of the workspace, the newest lines of the audit trail."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("postroom", "0016_exclusions")]

    operations = [
        migrations.AddField("membership", "is_active", models.BooleanField(default=True)),
        migrations.AddField("membership", "seen_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("workspace", "version", models.PositiveIntegerField(default=1)),
        migrations.AddIndex("auditline", models.Index(fields=["workspace", "-id"], name="audit_newest")),
    ]
