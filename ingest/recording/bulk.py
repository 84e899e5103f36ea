"""Recording many rows of one source at once, for imports and simulated history.

The rows go to a temporary table first; from there they take the way of any other report, so the
same rows again change nothing and a number that differs corrects the old one.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from ingest.recording import postgresql
from ingest.recording.sqlite import as_text

# (timestamp, status, auth_code, count)
Row = tuple[datetime, str, str, int]
# Makes the staged rows agree with what is stored already, before they are written.
Reconcile = Callable[[], None]

_CREATE = """
CREATE TEMPORARY TABLE staged (source_id bigint NOT NULL, timestamp {moment} NOT NULL,
    status text NOT NULL, auth_code text NOT NULL, count bigint NOT NULL)
"""
_STAGE = (
    "INSERT INTO staged (source_id, timestamp, status, auth_code, count) VALUES (%s,%s,%s,%s,%s)"
)

# The write lock is held, so what is read here is still true when it is written.
_NEWS = """
CREATE TEMPORARY TABLE news AS
SELECT s.source_id, s.timestamp, s.status, s.auth_code, s.count, r.count AS previous,
    s.count - coalesce(r.count, 0) AS moved
FROM staged AS s LEFT JOIN ingest_report AS r USING (source_id, timestamp, status, auth_code)
WHERE r.id IS NULL OR r.count <> s.count
"""
_NEWS_TO_REPORTS = """
INSERT INTO ingest_report AS r (source_id, timestamp, status, auth_code, count, timed, received)
SELECT source_id, timestamp, status, auth_code, count, true, CURRENT_TIMESTAMP
FROM news WHERE true
ON CONFLICT (source_id, timestamp, status, auth_code) DO UPDATE SET
    previous_count = r.count, count = excluded.count, timed = true, received = excluded.received
"""
_NEWS_TO_MINUTES = """
INSERT INTO ingest_minutecount AS m (source_id, minute, status, auth_code, count)
SELECT source_id, substr(timestamp, 1, 16) || ':00' AS minute, status, auth_code, sum(moved)
FROM news GROUP BY 1, 2, 3, 4 HAVING true
ON CONFLICT (source_id, minute, status, auth_code) DO UPDATE SET count = m.count + excluded.count
"""
_NEWS_TO_LATE_MARKS = """
INSERT INTO ingest_latemark (source_id, hour)
SELECT DISTINCT source_id, substr(timestamp, 1, 13) || ':00:00' FROM news WHERE timestamp < %s
"""


def write(
    source_id: int, rows: Sequence[Row], late_before: datetime, reconcile: Reconcile | None = None
) -> int:
    """Write the rows of one source, the last of each key; return how many were news.

    All or nothing; part of the transaction of the caller, if there is one.
    """
    distinct = {(at, status, code): count for at, status, code, count in rows}
    staged = [(source_id, *key, count) for key, count in distinct.items()]
    with transaction.atomic(), connection.cursor() as cursor:
        on_postgresql = connection.vendor == "postgresql"
        cursor.execute(_CREATE.format(moment="timestamptz" if on_postgresql else "datetime"))
        if on_postgresql:
            _copy(staged)
        else:
            cursor.executemany(_STAGE, _with_text(staged))
        if reconcile is not None:
            reconcile()
        if on_postgresql:
            # Compiling the statement, or sorting on disk, would cost more than it saves.
            cursor.execute("SET LOCAL jit = off; SET LOCAL work_mem = '64MB'; ANALYZE staged")
            cursor.execute(postgresql.STAGED, {"named": [source_id], "late_before": late_before})
            [(news,)] = cursor.fetchall()
        else:
            news = _write_news(cursor, late_before)
        cursor.execute("DROP TABLE staged")
    return int(news)


def _copy(staged: Sequence[tuple[Any, ...]]) -> None:
    with (
        connection.wrap_database_errors,
        connection.connection.cursor() as cursor,
        cursor.copy("COPY staged FROM STDIN") as copy,
    ):
        for row in staged:
            copy.write_row(row)


def _with_text(staged: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    texts = {at: as_text(at) for at in {row[1] for row in staged}}
    return [(source_id, texts[at], *rest) for source_id, at, *rest in staged]


def _write_news(cursor: Any, late_before: datetime) -> int:
    cursor.execute(_NEWS)
    cursor.execute(_NEWS_TO_REPORTS)
    cursor.execute(_NEWS_TO_MINUTES)
    cursor.execute(_NEWS_TO_LATE_MARKS, [as_text(late_before)])
    cursor.execute("SELECT count(*) FROM news")
    [(news,)] = cursor.fetchall()
    cursor.execute("DROP TABLE news")
    return int(news)
