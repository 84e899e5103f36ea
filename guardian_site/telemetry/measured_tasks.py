"""Counts and times every Celery task, by Celery's own signals."""

import threading
import time
from typing import Any

from celery import signals

from guardian_site.schedule import QUEUES
from guardian_site.telemetry.metrics import TASK_SECONDS, TASK_WAIT_SECONDS, TASKS
from ingest import steady_clock

SENT_HEADER = "guardian_sent"
# State in which a task ends, by Celery's name -> the outcome in the metrics.
OUTCOMES = {"SUCCESS": "done", "RETRY": "retried", "FAILURE": "failed"}
OURS = ("alerts.", "detection.", "guardian_site.", "ingest.")
_started = threading.local()


def _stamp(headers: dict[str, Any] | None = None, **_: object) -> None:
    if headers is not None:
        headers[SENT_HEADER] = steady_clock.now().timestamp()


def _label(task: Any) -> str:
    name = str(task.name)
    return name if name.startswith(OURS) else "other"


def _before(task: Any = None, **_: object) -> None:
    _started.at = time.perf_counter()
    sent = getattr(task.request, SENT_HEADER, None)
    if sent is None:
        return
    queue = (task.request.delivery_info or {}).get("routing_key")
    # The clocks of two machines may differ, so the difference may be below 0.
    TASK_WAIT_SECONDS.labels(queue if queue in QUEUES else "other").observe(
        max(0.0, steady_clock.now().timestamp() - sent)
    )


def _after(task: Any = None, state: str | None = None, **_: object) -> None:
    label = _label(task)
    TASKS.labels(label, OUTCOMES.get(state or "", "other")).inc()
    started = getattr(_started, "at", None)
    if started is not None:
        TASK_SECONDS.labels(label).observe(time.perf_counter() - started)
        _started.at = None


def connect() -> None:
    """Have Celery tell of every task that is sent, begins and ends."""
    signals.before_task_publish.connect(_stamp, weak=False)
    signals.task_prerun.connect(_before, weak=False)
    signals.task_postrun.connect(_after, weak=False)
