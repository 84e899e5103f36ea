"""How long what happened is kept, and forgetting it in pieces that hold nobody up."""

import time
from datetime import datetime, timedelta

from django.apps import apps
from django.db import connection, transaction
from django.db.models import Min

from ingest.timescale.hypertables import CHUNK_DAYS
from ingest.timescale.policies import DAY, Kept, drop_chunks
from ingest.timescale.presence import is_hypertable

REPORTS = Kept("ingest_report", "timestamp", "GUARDIAN_KEEP_COUNTS_DAYS")
TRANSACTIONS = Kept(
    # A transaction is counted once per id, whenever it comes: its key cannot hold the time.
    "ingest_transaction",
    "timestamp",
    "GUARDIAN_KEEP_COUNTS_DAYS",
    hypertable=False,
)
COUNTS = Kept("ingest_minutecount", "minute", "GUARDIAN_KEEP_COUNTS_DAYS")
# Aggregates on TimescaleDB; those by day are kept for good.
MINUTES = Kept("ingest_minutetotal", "minute", "GUARDIAN_KEEP_COUNTS_DAYS", columnar=False)
HOURS = Kept("ingest_hourcount", "hour", "GUARDIAN_KEEP_HOURS_DAYS", columnar=False)
# Aggregate -> the time that one of its rows sums up.
REFRESHED = {
    "ingest_minutetotal": timedelta(minutes=1),
    "ingest_hourcount": timedelta(hours=1),
    "ingest_daycount": DAY,
}
# Counts go first: a report sent again meanwhile still finds its row, and changes nothing.
KEPT = (COUNTS, REPORTS, TRANSACTIONS)

# Few enough that a writer waiting for the lock on SQLite does not notice.
ROWS_AT_ONCE = 5_000
# The most that one turn of the hourly task forgets; a chunk of TimescaleDB goes as a whole.
FORGOTTEN_AT_ONCE = 7 * DAY
CHUNK = CHUNK_DAYS * DAY


def refreshed_back_to() -> timedelta:
    """How far back aggregates follow changes: not to where the minutes are being thrown away."""
    return min(COUNTS.age, HOURS.age) - 14 * DAY


def not_all_at_once(*, kept: Kept, before: datetime) -> datetime:
    """Return `before`, or an earlier time if that would forget much at once.

    A clock that is a year ahead for an hour then costs a week of the past, or one chunk, instead of
    all of it. After a setting was shortened, a week goes each hour.
    """
    model = next(one for one in apps.get_models() if one._meta.db_table == kept.table)
    oldest: datetime | None = model._default_manager.aggregate(oldest=Min(kept.column))["oldest"]
    if oldest is None:
        return before
    chunked = kept.hypertable and is_hypertable(kept.table)
    return min(before, oldest + (CHUNK if chunked else FORGOTTEN_AT_ONCE))


def forget_before(*, kept: Kept, before: datetime, deadline: float) -> int:
    """Rows older than `before` are gone, or as many as there was time for; how many is returned.

    Chunks of a hypertable go as a whole and count as one; `deadline` is monotonic time.
    """
    if kept.hypertable and is_hypertable(kept.table):
        return drop_chunks(kept.table, before)
    gone = 0
    while time.monotonic() < deadline:
        removed = _delete_some(kept, before)
        gone += removed
        if removed < ROWS_AT_ONCE:
            break
    return gone


def _delete_some(kept: Kept, before: datetime) -> int:
    sql = (
        f"DELETE FROM {kept.table} WHERE id IN (SELECT id FROM {kept.table}"
        f" WHERE {kept.column} < %s ORDER BY {kept.column} LIMIT {ROWS_AT_ONCE})"
    )
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, [connection.ops.adapt_datetimefield_value(before)])
        return int(cursor.rowcount)
