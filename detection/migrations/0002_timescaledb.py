from django.db import migrations

from detection.retention import KEPT
from ingest.timescale.hypertables import TimescaleSQL, ToHypertable, timescale_python
from ingest.timescale.policies import keep_policies

COLUMNS = """
ALTER TABLE detection_band SET (timescaledb.enable_columnstore = true,
    timescaledb.segmentby = 'source_id', timescaledb.orderby = 'minute DESC')
"""


def policies():
    for kept in KEPT:
        keep_policies(kept)


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('detection', '0001_initial'),
        ('ingest', '0003_timescaledb'),
    ]

    operations = [
        ToHypertable('band', 'minute'),
        ToHypertable('anomaly', 'minute'),
        TimescaleSQL(COLUMNS, migrations.RunSQL.noop),
        timescale_python(policies),
    ]
