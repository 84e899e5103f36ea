from celery import shared_task

from guardian_site.access.services.traces import forget_traces
from guardian_site.pulse import FORGET_AFTER, forget_parts, record_heartbeat
from guardian_site.tracing.marks import forget_trace_marks
from guardian_site.upkeep.retention import apply_retention as forget_the_old
from ingest import steady_clock


@shared_task
def beat() -> None:
    """Record that beat sent a task and a worker ran it: its age shows whether both work."""
    now = steady_clock.now()
    record_heartbeat(part="tasks", kind="tasks", now=now)
    forget_parts(seen_before=now - FORGET_AFTER)


@shared_task
def apply_retention() -> None:
    now = steady_clock.now()
    forget_traces(now=now)
    forget_trace_marks(now=now)
    forget_the_old(now=now, trusting=False)
