"""Sums over long times: from the continuous aggregates of TimescaleDB, from the minutes elsewhere.

An aggregate follows late reports within ten minutes; of the last three hours it is always exact.
"""

from collections import Counter
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Sum

from ingest.models import MinuteCount
from ingest.timescale.presence import is_hypertable

HOUR = timedelta(hours=1)
# Over so little time the minutes themselves are as quick.
WORTH_SUMS = 6 * HOUR
# Where the sums of each source are stored, those of the hours first: days are made of them.
_STORED = """
SELECT format('%I.%I', materialization_hypertable_schema, materialization_hypertable_name)
FROM timescaledb_information.continuous_aggregates
WHERE view_name IN ('ingest_hourcount', 'ingest_daycount') AND view_schema = current_schema()
ORDER BY view_name DESC
"""


def totals_ever(source_ids: Collection[int] | None = None) -> dict[str, int]:
    """Return the transactions of each status over all that was ever counted."""
    if is_hypertable("ingest_minutecount"):
        return _summed("ingest_daycount", "", [], source_ids)
    return _minutes(source_ids)


def totals_between(
    since: datetime, until: datetime, source_ids: Collection[int] | None = None
) -> dict[str, int]:
    """Return the transactions of each status, since <= minute < until."""
    if until - since < WORTH_SUMS or not is_hypertable("ingest_minutecount"):
        return _minutes(source_ids, minute__gte=since, minute__lt=until)
    first, last = hour_after(since), hour_of(until)
    total = Counter(_minutes(source_ids, minute__gte=since, minute__lt=first))
    total.update(_summed("ingest_hourcount", "hour >= %s AND hour < %s", [first, last], source_ids))
    total.update(_minutes(source_ids, minute__gte=last, minute__lt=until))
    return dict(total)


def forget_sums(source_id: int) -> None:
    """No sum of the source is stored: a refresh takes away those of its newer minutes alone."""
    if not is_hypertable("ingest_minutecount"):
        return
    with connection.cursor() as cursor:
        cursor.execute(_STORED)
        for (table,) in cursor.fetchall():
            cursor.execute(f"DELETE FROM {table} WHERE source_id = %s", [source_id])


def hour_of(moment: datetime) -> datetime:
    """Return the beginning of the hour that a time lies in."""
    return moment.replace(minute=0, second=0, microsecond=0)


def hour_after(moment: datetime) -> datetime:
    """Return the first full hour that is not before a time."""
    floor = hour_of(moment)
    return floor if floor == moment else floor + HOUR


def _minutes(source_ids: Collection[int] | None, **window: datetime) -> dict[str, int]:
    rows = MinuteCount.objects.filter(**window)
    if source_ids is not None:
        rows = rows.filter(source_id__in=source_ids)
    return dict(rows.order_by().values_list("status").annotate(total=Sum("count")))


def _summed(
    view: str, window: str, bounds: list[Any], source_ids: Collection[int] | None
) -> dict[str, int]:
    conditions, parameters = ([window] if window else []), list(bounds)
    if source_ids is not None:
        conditions.append("source_id = ANY(%s)")
        parameters.append(list(source_ids))
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT status, sum(count)::bigint FROM {view} {where} GROUP BY status", parameters
        )
        return dict(cursor.fetchall())
