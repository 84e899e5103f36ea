"""Who is on call at a moment: pure, by the wall clock of the schedule's time zone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from alerts.hours import DAY, clock_shows, hours_at


@dataclass(frozen=True)
class Turns:
    """A rotation: who takes turns, from when, and at which hours it counts."""

    name: str
    members: Sequence[int]
    first_day: date
    handover: time
    days: int
    weekdays: frozenset[int] = frozenset()
    from_time: time | None = None
    until_time: time | None = None


@dataclass(frozen=True)
class Standing:
    """An override: somebody holds the schedule for a while."""

    user: int
    starts: datetime
    ends: datetime


@dataclass(frozen=True)
class Duty:
    """Who holds a schedule, and by what."""

    user: int
    by: str


def duty_day(at: datetime, handover: time, zone: ZoneInfo) -> date:
    """Return the local day whose hand-over was the last one before or at a moment.

    Hand-overs are compared as moments, not as clock readings: in the hour that the clocks repeat,
    nobody is handed the pager back.
    """
    today = at.astimezone(zone).date()
    for day in (today + DAY, today):
        if clock_shows(day, handover, zone) <= at:
            return day
    return today - DAY


def counts_at(turns: Turns, at: datetime, zone: ZoneInfo) -> bool:
    """Say whether a rotation counts at a moment: on its weekdays, within its hours.

    Hours that pass midnight belong to the day on which they began.
    """
    day = at.astimezone(zone).date()
    begin, end = turns.from_time, turns.until_time
    if begin is not None and end is not None and begin != end:
        hours = hours_at(at, zone, begin, end)
        if hours is None:
            return False
        day = hours[0]
    return not turns.weekdays or day.weekday() in turns.weekdays


def member_at(turns: Turns, at: datetime, zone: ZoneInfo) -> int | None:
    """Return whose turn it is; None if the rotation does not count or has not begun."""
    if not turns.members or not counts_at(turns, at, zone):
        return None
    elapsed = (duty_day(at, turns.handover, zone) - turns.first_day).days
    if elapsed < 0:
        return None
    return turns.members[elapsed // turns.days % len(turns.members)]


def on_duty(
    rotations: Iterable[Turns], overrides: Iterable[Standing], at: datetime, zone: ZoneInfo
) -> Duty | None:
    """Return who holds a schedule; an override before every rotation, the latest one first.

    Parameters
    ----------
    rotations : iterable of Turns
        In the order of their rank.
    overrides : iterable of Standing
        In any order.
    at : datetime
        The moment.
    zone : ZoneInfo
        The schedule's time zone.
    """
    standing = [one for one in overrides if one.starts <= at < one.ends]
    if standing:
        return Duty(max(standing, key=lambda one: one.starts).user, "override")
    for turns in rotations:
        if (member := member_at(turns, at, zone)) is not None:
            return Duty(member, turns.name)
    return None
