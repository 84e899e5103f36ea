"""Workers and beat say every few seconds that they are alive, from a thread of their own."""

import logging
import os
import platform
import threading
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from celery import signals
from django.db import DatabaseError, InterfaceError, close_old_connections

from guardian_site.models import Heartbeat
from ingest import steady_clock

PERIOD_SECONDS = 5.0
FORGET_AFTER = timedelta(days=1)
URGENT = ("notify", "detect")
logger = logging.getLogger(__name__)


def record_heartbeat(*, part: str, kind: str, now: datetime) -> None:
    """The part is known to have been alive at `now`."""
    Heartbeat.objects.update_or_create(
        part=part, defaults={"kind": kind, "seen": now}, create_defaults={"kind": kind, "seen": now}
    )


def forget_parts(*, seen_before: datetime) -> None:
    """Parts that stopped long ago, such as workers of an older deployment, are no longer listed."""
    Heartbeat.objects.filter(seen__lt=seen_before).delete()


def _beat_for_ever(part: str, kind: str, stop: threading.Event) -> None:
    while not stop.wait(PERIOD_SECONDS):
        try:
            close_old_connections()
            record_heartbeat(part=part, kind=kind, now=steady_clock.now())
        except (DatabaseError, InterfaceError) as error:
            # The thread goes on: the database may be restarting, and without heartbeats after that
            # this part would look dead.
            logger.warning("heartbeat of %s not written: %s", part, error)


def start_pulse(kind: str) -> threading.Event:
    """Start the thread; set the returned event to stop it."""
    stop = threading.Event()
    part = f"{kind}@{platform.node()}:{os.getpid()}"
    threading.Thread(
        target=_beat_for_ever, args=(part, kind, stop), name=f"pulse-{kind}", daemon=True
    ).start()
    return stop


def _worker_is_ready(sender: Any, **_: object) -> None:
    start_pulse(kind_of_worker(sender.app.amqp.queues.consume_from))


def kind_of_worker(queues: Iterable[str]) -> str:
    """Return `worker` if it serves both urgent queues, else the one it serves, else `trainer`."""
    urgent = [queue for queue in URGENT if queue in set(queues)]
    if len(urgent) == len(URGENT):
        return "worker"
    return urgent[0] if urgent else "trainer"


def _beat_is_ready(**_: object) -> None:
    start_pulse("beat")


def connect() -> None:
    """Have Celery start the pulse in each worker and beat process."""
    signals.worker_ready.connect(_worker_is_ready, weak=False)
    signals.beat_init.connect(_beat_is_ready, weak=False)
    signals.beat_embedded_init.connect(_beat_is_ready, weak=False)
