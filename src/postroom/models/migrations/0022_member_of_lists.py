from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("postroom", "0021_discovery")]

    operations = [
        migrations.AddIndex(
            model_name="listmember",
            index=models.Index(fields=["contact", "contact_list"], name="list_member_of"),
        ),
        migrations.AlterField(
            model_name="listmember",
            name="contact",
            field=models.ForeignKey(db_index=False, on_delete=models.deletion.CASCADE, to="postroom.contact"),
        ),
    ]
