import django.db.models.deletion
from django.db import migrations, models

# Way back: what the release before reads.
TO_LATE_HOURS = """
INSERT INTO ingest_latehour (source_id, hour)
SELECT DISTINCT source_id, hour FROM ingest_latemark
WHERE source_id IN (SELECT id FROM ingest_source)
ON CONFLICT (source_id, hour) DO NOTHING
"""


class Migration(migrations.Migration):

    dependencies = [
        ('ingest', '0005_parent_help'),
    ]

    operations = [
        migrations.CreateModel(
            name='LateMark',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('hour', models.DateTimeField()),
                ('source', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='ingest.source')),
            ],
            options={
                'ordering': ('id',),
            },
        ),
        migrations.RunSQL(migrations.RunSQL.noop, TO_LATE_HOURS),
    ]
