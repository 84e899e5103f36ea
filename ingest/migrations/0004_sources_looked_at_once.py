import django.db.models.deletion
from django.db import migrations, models


class AlterOnPostgreSQL(migrations.AlterField):
    """Django's own, where it only drops a key (backwards: makes it again, and looks at every row).

    SQLite would copy the whole table. It keeps its key, which costs no query and no lock there.
    """

    # A table at a time: whoever holds all of them while waiting for the readers of one makes every
    # report wait. What was done before it broke off is left as it is by the next run.
    atomic = True

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor != "postgresql":
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        has_key = bool(schema_editor._constraint_names(model, ["source_id"], foreign_key=True))
        if has_key != model._meta.get_field("source").db_constraint:
            super().database_forwards(app_label, schema_editor, from_state, to_state)


def without_key(model, on_delete, related_name="+"):
    return AlterOnPostgreSQL(
        model,
        "source",
        models.ForeignKey(
            db_constraint=False,
            db_index=False,
            on_delete=on_delete,
            related_name=related_name,
            to="ingest.source",
        ),
    )


class Migration(migrations.Migration):

    atomic = False

    dependencies = [("ingest", "0003_timescaledb")]

    operations = [
        without_key("report", django.db.models.deletion.PROTECT, "reports"),
        without_key("transaction", django.db.models.deletion.PROTECT),
        without_key("minutecount", django.db.models.deletion.PROTECT),
        without_key("latehour", django.db.models.deletion.CASCADE),
    ]
