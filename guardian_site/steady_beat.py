"""Celery beat on a clock that nobody can set.

Celery's own scheduler reads the wall clock: when that is set back by an hour, no task is sent for
an hour, so nothing is judged and nobody is told.
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
    """Return the start of this process plus the time since, which no change of the clock moves."""
    return _BEGAN + timedelta(seconds=uptime() - _UP)


class SteadyEntry(ScheduleEntry):
    """One task of the schedule, due by `beat_time`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        assert self.schedule is not None
        self.schedule.nowfun = beat_time  # type: ignore[attr-defined]


class SteadyScheduler(PersistentScheduler):
    """Remembers in a file when each task ran last, also between starts.

    If the file cannot be written it does without: after a start every task is due anew.
    """

    Entry = SteadyEntry
    schedule_filename: str
    _store: Any
    _in_memory = False

    def apply_entry(self, entry: ScheduleEntry, producer: Any = None) -> None:
        """Send a task that is due.

        While the broker is away, Celery's own method logs ten thousand characters for each task.
        """
        try:
            self.apply_async(entry, producer=producer, advance=False)
        except Exception as error:
            logger.error("Not sent, the next will be tried when it is due: %s", error)

    def setup_schedule(self) -> None:
        """Read the file; a task whose last run lies in the future counts as run just now."""
        try:
            super().setup_schedule()
        except dbm.error as error:
            self._log_failure(error)
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
            self._log_failure(error)
            # The shelf switched this off when it could not write.
            self._store.writeback = True

    def close(self) -> None:
        try:
            super().close()
        except dbm.error as error:
            self._log_failure(error)

    def _log_failure(self, error: Exception) -> None:
        logger.error("Tasks go on without %s: %s", self.schedule_filename, error)
