"""Beat by a clock that nobody sets.

Celery's own reads the wall clock: set back by an hour, it sends no task for an hour, and nothing
is judged and nobody told meanwhile.
"""

import dbm
import logging
import shelve
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
    """The schedule of every task and when it ran last, kept in a file between starts.

    Where there is no room for the file it does without: tasks are due anew after a start.
    """

    Entry = SteadyEntry
    schedule_filename: str
    _store: Any
    _in_memory = False

    def apply_entry(self, entry: ScheduleEntry, producer: Any = None) -> None:
        """Send a task that is due.

        For a broker that is away Celery would log ten thousand characters of traceback a task.
        """
        try:
            self.apply_async(entry, producer=producer, advance=False)
        except Exception as error:
            logger.error("Not sent, the next will be tried when it is due: %s", error)

    def setup_schedule(self) -> None:
        """Read the file; a task that ran later than it is now waits from now on."""
        try:
            super().setup_schedule()
        except dbm.error as error:
            self._say_so(error)
            self._in_memory = True
            super().setup_schedule()
        now = beat_time()
        for entry in self.schedule.values():
            entry.last_run_at = min(entry.last_run_at or now, now)

    def _open_schedule(self) -> Any:
        if self._in_memory:
            return shelve.Shelf({}, writeback=True)
        return super()._open_schedule()  # type: ignore[misc]

    def sync(self) -> None:
        """Write the file, or try again in three minutes."""
        try:
            super().sync()
        except dbm.error as error:
            self._say_so(error)
            # The shelf has put this off when it could not write.
            self._store.writeback = True

    def close(self) -> None:
        try:
            super().close()
        except dbm.error as error:
            self._say_so(error)

    def _say_so(self, error: Exception) -> None:
        logger.error("Tasks go on without %s: %s", self.schedule_filename, error)
