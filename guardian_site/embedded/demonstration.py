"""Which database a demo may write simulated history and an administrator into.

A demo marks the database as its own in the header of the SQLite file. So a backup keeps the mark,
and a restore of other data removes it; a file beside the database would stay, whatever replaced it.
"""

from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models import Model

from ingest.models import ApiKey, MinuteCount, Source

MARK = int.from_bytes(b"demo", "big")


def what_is_real() -> str | None:
    """Return in words what a demo must leave alone; None if there is nothing, or a demo made it."""
    if _is_marked():
        return None
    kept: tuple[tuple[type[Model], str], ...] = (
        (get_user_model(), "accounts"),
        (ApiKey, "API keys"),
        (Source, "sources"),
        (MinuteCount, "counts of transactions"),
    )
    # Before its first migration a database has none of these tables.
    tables = set(connection.introspection.table_names())
    found = [
        words
        for model, words in kept
        if model._meta.db_table in tables and model._base_manager.exists()
    ]
    return " and ".join(found) or None


def mark_as_demo() -> None:
    """The database says of itself that a demo made it."""
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA user_version = {MARK}")


def _is_marked() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA user_version")
        return bool(cursor.fetchone()[0] == MARK)
