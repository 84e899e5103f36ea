"""Whether TimescaleDB is there, and which tables it has cut into chunks."""

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from ingest.expiring import Expiring

_found: Expiring[tuple[object, ...], bool] = Expiring(60, limit=100)


def timescale_version(database: BaseDatabaseWrapper | None = None) -> str | None:
    """Return the version of the extension in the database; None if it is not installed there."""
    asked = database or connection
    if asked.vendor != "postgresql":
        return None
    with asked.cursor() as cursor:
        cursor.execute("SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'")
        row = cursor.fetchone()
        return str(row[0]) if row else None


def has_timescale(database: BaseDatabaseWrapper | None = None) -> bool:
    """Tell whether the extension is installed in the database."""
    return timescale_version(database) is not None


def is_cut(table: str, database: BaseDatabaseWrapper | None = None) -> bool:
    """Tell whether a table is a hypertable: the extension may have come after the migrations."""
    if not has_timescale(database):
        return False
    with (database or connection).cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM timescaledb_information.hypertables"
            " WHERE hypertable_name = %s AND hypertable_schema = current_schema()",
            [table],
        )
        return cursor.fetchone() is not None


def is_hypertable(table: str) -> bool:
    """Tell whether a table of ours is a hypertable; what a process has found holds for a minute.

    A migration is followed by a restart anyway.
    """
    key = (*(connection.settings_dict[part] for part in ("HOST", "PORT", "NAME")), table)
    found = _found.get(key)
    if found is None:
        found = is_cut(table)
        _found.put(key, found)
    return found
