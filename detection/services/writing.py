"""Writing Baselines: the one thing that every sweep writes for each source, every minute."""

from collections.abc import Sequence

import psycopg
from django.db import connection

from detection.models import Baseline

_MOVED = (
    *("recent", "state_version", "recent_version", "through", "reported", "live", "version"),
    *("updated", "replayed"),
)
_UPDATE = """
UPDATE detection_baseline AS b SET {sets}
FROM unnest({arrays}) AS n (source_id, {names}) WHERE b.source_id = n.source_id
"""


def write_baselines(rows: Sequence[Baseline], *, whole: bool) -> None:
    """Baselines that are stored, and locked, are updated, with their `state` or without."""
    if not rows:
        return
    names = ("state", *_MOVED) if whole else _MOVED
    if connection.vendor == "postgresql":
        _update(rows, names)
    else:
        Baseline.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["source"], update_fields=names
        )


def _update(rows: Sequence[Baseline], names: Sequence[str]) -> None:
    """Update by one array for each column.

    The ORM would send a row at a time, and every byte of a state as two letters.
    """
    kinds = {name: Baseline._meta.get_field(name).db_type(connection) for name in names}
    arrays = [f"%({name})b::{str(kind).split('(')[0]}[]" for name, kind in kinds.items()]
    statement = _UPDATE.format(
        sets=", ".join(f"{name} = n.{name}" for name in names),
        arrays=", ".join(["%(source_id)b::bigint[]", *arrays]),
        names=", ".join(names),
    )
    values = {name: [getattr(row, name) for row in rows] for name in ("source_id", *names)}
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(statement.encode(), values)
