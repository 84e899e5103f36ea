"""What is older than the settings allow is forgotten; TimescaleDB's own jobs are kept running."""

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
# Rows of an aggregate are thrown away by its own job; elsewhere there are none.
AGGREGATES = (counted.MINUTES, counted.HOURS)
# The daily turn goes on where it stopped an hour later; it never holds a worker for long.
TURN_SECONDS = 600.0


class JobsFailed(Exception):
    """Jobs of TimescaleDB could not be run; everything else of the turn was done."""


@dataclass(frozen=True)
class Forgotten:
    """What one turn did: rows (of hypertables: chunks) gone by table, jobs run that had not."""

    gone: dict[str, int] = field(default_factory=dict)
    jobs: list[str] = field(default_factory=list)


def apply_retention(
    *, now: datetime, seconds: float = TURN_SECONDS, trusting: bool = True
) -> Forgotten:
    """Rows older than their table's setting are gone, or as many as there was time for.

    Nobody looks at the clock of a task: one that is not `trusting` forgets a week at most.

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
    """Jobs follow the settings, and those that did not run in time are run here."""
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
        # After a restore by hand another role may own the database; late reports still get in.
        logger.exception("The limit of unpacked rows could not be lifted.")
    due = [job for job in policies.jobs() if job.is_overdue(now)]
    if failed := [job for job in due if not _has_run(job)]:
        raise JobsFailed(", ".join(f"{job.kind} of {job.table}" for job in failed))
    return [f"{job.kind} {job.table}" for job in due]


def _has_run(job: policies.Job) -> bool:
    try:
        policies.run_job(job)
    except DatabaseError:
        # One that cannot run must not keep the others from it.
        logger.exception("The job %d (%s of %s) failed.", job.id, job.kind, job.table)
        return False
    return True
