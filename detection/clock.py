"""Minutes as whole numbers since 1970-01-01 UTC, which is how scoring counts them."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# No zone changes its offset more often than at quarter hours.
OFFSET_MINUTES = 15


def minute_of(moment: datetime) -> int:
    """Number of the minute that holds an aware moment.

    Examples
    --------
    >>> minute_of(datetime(1970, 1, 1, 1, 0, 59, tzinfo=UTC))
    60
    """
    return int(moment.timestamp() // 60)


@lru_cache(maxsize=65536)
def moment_of(minute: int) -> datetime:
    """Start of a minute, in UTC."""
    return EPOCH + timedelta(minutes=minute)


@lru_cache(maxsize=8192)
def _offset(zone: str, quarter: int) -> int:
    moment = moment_of(quarter * OFFSET_MINUTES).astimezone(ZoneInfo(zone))
    offset = moment.utcoffset()
    return int(offset.total_seconds() // 60) if offset else 0


def offset_of(zone: str, minute: int) -> int:
    """Minutes east of UTC of a zone in that minute; daylight saving included.

    Examples
    --------
    >>> offset_of("America/Sao_Paulo", minute_of(datetime(2025, 7, 1, tzinfo=UTC)))
    -180
    """
    return _offset(zone, minute // OFFSET_MINUTES)
