import django.db.models.deletion
from django.db import migrations, models

import ingest.models


class Migration(migrations.Migration):

    dependencies = [("ingest", "0001_initial")]

    operations = [
        migrations.RenameField("apikey", "scope", "scopes"),
        migrations.AlterField(
            "apikey",
            "scopes",
            models.CharField(
                default="report",
                help_text="report, read or admin; several separated by a space.",
                max_length=40,
                validators=[ingest.models._known_scopes],
            ),
        ),
        migrations.AddField(
            "apikey",
            "signed_only",
            models.BooleanField(
                default=False,
                help_text="On: takes signed requests alone, never the secret itself.",
            ),
        ),
        migrations.AlterField(
            "apikey",
            "rate_limit",
            models.CharField(
                blank=True,
                help_text="For example 6000/m; empty: unlimited.",
                max_length=16,
                validators=[ingest.models._known_rate],
            ),
        ),
        migrations.AddField(
            "apikey",
            "successor",
            models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="predecessors",
                to="ingest.apikey",
            ),
        ),
    ]
