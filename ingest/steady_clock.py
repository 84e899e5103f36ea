"""The time by which everything is decided here: the host's wall clock, unless it has just jumped.

People and time servers set a wall clock, at times wrongly. If Guardian believed at once that it is
an hour later, nobody would have reported for an hour, every message would be overdue, and somebody
would be woken; if it believed that it is an hour earlier, every report would lie in the future. So
a jump is believed once it has stood for ten minutes. Until then time goes on as it did before,
at the pace of a clock that nobody can set. A jump that is taken back meanwhile never happened.

A process knows only the jumps that it has lived through: one that starts believes what it finds.
"""

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from ingest import metrics

logger = logging.getLogger(__name__)
# A smaller step is no jump but the usual correction, and is followed at once [seconds].
JUMP_SECONDS = 30.0
BELIEVED_AFTER_SECONDS = 600.0


def uptime() -> float:
    """Return seconds since some moment, at a pace that nobody sets; sleep of the host included."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class SteadyClock:
    """A wall clock that does not follow a jump before it has stood for a while.

    Parameters
    ----------
    wall, elapsed : callable returning float
        The clock that may jump and the one that cannot [s].
    """

    def __init__(
        self, wall: Callable[[], float] = time.time, elapsed: Callable[[], float] = uptime
    ) -> None:
        self._wall = wall
        self._elapsed = elapsed
        self._lock = threading.Lock()
        # What the wall clock showed when `elapsed` was zero, as far as that is believed.
        self._begin = wall() - elapsed()
        # The same after a jump that is not believed yet, and when that was first seen.
        self._jump: tuple[float, float] | None = None

    def now(self) -> datetime:
        """Return the time of now."""
        return datetime.fromtimestamp(self._seconds(), UTC)

    def latest(self) -> datetime:
        """Return the latest that it may be: after a jump either clock may be right."""
        return datetime.fromtimestamp(max(self._seconds(), self._wall()), UTC)

    def _seconds(self) -> float:
        elapsed, wall = self._elapsed(), self._wall()
        begin = wall - elapsed
        if abs(begin - self._begin) >= JUMP_SECONDS and not self._is_believed(begin, elapsed):
            return self._begin + elapsed
        if self._jump is not None:
            self._jump = None
            logger.warning("The clock of this host is believed again.")
        self._begin = begin
        return wall

    def _is_believed(self, begin: float, elapsed: float) -> bool:
        """Tell whether a jump has stood for long enough; a new one is noted and told."""
        with self._lock:
            if self._jump is not None and abs(begin - self._jump[0]) < JUMP_SECONDS:
                return elapsed - self._jump[1] >= BELIEVED_AFTER_SECONDS
            self._jump = begin, elapsed
        ahead = begin - self._begin
        direction = "ahead" if ahead > 0 else "back"
        metrics.clock_jumps.labels(direction).inc()
        logger.warning(
            "The clock of this host was set %s by %.0f s: believed once it has stood for %.0f s.",
            direction,
            abs(ahead),
            BELIEVED_AFTER_SECONDS,
        )
        return False


_clock = SteadyClock()


def now() -> datetime:
    """Return the time of now, in UTC."""
    return _clock.now()


def latest() -> datetime:
    """Return the latest that it may be; the same as `now` unless the clock has just jumped."""
    return _clock.latest()
