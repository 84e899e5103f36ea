from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("access", "0004_outside_accounts")]

    operations = [
        migrations.CreateModel(
            name="RevokedToken",
            fields=[
                ("token_id", models.CharField(max_length=32, primary_key=True, serialize=False)),
                ("expires", models.DateTimeField(db_index=True)),
            ],
        ),
    ]
