"""Cut plain tables into chunks: `python -m deploy.timescaledb.hypertables`.

For a database that got the extension after the migrations, or a restored backup of plain
PostgreSQL. It makes only the hypertables of two migrations (`ingest 0003`, `detection 0002`);
migrating back to those instead would remove later columns.
"""

import os
import sys

import django
from django.core.management import CommandError
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from guardian_site.database_faults import ending_in_words

CUTS = (("ingest", "0003_timescaledb"), ("detection", "0002_timescaledb"))
TABLES = ("ingest_report", "ingest_minutecount", "detection_band", "detection_anomaly")
AGGREGATES = ("ingest_daycount", "ingest_hourcount", "ingest_minutetotal")


def cut() -> str:
    """The tables of time are hypertables; tell what was done.

    Raises
    ------
    CommandError
        If the database is not ready for it.
    """
    from ingest.timescale.presence import has_timescale, is_cut

    if not has_timescale():
        raise CommandError("This database has no TimescaleDB: CREATE EXTENSION timescaledb first.")
    if all(is_cut(table) for table in TABLES):
        return "They are hypertables already."
    loader = MigrationLoader(connection)
    if not set(CUTS) <= set(loader.applied_migrations):
        raise CommandError("Its tables are not there yet: `manage.py migrate` makes hypertables.")
    with connection.cursor() as cursor:
        # Of a former run that broke off; they hold nothing that is not made again.
        for view in AGGREGATES:
            cursor.execute(f"DROP MATERIALIZED VIEW IF EXISTS {view}")
    for key in CUTS:
        with connection.schema_editor(atomic=False) as editor:
            loader.get_migration(*key).apply(loader.project_state(), editor)
    return "They are hypertables now."


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guardian_site.settings")
    django.setup()
    try:
        print(cut())
    except CommandError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    with ending_in_words():
        sys.exit(main())
