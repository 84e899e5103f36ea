"""Writing the rows that every sweep writes of each source, every minute."""

from collections.abc import Sequence
from typing import Any

import msgspec
import psycopg
from django.db import connection
from django.db.models import Field, JSONField, Model

from ingest.postgresql.pool import lent_connection

_UPSERT = """
INSERT INTO {table} ({columns}) SELECT * FROM unnest({arrays})
ON CONFLICT ({unique}) DO UPDATE SET {sets}
"""
_json = msgspec.json.Encoder()


def upsert(
    rows: Sequence[Model], *, unique_fields: Sequence[str], update_fields: Sequence[str]
) -> None:
    """The rows are inserted, or replace those that stand under the same unique fields.

    It is `bulk_create`, which on PostgreSQL would write out each value by itself, and every byte
    of a state as two letters. Here one array for each column is sent as it is.
    """
    if not rows:
        return
    model = type(rows[0])
    if connection.vendor != "postgresql":
        model._default_manager.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=unique_fields,
            update_fields=update_fields,
        )
        return
    fields = [one for one in model._meta.concrete_fields if not one.primary_key]
    columns = {one.name: one.attname for one in fields}
    statement = _UPSERT.format(
        table=model._meta.db_table,
        columns=", ".join(columns.values()),
        arrays=", ".join(_placeholder(one) for one in fields),
        unique=", ".join(columns[name] for name in unique_fields),
        sets=", ".join(f"{columns[name]} = excluded.{columns[name]}" for name in update_fields),
    )
    with lent_connection() as raw, psycopg.Cursor(raw) as cursor:
        cursor.execute(statement.encode(), {one.attname: _values(rows, one) for one in fields})


def _placeholder(field: "Field[Any, Any]") -> str:
    # Of varchar(8) an array has no length.
    kind = str(field.db_type(connection)).split("(")[0]
    sent = "text[]::" if isinstance(field, JSONField) else ""
    return f"%({field.attname})b::{sent}{kind}[]"


def _values(rows: Sequence[Model], field: "Field[Any, Any]") -> list[Any]:
    values = [getattr(row, field.attname) for row in rows]
    if isinstance(field, JSONField):
        return [_json.encode(value).decode() for value in values]
    return values
