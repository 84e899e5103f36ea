"""A report on its way in, and what is true of it once it is recorded."""

from datetime import datetime
from zoneinfo import ZoneInfo

from msgspec import Struct

# (status, auth_code, count) of one key of a minute.
KeyCount = tuple[str, str, int]

# The version of a source of which nothing is known.
NOTHING_KNOWN = -1


class SourceRef(Struct, frozen=True, gc=False):
    """What the hot path needs to know of a Source."""

    id: int
    name: str
    zone: ZoneInfo


class NewReport(Struct, frozen=True, gc=False):
    """A valid report, not yet recorded. With an `external_id` it is an individual transaction."""

    source: SourceRef
    timestamp: datetime
    status: str
    auth_code: str = "00"
    count: int = 1
    external_id: str = ""
    # False: the sender gave no time, so `timestamp` is the arrival and the report is never a
    # repeat of another one, whatever the clock says.
    timed: bool = True
    # When a stream took it: what was told later stands, whichever is written first. None is now.
    told: datetime | None = None


class RecordedReport(Struct, frozen=True, gc=False):
    """A report that is committed, with its minute as it is after the commit."""

    source: SourceRef
    timestamp: datetime
    minute: datetime
    status: str
    auth_code: str
    count: int
    # The stored counts moved: a repeat changes nothing, a correction also changed an old row.
    changed: bool
    corrected: bool
    # Shared between the reports of one minute: read it, never write to it.
    minute_counts: list[KeyCount]
    # Version of what is known of the source, read as it was written; None if nobody reads versions.
    known_version: int | None = None
