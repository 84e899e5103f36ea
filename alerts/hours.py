"""Hours of a local day as spans of real time: pure, with the clocks that change in between."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)


def clock_shows(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """Return when the clock of a zone shows a time, in UTC.

    A time that the clocks skip comes as much later; one that they repeat is the first.

    Examples
    --------
    >>> clock_shows(date(2026, 3, 8), time(2, 30), ZoneInfo("America/New_York")).isoformat()
    '2026-03-08T07:30:00+00:00'
    """
    return datetime.combine(day, clock, tzinfo=zone).astimezone(UTC)


def hours_at(
    at: datetime, zone: ZoneInfo, begin: time, end: time
) -> tuple[date, datetime, datetime] | None:
    """Return the day, begin and end of the daily hours that cover a moment; None outside of them.

    They are compared as moments, not as clock readings: in the hour that the clocks repeat, what
    has begun does not begin again, and what is over stays over.

    Parameters
    ----------
    begin, end : time
        Local times; hours that pass midnight belong to the day on which they begin.
    """
    today = at.astimezone(zone).date()
    for day in (today + DAY, today, today - DAY):
        starts = clock_shows(day, begin, zone)
        ends = clock_shows(day + DAY if begin >= end else day, end, zone)
        if starts <= at < ends:
            return day, starts, ends
    return None
