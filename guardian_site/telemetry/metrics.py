"""What the operation itself tells Prometheus: tasks, and requests refused for their rate."""

from itertools import product

from django_prometheus.middleware import Metrics
from prometheus_client import Counter, Histogram

from detection import metrics as detection
from detection.models import Family, Level
from guardian_site.schedule import QUEUES, TASK_NAMES
from ingest import metrics as ingest
from ingest.models import Status

# Labels are names of our own tasks, queues and buckets.
TASKS = Counter("guardian_site_tasks_total", "Tasks run, by how they ended.", ["task", "outcome"])
TASK_SECONDS = Histogram(
    "guardian_site_task_seconds",
    "Time to run one task.",
    ["task"],
    buckets=(0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800),
)
TASK_WAIT_SECONDS = Histogram(
    "guardian_site_task_wait_seconds",
    "Time from sending a task to its start.",
    ["queue"],
    buckets=(0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
)
RATE_LIMITED = Counter(
    "guardian_site_rate_limited_total", "Requests refused for their rate.", ["bucket"]
)

REPORT_OUTCOMES = ("recorded", "repeated", "corrected", "refused", "unavailable")
BUCKETS = ("api", "key", "pages")
# Failures of every task, and of the two routes for reports: shown as 0 before the first.
FAILURES = tuple((task, "failed") for task in TASK_NAMES)
DOOR_FAILURES = tuple(product(("500", "503"), ("transaction", "batch")))


def begin_at_zero() -> None:
    """Every series whose labels are known is there from the start, at 0.

    A counter that appears with its first event has no increase for Prometheus: the first failure
    would go unseen.
    """
    for outcome in REPORT_OUTCOMES:
        ingest.reports.labels(outcome)
    for status in Status.values:
        ingest.transactions.labels(status)
    for direction in ("ahead", "back"):
        ingest.clock_jumps.labels(direction)
    for level in Level.values:
        detection.VERDICTS.labels(level)
    for family, level in product(Family.values, (Level.WARNING.value, Level.CRITICAL.value)):
        detection.ANOMALIES.labels(family, level)
    for queue in QUEUES:
        TASK_WAIT_SECONDS.labels(queue)
    for bucket in BUCKETS:
        RATE_LIMITED.labels(bucket)
    for task, outcome in FAILURES:
        TASKS.labels(task, outcome)
    answers = Metrics.get_instance().responses_by_status_view_method
    for status, view in DOOR_FAILURES:
        answers.labels(status=status, view=view, method="POST")
