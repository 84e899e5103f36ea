"""The only readers of what happened."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import QuerySet

from ingest.models import MinuteCount, Source
from ingest.postgresql.pool import lent_connection
from ingest.reports import SourceRef

# (source_id, minute, status, auth_code, count)
MinuteRow = tuple[int, datetime, str, str, int]
# SQLite takes a limited number of parameters, and a plan for a few thousand ids is still quick.
SOURCES_AT_ONCE = 5_000
FETCHED_AT_ONCE = 10_000
_BY_NAME = "SELECT id, name, time_zone FROM ingest_source WHERE name = ANY(%s)"


def source_refs(names: Iterable[str]) -> list[SourceRef]:
    """Return what the hot path needs to know of the sources of these names that exist."""
    wanted = list(names)
    if connection.vendor == "postgresql":
        # A batch may name a thousand: one array costs a fraction of a thousand parameters.
        with lent_connection() as lent:
            return _read(lent.execute(_BY_NAME, [wanted]).fetchall())
    rows: list[SourceRef] = []
    for start in range(0, len(wanted), SOURCES_AT_ONCE):
        found = Source.objects.filter(name__in=wanted[start : start + SOURCES_AT_ONCE])
        rows += _refs(found.order_by())
    return rows


def source_refs_after(source_id: int, most: int) -> list[SourceRef]:
    """Return the next sources by id."""
    return _refs(Source.objects.filter(pk__gt=source_id).order_by("pk")[:most])


def _refs(sources: QuerySet[Source]) -> list[SourceRef]:
    # Plain columns that need no conversion: the rows of the driver are read as they are.
    sql, parameters = sources.values_list("pk", "name", "time_zone").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return _read(cursor.fetchall())


def _read(rows: Iterable[tuple[Any, ...]]) -> list[SourceRef]:
    return [SourceRef(pk, name, _zone(zone)) for pk, name, zone in rows]


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def minute_rows(source_ids: Sequence[int], since: datetime, until: datetime) -> Iterator[MinuteRow]:
    """Yield the counts of many sources, since <= minute < until, by source and then minute."""
    ordered = sorted(source_ids)
    for start in range(0, len(ordered), SOURCES_AT_ONCE):
        rows = MinuteCount.objects.filter(
            source_id__in=ordered[start : start + SOURCES_AT_ONCE],
            minute__gte=since,
            minute__lt=until,
        ).order_by("source_id", "minute", "status", "auth_code")
        yield from rows.values_list("source_id", "minute", "status", "auth_code", "count").iterator(
            chunk_size=FETCHED_AT_ONCE
        )
