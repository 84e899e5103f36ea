"""How long TimescaleDB keeps what, stored how, and the jobs that see to it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection

DAY = timedelta(days=1)
# Rows change for a while after they were written (late reports, a minute judged again); what is
# older than this is only read, and takes a tenth of the room by columns.
COLUMNS_AFTER = 14 * DAY
# Aggregates older than this are read as they were stored; newer ones are summed when asked for.
SUMMED_WHEN_ASKED = timedelta(hours=3)
REFRESHED_EVERY = timedelta(minutes=10)
REFRESHED_AT_ONCE = 7 * DAY
# An answered report is never refused because its minute is old and stored by columns already.
UNPACK_LIMIT = "timescaledb.max_tuples_decompressed_per_dml_transaction"
UNPACK_FREELY = f"""
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET {UNPACK_LIMIT} = 0', current_database()); END $$
"""

# A job of an aggregate is listed under the table that holds it, or under its name: as the version
# has it.
_JOB_COLUMNS = """
j.job_id, j.proc_name, coalesce(a.view_name, j.hypertable_name), j.schedule_interval,
s.last_run_status, nullif(s.last_successful_finish, '-infinity')
"""
_JOBS = """
FROM timescaledb_information.jobs AS j
LEFT JOIN timescaledb_information.job_stats AS s USING (job_id)
LEFT JOIN timescaledb_information.continuous_aggregates AS a
    ON a.materialization_hypertable_name = j.hypertable_name
WHERE j.hypertable_name IS NOT NULL
"""


@dataclass(frozen=True)
class Kept:
    """One table and how long its rows are kept.

    Attributes
    ----------
    table, column : str
        The table and its column of time.
    setting : str
        Name of the setting that says for how many days.
    hypertable : bool
        On TimescaleDB it is cut into chunks by time.
    columnar : bool
        Its old chunks are stored by columns there.
    """

    table: str
    column: str
    setting: str
    hypertable: bool = True
    columnar: bool = True

    @property
    def age(self) -> timedelta:
        return timedelta(days=getattr(settings, self.setting))


@dataclass(frozen=True)
class Job:
    """A background job of TimescaleDB and how it fares."""

    id: int
    kind: str
    table: str
    every: timedelta
    status: str | None
    succeeded: datetime | None

    def is_overdue(self, now: datetime) -> bool:
        """Tell whether its last run failed, or it has not run for three times its interval."""
        waited = self.succeeded is None or now - self.succeeded > 3 * self.every
        return self.status == "Failed" or waited


def keep_policies(kept: Kept) -> None:
    """The background jobs of a hypertable do what the settings of now say."""
    if _age_of("policy_retention", kept.table, "drop_after") != kept.age:
        _run("SELECT remove_retention_policy(%s, if_exists => true)", [kept.table])
        _run("SELECT add_retention_policy(%s, %s, if_not_exists => true)", [kept.table, kept.age])
    if kept.columnar and not _age_of("policy_compression", kept.table, "compress_after"):
        _run(
            "CALL add_columnstore_policy(%s, after => %s, if_not_exists => true)",
            [kept.table, COLUMNS_AFTER],
        )


def keep_refreshed(view: str, bucket: timedelta, back_to: timedelta) -> None:
    """A continuous aggregate follows changes of minutes younger than `back_to`."""
    if _age_of("policy_refresh_continuous_aggregate", view, "start_offset") == back_to:
        return
    _run("SELECT remove_continuous_aggregate_policy(%s, if_exists => true)", [view])
    # By itself it would refresh ten buckets at a time: 150,000 transactions for a year of minutes.
    _run(
        "SELECT add_continuous_aggregate_policy(%s, start_offset => %s, end_offset => %s,"
        " schedule_interval => %s, buckets_per_batch => %s, if_not_exists => true)",
        [view, back_to, SUMMED_WHEN_ASKED, REFRESHED_EVERY, REFRESHED_AT_ONCE // bucket],
    )


def keep_unpacking_freely() -> None:
    """Sessions that begin from now on may unpack what they change: no dump holds that setting."""
    [(limit,)] = _rows(f"SELECT current_setting('{UNPACK_LIMIT}')")
    if limit != "0":
        _run(UNPACK_FREELY)


def drop_chunks(table: str, before: datetime) -> int:
    """Chunks that hold nothing newer than `before` are gone; how many were is returned."""
    return len(_rows("SELECT drop_chunks(%s, %s::timestamptz)", [table, before]))


def jobs() -> list[Job]:
    """Return the jobs that keep Guardian's tables."""
    return [Job(*row) for row in _rows(f"SELECT {_JOB_COLUMNS} {_JOBS} ORDER BY j.job_id")]


def run_job(job: Job) -> None:
    """The job has run, whatever its schedule says."""
    _run("CALL run_job(%s)", [job.id])


def _age_of(kind: str, table: str, key: str) -> timedelta | None:
    """Return the age in the configuration of a job; None if there is no such job."""
    found = _rows(
        f"SELECT (j.config->>%s)::interval {_JOBS} AND j.proc_name = %s"
        " AND coalesce(a.view_name, j.hypertable_name) = %s",
        [key, kind, table],
    )
    return found[0][0] if found else None


def _run(sql: str, parameters: list[Any] | None = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def _rows(sql: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
