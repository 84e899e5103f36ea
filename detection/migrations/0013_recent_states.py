from django.db import migrations, models

# What moves is rewritten every minute: it stays in its row, and nothing that is packed already is
# packed again.
IN_ITS_ROW = """
ALTER TABLE detection_baseline
    ALTER COLUMN recent SET STORAGE EXTERNAL,
    ALTER COLUMN state SET STORAGE EXTERNAL,
    SET (toast_tuple_target = 4080)
"""
AS_ANY_TABLE = """
ALTER TABLE detection_baseline
    ALTER COLUMN state SET STORAGE EXTENDED,
    RESET (toast_tuple_target)
"""


class OnPostgreSQL(migrations.RunSQL):
    """SQL that other databases do without."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor == 'postgresql':
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor == 'postgresql':
            super().database_backwards(app_label, schema_editor, from_state, to_state)


class Migration(migrations.Migration):

    dependencies = [
        ('detection', '0012_pages_from_midnight'),
    ]

    operations = [
        migrations.AddField(
            model_name='baseline',
            name='recent',
            field=models.BinaryField(help_text='What moved since then, packed, as it was at `recent_version`.', null=True),
        ),
        migrations.AddField(
            model_name='baseline',
            name='recent_version',
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='baseline',
            name='state_version',
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AlterField(
            model_name='baseline',
            name='state',
            field=models.BinaryField(help_text='detection.scoring.State, packed, as it was at `state_version`; never a pickle.'),
        ),
        OnPostgreSQL(IN_ITS_ROW, AS_ANY_TABLE),
    ]
