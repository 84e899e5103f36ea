"""Times as senders write them, read as instants, and instants written for them."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
from django.conf import settings

from ingest import steady_clock

EXPECTED = "a date and time such as 2025-07-12T13:45:00Z"
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
# A sender's clock may be this much ahead of ours when an hour comes for the second time.
CLOCK_AHEAD = timedelta(minutes=1)
_SHAPE = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:[Zz]|[+-]\d\d(?::?\d\d)?)?",
    re.ASCII,
)
_encoder = msgspec.json.Encoder()


def read_moment(text: str, zone: ZoneInfo, now: datetime | None = None) -> datetime:
    """Return the instant that `text` names, in UTC.

    A time without a zone is local to `zone`. Where the clock is set back an hour comes twice: of
    what is told live the later one is meant as soon as it has come, of files always the first one.
    Where it is set forward a time that no clock showed is moved forward by the gap (02:30 becomes
    03:30), as calendars do.

    Parameters
    ----------
    text : str
        ISO 8601 date and time, seconds, fraction and zone optional, `T` or a space between.
    zone : ZoneInfo
        Zone of a time that names none.
    now : datetime or None
        When it was told, by a sender that tells things as they happen.

    Raises
    ------
    ValueError
        If it is not a date and time; the message says what to write.

    Examples
    --------
    >>> read_moment("2025-07-12 13:45", ZoneInfo("America/Sao_Paulo")).isoformat()
    '2025-07-12T16:45:00+00:00'
    """
    if not _SHAPE.fullmatch(text):
        raise ValueError(f"must be {EXPECTED}")
    try:
        moment = datetime.fromisoformat(text.upper())
        if moment.tzinfo is None:
            return _local(moment.replace(tzinfo=zone), now)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"is not on the calendar: {error}") from None


def written(moments: Sequence[datetime]) -> list[str]:
    """Return instants in UTC as `isoformat` writes them, those of a batch many times as fast.

    Examples
    --------
    >>> written([datetime(2025, 7, 12, 13, 45, tzinfo=UTC)])
    ['2025-07-12T13:45:00+00:00']
    """
    if not moments:
        return []
    texts = _encoder.encode(moments)[2:-2].decode().replace("Z", "+00:00")
    return texts.split('","')


def _local(moment: datetime, now: datetime | None) -> datetime:
    found = moment.astimezone(UTC)
    if now is None:
        return found
    again = moment.replace(fold=1).astimezone(UTC)
    return again if found < again <= now + CLOCK_AHEAD else found


def comes_twice(moment: datetime, zone: ZoneInfo) -> bool:
    """Return whether the clock of `zone` shows the time of a moment again, once it is set back.

    Examples
    --------
    >>> comes_twice(datetime(2025, 11, 2, 5, 30, tzinfo=UTC), ZoneInfo("America/New_York"))
    True
    >>> comes_twice(datetime(2025, 11, 2, 6, 30, tzinfo=UTC), ZoneInfo("America/New_York"))
    False
    """
    shown = moment.astimezone(zone)
    return shown.fold == 0 and shown.replace(fold=1).utcoffset() != shown.utcoffset()


def latest_plausible() -> datetime:
    """Return how late a moment may lie at most; after a jump either clock may be the right one."""
    return steady_clock.latest() + timedelta(seconds=settings.GUARDIAN_MAX_SKEW_SECONDS)


def check_plausible(moment: datetime, latest: datetime) -> None:
    """Raise ValueError if `moment` lies after `latest` or before anything could be counted."""
    if moment > latest:
        ahead = moment - latest
        raise ValueError(
            f"is in the future, {_about(ahead)} past what is allowed; check the clock and the zone"
        )
    if moment < EARLIEST:
        raise ValueError("is before 1970")


def _about(span: timedelta) -> str:
    minutes = span.total_seconds() / 60
    if minutes < 90:
        return f"{max(1, round(minutes))} min"
    return f"{minutes / 60:.0f} h" if minutes < 48 * 60 else f"{span.days} days"
