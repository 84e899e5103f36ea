"""Make or drop what dashboards read: `python -m deploy.timescaledb.reporting create|drop`."""

import os
import sys
from pathlib import Path

import django
from django.conf import settings
from django.db import connection, transaction

from guardian_site.database_faults import ending_in_words

FILE = Path(__file__).with_name("reporting.sql")
READER = "guardian_reader"
WORDS = ("create", "drop")


def _statements(url: str, version: str) -> str:
    from psycopg import sql

    from ingest.models import Source

    names = {"url": url, "version": version, "canary": Source.CANARY}
    with connection.cursor() as cursor:
        return (
            sql.SQL(FILE.read_text(encoding="utf-8"))
            .format(**{name: sql.Literal(value) for name, value in names.items()})
            .as_string(cursor.connection)
        )


def drop() -> None:
    """The views are gone, so that migrations can change the columns that they show."""
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS reporting CASCADE")


def create() -> None:
    """The views are those of this version, and the reader sees them and nothing else."""
    text = _statements(settings.GUARDIAN_URL, settings.GUARDIAN_VERSION)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS reporting CASCADE")
        cursor.execute(text)
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [READER])
        # An installation that brings its own database may have no such role.
        if cursor.fetchone():
            cursor.execute(f"GRANT USAGE ON SCHEMA reporting TO {READER}")
            cursor.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA reporting TO {READER}")


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0] not in WORDS:
        print(f"Say one of: {', '.join(WORDS)}.", file=sys.stderr)
        return 2
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guardian_site.settings")
    django.setup()
    if connection.vendor != "postgresql":
        print("Dashboards by SQL need PostgreSQL; nothing to do.", file=sys.stderr)
        return 0
    create() if arguments[0] == "create" else drop()
    return 0


if __name__ == "__main__":
    with ending_in_words():
        sys.exit(main(sys.argv[1:]))
