from django.db import migrations
from django.db.models import F


def hold_what_waits(apps, schema_editor):
    """What was written to be sent later, and was not tried yet, is late from then on.

    Of what was tried already nothing tells for when it was first meant.
    """
    rows = apps.get_model("alerts", "Notification").objects.using(schema_editor.connection.alias)
    waiting = rows.filter(state="pending", attempts=0, held_until=None, due__gt=F("created"))
    waiting.update(held_until=F("due"))


class Migration(migrations.Migration):

    dependencies = [
        ("alerts", "0004_assigned_incidents"),
    ]

    operations = [
        migrations.RunPython(hold_what_waits, migrations.RunPython.noop),
    ]
