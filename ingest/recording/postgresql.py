"""Recording on PostgreSQL: one statement, so one round trip and one commit."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

import psycopg

from ingest.parsing.moments import written
from ingest.postgresql.plans import plan_seldom
from ingest.postgresql.pool import lent_connection
from ingest.recording.outcome import Outcome, Place
from ingest.recording.versions import version_column
from ingest.reports import NewReport

# Minutes and hours are those of UTC, by `date_bin`: `date_trunc` looks at the calendar of a time
# zone at every row, and costs a batch as much as sorting it.

# What a report is received at, and which of two for one key stands: the one that is written last,
# or, where each was told at a time of its own, the one that was told last.
_AS_WRITTEN = {
    "also": "",
    "array": "",
    "t_array": "",
    "at": ", now()",
    "news": "NOT excluded.timed OR r.count <> excluded.count",
    "unless_overtaken": "",
}
_AS_TOLD = {
    "also": ", told",
    "array": ", %(told)s::timestamptz[]",
    "t_array": ", %(t_told)s::timestamptz[]",
    "at": "",
    "news": "r.count <> excluded.count AND r.received <= excluded.received",
    "unless_overtaken": "WHERE t.received <= excluded.received",
}

# Every INSERT takes its rows in key order, and the tables come in one order in every statement:
# two writers of the same keys therefore wait for each other and never in a circle.

# No foreign key looks at the source of every row, and locks it. Here each source is looked at once:
# if one is gone no row gets any, and PostgreSQL refuses them all. That none goes while this runs is
# what `hold_recordings` is for. An array and no join: planned for any number of sources, it stays
# in the index, and since PostgreSQL 17 those that stand side by side there are one step.
_KNOWN = """
known AS (
    SELECT count(*) = cardinality(%(named)s::int8[]) AS complete
    FROM ingest_source WHERE id = ANY(%(named)s::int8[])
)"""

_SENT = """
sent AS (
    SELECT CASE WHEN complete THEN source_id END AS source_id, timestamp, status, auth_code, count,
        timed{also}
    FROM known, unnest(%(sources)s::int8[], %(timestamps)s::timestamptz[], %(statuses)s::text[],
                       %(codes)s::text[], %(counts)s::int8[], %(timed)s::bool[]{array})
        AS s (source_id, timestamp, status, auth_code, count, timed{also})
)"""

_WRITTEN = """
written AS (
    INSERT INTO ingest_report AS r
        (source_id, timestamp, status, auth_code, count, timed, received)
    SELECT *{at} FROM sent
    ORDER BY source_id, timestamp, status, auth_code
    ON CONFLICT (source_id, timestamp, status, auth_code) DO UPDATE SET
        previous_count = r.count,
        count = excluded.count + CASE WHEN excluded.timed THEN 0 ELSE r.count END,
        timed = excluded.timed,
        received = excluded.received
    WHERE {news}
    RETURNING source_id, timestamp, date_bin('1 minute', timestamp, 'epoch') AS minute, status,
        auth_code, count - coalesce(previous_count, 0) AS moved,
        previous_count IS NOT NULL AS corrected
)"""

# A transaction is always rewritten: only then does RETURNING tell where it was counted before,
# which a SELECT cannot (it would not see what a concurrent writer has just committed).
_TRANSACTIONS = """
placed AS (
    INSERT INTO ingest_transaction AS t
        (source_id, external_id, timestamp, status, auth_code, count, timed, previous_status,
         previous_auth_code, previous_count, received)
    SELECT CASE WHEN complete THEN source_id END, external_id, timestamp, status, auth_code, count,
        timed, '', '', 0{at}{also}
    FROM known, unnest(%(t_sources)s::int8[], %(ids)s::text[], %(t_timestamps)s::timestamptz[],
                       %(t_statuses)s::text[], %(t_codes)s::text[], %(t_counts)s::int8[],
                       %(t_timed)s::bool[]{t_array})
        AS s (source_id, external_id, timestamp, status, auth_code, count, timed{also})
    ORDER BY source_id, external_id
    ON CONFLICT (source_id, external_id) DO UPDATE SET
        previous_timestamp = t.timestamp, previous_status = t.status,
        previous_auth_code = t.auth_code, previous_count = t.count,
        timestamp = CASE WHEN excluded.timed THEN excluded.timestamp ELSE t.timestamp END,
        timed = t.timed OR excluded.timed,
        status = excluded.status, auth_code = excluded.auth_code, count = excluded.count,
        received = excluded.received
    {unless_overtaken}
    RETURNING *, date_bin('1 minute', timestamp, 'epoch') AS minute
)"""

_COUNTED = """
counted AS (
    INSERT INTO ingest_minutecount AS m (source_id, minute, status, auth_code, count)
    SELECT source_id, minute, status, auth_code, sum(moved)::int8 FROM ({shifts}) AS shifts
    GROUP BY 1, 2, 3, 4
    ORDER BY 1, 2, 3, 4
    ON CONFLICT (source_id, minute, status, auth_code) DO UPDATE
        SET count = m.count + excluded.count
    RETURNING source_id, minute, status, auth_code, count
), late AS (
    INSERT INTO ingest_latemark (source_id, hour)
    SELECT DISTINCT source_id, date_bin('1 hour', minute, 'epoch') FROM counted
    WHERE minute < %(late_before)s
)"""

_ANSWER = """
, touched AS ({touched})
-- As good as always every report is new, and none needs to be told by itself.
, news AS (
    SELECT count(*) = %(distinct)s AND bool_or(corrected) IS NOT TRUE AS all_new FROM written
)
SELECT 'before', m.source_id, m.minute, m.status, m.auth_code, m.count,
    NULL::text, NULL::bool, NULL::bool
    -- One minute at a time, so that TimescaleDB opens the one chunk that it lies in.
    FROM touched, LATERAL (
        SELECT * FROM ingest_minutecount AS c
        WHERE c.source_id = touched.source_id AND c.minute = touched.minute OFFSET 0
    ) AS m
UNION ALL
SELECT 'after', source_id, minute, status, auth_code, count, NULL, all_new, NULL FROM counted, news
UNION ALL
SELECT 'report', source_id, timestamp, status, auth_code, moved, NULL, true, corrected
    FROM written, news WHERE NOT all_new
"""

_VERSIONS = """
UNION ALL
SELECT 'version', source_id, NULL, NULL, NULL, {column}, NULL, NULL, NULL
FROM {table} WHERE source_id = ANY(%(named)s::int8[])
"""

_SHIFTS = "SELECT source_id, minute, status, auth_code, moved FROM written"
_MOVES = """
    UNION ALL
    SELECT source_id, minute, status, auth_code, count FROM placed
    UNION ALL
    SELECT source_id, date_bin('1 minute', previous_timestamp, 'epoch'), previous_status,
        previous_auth_code, -previous_count
    FROM placed WHERE previous_timestamp IS NOT NULL"""
_TOUCHED = "SELECT DISTINCT source_id, date_bin('1 minute', timestamp, 'epoch') AS minute FROM sent"
_PLACES = """
UNION ALL
SELECT 'place', source_id, timestamp, status, auth_code, count, external_id,
    previous_timestamp IS NULL OR (timestamp, status, auth_code, count)
        <> (previous_timestamp, previous_status, previous_auth_code, previous_count),
    previous_timestamp IS NOT NULL
FROM placed
"""


def _short(sql: str) -> bytes:
    """Return a statement without comments and what only people need to read it: psycopg remembers
    how to convert the parameters of a statement of at most 4,096 characters."""
    lines = (line.strip() for line in sql.splitlines())
    told = " ".join(line for line in lines if line and not line.startswith("--"))
    for spaced, bare in ((", ", ","), (" = ", "="), ("( ", "("), (" )", ")"), (" ,", ",")):
        told = told.replace(spaced, bare)
    return told.encode()


@cache
def statement(*, transactions: bool, told: bool = False) -> bytes:
    """Return the statement that writes reports, with or without transactions among them."""
    shifts, touched, last = _SHIFTS, _TOUCHED, ""
    order = _AS_TOLD if told else _AS_WRITTEN
    parts = ["WITH" + _KNOWN, _SENT.format(**order), _WRITTEN.format(**order)]
    if transactions:
        parts.append(_TRANSACTIONS.format(**order))
        shifts += _MOVES
        touched += " UNION SELECT source_id, minute FROM placed"
        last = _PLACES
    column = version_column()
    if column:
        last += _VERSIONS.format(**column._asdict())
    parts.append(_COUNTED.format(shifts=shifts))
    return _short(",".join(parts) + _ANSWER.format(touched=touched) + last)


# The same for rows that wait in the temporary table `staged`; answers how many of them were news.
STAGED = (
    ",".join(
        (
            "WITH" + _KNOWN,
            "sent AS (SELECT CASE WHEN complete THEN source_id END AS source_id, timestamp, status,"
            " auth_code, count, true AS timed FROM known, staged)",
            _WRITTEN.format(**_AS_WRITTEN),
            _COUNTED.format(shifts=_SHIFTS),
        )
    )
    + " SELECT count(*) FROM written"
)


def _columns(reports: Sequence[NewReport], prefix: str = "") -> dict[str, str]:
    return {
        f"{prefix}sources": _array([str(report.source.id) for report in reports]),
        f"{prefix}timestamps": _array(written([report.timestamp for report in reports])),
        f"{prefix}statuses": _array([report.status for report in reports]),
        f"{prefix}codes": _array([_quoted(report.auth_code) for report in reports]),
        f"{prefix}counts": _array([str(report.count) for report in reports]),
        f"{prefix}timed": _array(["t" if report.timed else "f" for report in reports]),
    }


def _told(reports: Sequence[NewReport]) -> str:
    return _array(written([report.told for report in reports if report.told]))


def _array(elements: list[str]) -> str:
    """Return an array as PostgreSQL writes it; psycopg would look at each element by itself, and
    cost a batch more than reading and checking it."""
    return "{" + ",".join(elements) + "}"


@lru_cache(4096)  # a batch names few codes, again and again
def _quoted(text: str) -> str:
    if text.isalnum() and text.upper() != "NULL":
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _run(sql: bytes, parameters: dict[str, Any], rows: int) -> list[tuple[Any, ...]]:
    with lent_connection() as raw, psycopg.Cursor(raw) as cursor:
        plan_seldom(cursor, rows)
        cursor.execute(sql, parameters, binary=True)
        return cursor.fetchall()


def write(
    reports: Sequence[NewReport], transactions: Sequence[NewReport], late_before: datetime
) -> Outcome:
    """Write distinct reports and transactions; committed on return outside a transaction."""
    named = {report.source.id for report in (*reports, *transactions)}
    parameters: dict[str, Any] = {
        "named": _array([str(source_id) for source_id in named]),
        "late_before": late_before,
        "distinct": len(reports),
        **_columns(reports),
    }
    if transactions:
        parameters |= _columns(transactions, "t_")
        parameters["ids"] = _array([_quoted(report.external_id) for report in transactions])
    told = (reports or transactions)[0].told is not None
    if told:
        parameters |= {"told": _told(reports), "t_told": _told(transactions)}
    sql = statement(transactions=bool(transactions), told=told)
    return _outcome(_run(sql, parameters, len(reports) + len(transactions)))


def _outcome(rows: list[tuple[Any, ...]]) -> Outcome:
    versions: dict[int, int] = {}
    outcome = Outcome(versions=versions if version_column() else None)
    for kind, source, at, status, code, count, external_id, changed, corrected in rows:
        if kind == "before":
            outcome.minutes.setdefault((source, at), {}).setdefault((status, code), count)
        elif kind == "after":
            outcome.minutes.setdefault((source, at), {})[status, code] = count
            outcome.all_new = changed
        elif kind == "report":
            outcome.written[source, at, status, code] = corrected
        elif kind == "version":
            versions[source] = count
        else:
            outcome.places[source, external_id] = Place(
                at, status, code, count, changed, changed and corrected
            )
    return outcome
