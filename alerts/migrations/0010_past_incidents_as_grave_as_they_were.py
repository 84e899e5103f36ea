from django.db import migrations
from django.db.models import Exists, OuterRef


def as_grave_as_they_were(apps, schema_editor):
    """What was found in past minutes had the level of its first one, however grave the others."""
    using = schema_editor.connection.alias
    grave = apps.get_model("detection", "Anomaly").objects.filter(
        source=OuterRef("source"),
        family=OuterRef("family"),
        minute__range=(OuterRef("first_anomaly"), OuterRef("last_anomaly")),
        level="CRITICAL",
        withdrawn=None,
    )
    past = apps.get_model("alerts", "Incident").objects.using(using).filter(historical=True)
    past.filter(Exists(grave), level="WARNING").update(level="CRITICAL")


class Migration(migrations.Migration):

    dependencies = [
        ("alerts", "0009_webhook_backs_up_its_bot"),
        ("detection", "0010_special_days_of_files"),
    ]

    operations = [
        migrations.RunPython(as_grave_as_they_were, migrations.RunPython.noop),
    ]
