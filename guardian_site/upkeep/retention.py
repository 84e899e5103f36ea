"""Deletes what is older than the settings allow, and keeps TimescaleDB's own jobs running."""

import logging
import time
from dataclasses import dataclass, field
from datetime import datetime

from django.db import DatabaseError

from detection import retention as judged
from ingest import retention as counted
from ingest.retention import forget_before, not_all_at_once
from ingest.timescale import policies
from ingest.timescale.presence import is_hypertable

logger = logging.getLogger(__name__)

KEPT = (*judged.KEPT, *counted.KEPT)
# Only TimescaleDB has these; a job of each deletes its rows.
AGGREGATES = (counted.MINUTES, counted.HOURS)
# The next hourly run goes on where one has stopped, so none holds a worker for long.
TURN_SECONDS = 600.0


class JobsFailed(Exception):
    """Jobs of TimescaleDB could not be run; everything else was done."""


@dataclass(frozen=True)
class Forgotten:
    """What one run did: rows (of hypertables: chunks) deleted by table, overdue jobs it ran."""

    gone: dict[str, int] = field(default_factory=dict)
    jobs: list[str] = field(default_factory=list)


def apply_retention(
    *, now: datetime, seconds: float = TURN_SECONDS, trusting: bool = True
) -> Forgotten:
    """Rows older than their table's setting are gone, or as many as there was time for.

    A task may run while the clock is wrong: without `trusting` it, at most a week is deleted.

    Raises
    ------
    JobsFailed
        At the end, if jobs of TimescaleDB that were due could not be run.
    """
    deadline = time.monotonic() + seconds
    gone = {}
    for kept in KEPT:
        before = now - kept.age
        if not trusting:
            before = not_all_at_once(kept=kept, before=before)
        gone[kept.table] = forget_before(kept=kept, before=before, deadline=deadline)
    return Forgotten(gone, _look_after_jobs(now))


def _look_after_jobs(now: datetime) -> list[str]:
    """Bring TimescaleDB's jobs in line with the settings, and run those that are overdue.

    Its own scheduler should do the latter, but a version may come whose scheduler does not.
    """
    if not is_hypertable("ingest_minutecount"):
        return []
    for kept in (*KEPT, *AGGREGATES):
        if kept.hypertable:
            policies.keep_policies(kept)
    for view, bucket in counted.REFRESHED.items():
        policies.keep_refreshed(view, bucket, counted.refreshed_back_to())
    try:
        policies.keep_unpacking_freely()
    except DatabaseError:
        # After a restore by hand another role may own the database; late reports work all the same.
        logger.exception("The limit of unpacked rows could not be lifted.")
    due = [job for job in policies.jobs() if job.is_overdue(now)]
    if failed := [job for job in due if not _has_run(job)]:
        raise JobsFailed(", ".join(f"{job.kind} of {job.table}" for job in failed))
    return [f"{job.kind} {job.table}" for job in due]


def _has_run(job: policies.Job) -> bool:
    try:
        policies.run_job(job)
    except DatabaseError:
        # A job that fails must not keep the others from running.
        logger.exception("The job %d (%s of %s) failed.", job.id, job.kind, job.table)
        return False
    return True
