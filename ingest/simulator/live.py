"""Simulated traffic as it happens: every few seconds what came in since."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ingest.simulator.plan import Plan, minute_number, minute_start
from ingest.simulator.profiles import Profile
from ingest.simulator.ticks import spread_minute, tick_cells
from ingest.simulator.traffic import Counts

Reports = list[tuple[str, datetime, str, str, int]]


@dataclass
class LiveClock:
    """Simulated time: `speed` times as fast as real time until it has caught up with it."""

    started: datetime
    real_start: datetime
    speed: float = 1.0

    def now(self, real: datetime) -> datetime:
        """Return the simulated time at a real time; never ahead of it."""
        return min(real, self.started + (real - self.real_start) * self.speed)


class LiveTraffic:
    """Hands out the ticks of a plan in order, each once."""

    def __init__(self, plan: Plan, since: datetime, tick_seconds: int) -> None:
        self._plan = plan
        self._tick = timedelta(seconds=tick_seconds)
        self._seconds = tick_seconds
        self._next = minute_start(minute_number(since))

    def due(self, now: datetime) -> Iterator[tuple[datetime, Reports]]:
        """Yield each tick that is over by `now`, with its reports."""
        while self._next + self._tick <= now:
            at = self._next
            self._next += self._tick
            yield at, self._reports(at)

    def _reports(self, at: datetime) -> Reports:
        tick = at.second // self._seconds
        reports: Reports = []
        for profile in self._plan.profiles:
            spread = self._spread(profile, minute_number(at))
            if spread is not None:
                reports += [(profile.name, at, *cell) for cell in tick_cells(spread, tick)]
        return reports

    def _spread(self, profile: Profile, minute: int) -> Counts | None:
        traffic = self._plan.traffic(profile, minute, 1)
        if not traffic.reported[0]:
            return None
        return spread_minute(traffic, minute, self._seconds, self._plan.seed)


def by_minute(ticks: Iterator[tuple[datetime, Reports]], now: datetime) -> tuple[Reports, Reports]:
    """Split the reports of ticks into those of minutes that are over and those of the open one."""
    open_since = now.replace(second=0, microsecond=0)
    whole: Reports = []
    part: Reports = []
    for at, reports in ticks:
        (part if at >= open_since else whole).extend(reports)
    return whole, part


@dataclass
class Sink:
    """Where the reports of a live simulation go."""

    whole_minutes: Callable[[Sequence[tuple[str, datetime, str, str, int]]], object]
    parts: Callable[[Sequence[tuple[str, datetime, str, str, int]]], object]


def send_due(traffic: LiveTraffic, now: datetime, sink: Sink) -> int:
    """Send what is due by `now`; return how many reports that were."""
    whole, part = by_minute(traffic.due(now), now)
    if whole:
        sink.whole_minutes(whole)
    if part:
        sink.parts(part)
    return len(whole) + len(part)
