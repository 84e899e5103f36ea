from django.db import migrations

from ingest.timescale.hypertables import TimescaleSQL, ToHypertable, timescale_python
from ingest.retention import COUNTS, HOURS, MINUTES, REFRESHED, REPORTS, refreshed_back_to
from ingest.timescale.policies import UNPACK_FREELY, keep_policies, keep_refreshed

COLUMNS = """
ALTER TABLE {table} SET (timescaledb.enable_columnstore = true,
    timescaledb.segmentby = 'source_id', timescaledb.orderby = '{column} DESC, status, auth_code')
"""
# Minutes of all sources together: with many sources, what a page of everything reads.
TOTALS = """
CREATE MATERIALIZED VIEW ingest_minutetotal
WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT time_bucket('1 minute', minute) AS minute, status, auth_code, sum(count)::bigint AS count
FROM ingest_minutecount GROUP BY 1, 2, 3 WITH NO DATA
"""
HOURLY = """
CREATE MATERIALIZED VIEW ingest_hourcount
WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT source_id, time_bucket('1 hour', minute) AS hour, status, auth_code,
    sum(count)::bigint AS count
FROM ingest_minutecount GROUP BY 1, 2, 3, 4 WITH NO DATA
"""
DAILY = """
CREATE MATERIALIZED VIEW ingest_daycount
WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT source_id, time_bucket('1 day', hour) AS day, status, auth_code,
    sum(count)::bigint AS count
FROM ingest_hourcount GROUP BY 1, 2, 3, 4 WITH NO DATA
"""
UNPACK_AS_USUAL = """
DO $$ BEGIN EXECUTE format(
    'ALTER DATABASE %I RESET timescaledb.max_tuples_decompressed_per_dml_transaction',
    current_database()); END $$
"""


def policies():
    for kept in (REPORTS, COUNTS, MINUTES, HOURS):
        keep_policies(kept)
    for view, bucket in REFRESHED.items():
        keep_refreshed(view, bucket, refreshed_back_to())


class Migration(migrations.Migration):

    # A continuous aggregate cannot be made inside a transaction.
    atomic = False

    dependencies = [
        ('ingest', '0002_key_scopes_signing_and_succession'),
    ]

    operations = [
        ToHypertable('report', 'timestamp'),
        ToHypertable('minutecount', 'minute'),
        TimescaleSQL(COLUMNS.format(table='ingest_report', column='timestamp'), migrations.RunSQL.noop),
        TimescaleSQL(COLUMNS.format(table='ingest_minutecount', column='minute'), migrations.RunSQL.noop),
        TimescaleSQL(TOTALS, 'DROP MATERIALIZED VIEW IF EXISTS ingest_minutetotal'),
        TimescaleSQL(HOURLY, 'DROP MATERIALIZED VIEW IF EXISTS ingest_hourcount'),
        TimescaleSQL(DAILY, 'DROP MATERIALIZED VIEW IF EXISTS ingest_daycount'),
        TimescaleSQL(UNPACK_FREELY, UNPACK_AS_USUAL),
        timescale_python(policies),
    ]
