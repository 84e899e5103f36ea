import re

from django.db import migrations

# "#7 Denials at Loja 1: began together …", by itself or told as the reason of a message.
NAMED = re.compile(r"(#\d+ [^:]+?) at .+?(: (?:hidden by|began together|part of|no source) )")
AT_ONCE = 500


def forget_names(apps, schema_editor):
    """Who sees the root of a group need not see the sources of its parts."""
    for model, field, ours in (("IncidentEvent", "why", {"who": ""}), ("Notification", "reason", {})):
        rows = apps.get_model("alerts", model).objects.using(schema_editor.connection.alias)
        changed = []
        naming = rows.filter(**ours, **{f"{field}__regex": r"#[0-9]+ .* at "})
        for row in naming.only("pk", field).iterator(chunk_size=AT_ONCE):
            text = getattr(row, field)
            setattr(row, field, NAMED.sub(r"\1\2", text))
            if getattr(row, field) != text:
                changed.append(row)
        rows.bulk_update(changed, [field], batch_size=AT_ONCE)


class Migration(migrations.Migration):

    dependencies = [
        ("alerts", "0006_incidents_by_onset_and_holder"),
    ]

    operations = [
        migrations.RunPython(forget_names, migrations.RunPython.noop),
    ]
