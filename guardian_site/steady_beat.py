"""Beat by a clock that nobody sets.

Celery's own reads the wall clock: set back by an hour, it sends no task for an hour, and nothing
is judged and nobody told meanwhile.
"""

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from celery.beat import PersistentScheduler, ScheduleEntry

from ingest.steady_clock import uptime

logger = logging.getLogger(__name__)
_BEGAN = datetime.now(UTC)
_UP = uptime()


def beat_time() -> datetime:
    """Return when this process began and what has passed since: it moves on, whatever is set."""
    return _BEGAN + timedelta(seconds=uptime() - _UP)


class SteadyEntry(ScheduleEntry):
    """One task of the schedule, due by `beat_time`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        assert self.schedule is not None
        self.schedule.nowfun = beat_time  # type: ignore[attr-defined]


class SteadyScheduler(PersistentScheduler):
    """The schedule of every task and when it ran last, kept in a file between starts."""

    Entry = SteadyEntry

    def apply_entry(self, entry: ScheduleEntry, producer: Any = None) -> None:
        """Send a task that is due.

        Celery's own tells of a broker that is away by ten thousand letters for each task.
        """
        try:
            self.apply_async(entry, producer=producer, advance=False)
        except Exception as error:
            logger.error("Not sent, the next will be tried when it is due: %s", error)

    def setup_schedule(self) -> None:
        """Read the file; a task that ran later than it is now waits from now on."""
        super().setup_schedule()
        now = beat_time()
        for entry in self.schedule.values():
            entry.last_run_at = min(entry.last_run_at or now, now)
