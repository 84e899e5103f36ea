"""What keeps a message back at this moment: pure, derived anew each time, never a state."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from alerts.conf import Rules
from alerts.hours import clock_shows, hours_at
from alerts.policy import MINUTE, worse

# As much as a notification keeps, so that the same reason is known again.
REASON_AT_MOST = 300
SILENCE, WINDOW, LATE = "silence", "window", "late"


class Matching(Protocol):
    """What silences and maintenance windows have in common."""

    pk: int
    source_id: int | None
    family: str
    level: str
    reason: str


class Silencing(Matching, Protocol):
    starts: datetime
    ends: datetime
    created_by: str


class Recurring(Protocol):
    time_zone: str
    first_day: date
    last_day: date | None
    start_time: time
    minutes: int
    every: str
    weekdays: list[int]


class Maintaining(Matching, Recurring, Protocol):
    name: str


@dataclass(frozen=True)
class Subject:
    """What is told of: the facts that matchers look at."""

    sources: frozenset[int]
    family: str
    level: str


@dataclass(frozen=True)
class Holding:
    """What holds a message back: a silence, a maintenance window, or a stage of ours that is late.

    Attributes
    ----------
    by : Silencing, Maintaining or None
        The silence or window; None for a stage.
    name : str
        Who made the silence, what the window or the stage is called.
    until : datetime or None
        When it ends; None is as soon as the stage is well.
    """

    kind: str
    name: str
    by: Silencing | Maintaining | None = None
    until: datetime | None = None

    @property
    def reason(self) -> str:
        """The same in words, for the timeline."""
        if self.by is None or self.until is None:
            return f"our own {self.name} is late: silence says nothing about the source"
        until = f"{self.until:%Y-%m-%d %H:%M} UTC"
        if self.kind == SILENCE:
            who = f" by {self.name}" if self.name else ""
            what = f"silence #{self.by.pk}{who} until {until}"
        else:
            what = f"maintenance window #{self.by.pk} “{self.name}” until {until}"
        return (f"{what}: {self.by.reason}" if self.by.reason else what)[:REASON_AT_MOST]


def matches(matcher: Matching, subject: Subject) -> bool:
    """Say whether a matcher means the subject; its empty fields mean any."""
    return (
        (matcher.source_id is None or matcher.source_id in subject.sources)
        and matcher.family in ("", subject.family)
        and (not matcher.level or not worse(subject.level, matcher.level))
    )


def starts_on(window: Recurring, day: date) -> bool:
    """Say whether a window begins on a local day.

    Monthly windows on a day that a month lacks fall on its last day.
    """
    if day < window.first_day or (window.last_day is not None and day > window.last_day):
        return False
    if window.every == "once":
        return day == window.first_day
    if window.every == "week":
        return day.weekday() in window.weekdays
    if window.every == "month":
        last_of_month = (day + timedelta(days=1)).month != day.month
        return day.day == window.first_day.day or (last_of_month and day.day < window.first_day.day)
    return True


def occurrence_at(window: Recurring, now: datetime) -> tuple[datetime, datetime] | None:
    """Return the begin and end of the occurrence that covers `now`; None if none does.

    The start is local wall-clock time, the length is elapsed time: a window of 60 minutes lasts
    60 minutes in the night the clocks change. A start that the clocks skip happens as much later;
    one that they repeat happens at the first pass.
    """
    zone = ZoneInfo(window.time_zone)
    length = timedelta(minutes=window.minutes)
    today = now.astimezone(zone).date()
    # One day more than the length: at the change of the clocks the local date may lag.
    furthest = min(length.days + 1, (today - window.first_day).days)
    for back in range(furthest + 1):
        day = today - timedelta(days=back)
        if not starts_on(window, day):
            continue
        begin = clock_shows(day, window.start_time, zone)
        if begin <= now < begin + length:
            return begin, begin + length
    return None


@dataclass(frozen=True)
class Away:
    """When we ourselves heard nobody: after a minute, None if never before, and before another."""

    after: datetime | None
    before: datetime


def unheard(family: str, *, onset: datetime, last: datetime, away: Away, rules: Rules) -> bool:
    """Say whether too little at a source tells of nothing but the time when we were away.

    Parameters
    ----------
    family : str
        The incident's family.
    onset, last : datetime
        When it began, and its last bad minute.
    away : Away
        When we last were.
    rules : Rules
        How patient to be: sums over the last minutes hold those for a while.
    """
    if family == "silence":
        return last <= away.before
    near = rules.related_minutes * MINUTE
    began = away.after is not None and onset >= away.after - near
    return family == "volume_low" and began and last <= away.before + near


def held_back(
    subject: Subject,
    *,
    now: datetime,
    silences: Iterable[Silencing],
    windows: Iterable[Maintaining],
    late_stage: str | None = None,
) -> Holding | None:
    """Return what keeps the subject from being told now; None if nothing does.

    Parameters
    ----------
    subject : Subject
        What would be told.
    now : datetime
        Time of the decision.
    silences, windows : iterables
        All that might apply.
    late_stage : str or None
        The stage of our own pipeline that stands still: then a silent source says nothing about
        the source.
    """
    if late_stage is not None and subject.family == "silence":
        return Holding(LATE, late_stage)
    for one in holding_now(silences, windows, now):
        if one.by is not None and matches(one.by, subject):
            return one
    return None


def holding_now(
    silences: Iterable[Silencing], windows: Iterable[Maintaining], now: datetime
) -> Iterator[Holding]:
    """Yield the silences and windows that hold at a moment, whatever they are about."""
    for silence in silences:
        if silence.starts <= now < silence.ends:
            yield Holding(SILENCE, silence.created_by, silence, silence.ends)
    for window in windows:
        if span := occurrence_at(window, now):
            yield Holding(WINDOW, window.name, window, span[1])


def quiet_until(
    now: datetime, *, zone: str, begin: time | None, end: time | None
) -> datetime | None:
    """Return the end of the quiet hours that cover `now`; None outside of them.

    Examples
    --------
    >>> from datetime import timezone
    >>> night = datetime(2026, 1, 5, 23, 30, tzinfo=timezone.utc)
    >>> quiet_until(night, zone="UTC", begin=time(22), end=time(7)).isoformat()
    '2026-01-06T07:00:00+00:00'
    """
    if begin is None or end is None or begin == end:
        return None
    hours = hours_at(now, ZoneInfo(zone), begin, end)
    return hours[2] if hours else None
