"""Recording on SQLite: a few statements while the one write lock is held."""

import json
import threading
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any

from django.db import connection, transaction

from ingest import steady_clock
from ingest.recording.outcome import Outcome, Place
from ingest.recording.versions import version_column
from ingest.reports import NewReport

# Which of two reports for one key stands: the one that is written last, or, where each was told at
# a time of its own, the one that was told last.
_AS_WRITTEN = {
    "received": "%s",
    "news": "NOT excluded.timed OR r.count <> excluded.count",
    "unless_overtaken": "",
}
_AS_TOLD = {
    "received": "coalesce(value->>7, %s)",
    "news": "r.count <> excluded.count AND r.received <= excluded.received",
    "unless_overtaken": "WHERE t.received <= excluded.received",
}

# Times are returned as expressions (|| ''), so that the driver leaves them the text they are.
_REPORTS = """
INSERT INTO ingest_report AS r (source_id, timestamp, status, auth_code, count, timed, received)
SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, {received}
FROM json_each(%s) WHERE true
ON CONFLICT (source_id, timestamp, status, auth_code) DO UPDATE SET
    previous_count = r.count,
    count = excluded.count + CASE WHEN excluded.timed THEN 0 ELSE r.count END,
    timed = excluded.timed,
    received = excluded.received
WHERE {news}
RETURNING source_id, timestamp || '', status, auth_code, count, previous_count
"""

_TRANSACTIONS = """
INSERT INTO ingest_transaction AS t
    (source_id, timestamp, status, auth_code, count, timed, external_id, previous_status,
     previous_auth_code, previous_count, received)
SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, '', '', 0,
    {received}
FROM json_each(%s) WHERE true
ON CONFLICT (source_id, external_id) DO UPDATE SET
    previous_timestamp = t.timestamp, previous_status = t.status,
    previous_auth_code = t.auth_code, previous_count = t.count,
    timestamp = CASE WHEN excluded.timed THEN excluded.timestamp ELSE t.timestamp END,
    timed = t.timed OR excluded.timed,
    status = excluded.status, auth_code = excluded.auth_code, count = excluded.count,
    received = excluded.received
{unless_overtaken}
RETURNING source_id, external_id, timestamp || '', status, auth_code, count,
    previous_timestamp || '', previous_status, previous_auth_code, previous_count
"""

_MINUTES = """
INSERT INTO ingest_minutecount AS m (source_id, minute, status, auth_code, count)
SELECT value->>0, value->>1, value->>2, value->>3, value->>4 FROM json_each(%s) WHERE true
ON CONFLICT (source_id, minute, status, auth_code) DO UPDATE SET count = m.count + excluded.count
"""

_LATE = """
INSERT INTO ingest_latemark (source_id, hour)
SELECT value->>0, value->>1 FROM json_each(%s)
"""

_COUNTS = """
SELECT m.source_id, m.minute || '', m.status, m.auth_code, m.count
FROM json_each(%s) AS j
JOIN ingest_minutecount AS m ON m.source_id = j.value->>0 AND m.minute = j.value->>1
"""

_VERSIONS = """
SELECT source_id, {column} FROM {table} WHERE source_id IN (SELECT value FROM json_each(%s))
"""

Shift = tuple[int, str, str, str]
# Whoever finds SQLite's write lock taken tries again after ever longer pauses, so a single report
# would come last beside long batches. Within a process they queue for this lock instead.
_turn = threading.Lock()


def as_text(moment: datetime) -> str:
    """Return a time as Django keeps it in SQLite."""
    return str(moment.replace(tzinfo=None))


@lru_cache(maxsize=4096)
def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _minute(text: str) -> str:
    return text[:16] + ":00"


@cache
def _ordered(sql: str, *, told: bool) -> str:
    return sql.format(**(_AS_TOLD if told else _AS_WRITTEN))


def _row(report: NewReport) -> list[Any]:
    row = [
        report.source.id,
        as_text(report.timestamp),
        report.status,
        report.auth_code,
        report.count,
        int(report.timed),
        report.external_id,
    ]
    return row if report.told is None else [*row, as_text(report.told)]


class _Writing:
    """One recording: what has been written so far and how far each minute has to move."""

    def __init__(self, now: datetime) -> None:
        self.now = as_text(now)
        self.outcome = Outcome()
        self.shifts: dict[Shift, int] = defaultdict(int)
        self.touched: set[tuple[int, str]] = set()

    def _run(self, sql: str, *parameters: str) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows

    def reports(self, reports: Sequence[NewReport]) -> None:
        rows = [_row(report) for report in reports]
        self.touched.update((row[0], _minute(row[1])) for row in rows)
        sql = _ordered(_REPORTS, told=reports[0].told is not None)
        found = self._run(sql, self.now, json.dumps(rows))
        for source, at, status, code, count, previous in found:
            self.outcome.written[source, _moment(at), status, code] = previous is not None
            self.shifts[source, _minute(at), status, code] += count - (previous or 0)

    def transactions(self, reports: Sequence[NewReport]) -> None:
        rows = json.dumps([_row(report) for report in reports])
        sql = _ordered(_TRANSACTIONS, told=reports[0].told is not None)
        for source, external_id, *fields in self._run(sql, self.now, rows):
            (at, status, code, count), before = fields[:4], fields[4:]
            known = before[0] is not None
            changed = not known or before != fields[:4]
            self.outcome.places[source, external_id] = Place(
                _moment(at), status, code, count, changed, changed and known
            )
            self.touched.add((source, _minute(at)))
            self.shifts[source, _minute(at), status, code] += count
            if known:
                self.shifts[source, _minute(before[0]), before[1], before[2]] -= before[3]

    def minutes(self, late_before: datetime) -> None:
        if self.shifts:
            moved = [[*key, count] for key, count in self.shifts.items()]
            self._run(_MINUTES, json.dumps(moved))
        limit = as_text(late_before)
        late = {(key[0], key[1][:13] + ":00:00") for key in self.shifts if key[1] < limit}
        if late:
            self._run(_LATE, _json(late))
        for source, at, status, code, count in self._run(_COUNTS, _json(self.touched)):
            counts = self.outcome.minutes.setdefault((source, _moment(at)), {})
            counts[status, code] = count

    def versions(self) -> None:
        column = version_column()
        if column:
            named = json.dumps(list({source_id for source_id, _ in self.touched}))
            found = self._run(_VERSIONS.format(**column._asdict()), named)
            self.outcome.versions = dict(found)


def _json(pairs: Iterable[tuple[int, str]]) -> str:
    return json.dumps(sorted(pairs))


def write(
    reports: Sequence[NewReport], transactions: Sequence[NewReport], late_before: datetime
) -> Outcome:
    """Write distinct reports and transactions; committed on return outside a transaction."""
    writing = _Writing(steady_clock.now())
    with nullcontext() if connection.in_atomic_block else _turn, transaction.atomic():
        if reports:
            writing.reports(reports)
        if transactions:
            writing.transactions(transactions)
        writing.minutes(late_before)
        writing.versions()
    return writing.outcome
