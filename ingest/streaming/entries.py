"""What a stream gives, whichever it is, and what is asked of a stream."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2s
from typing import Protocol

from msgspec import Struct

from ingest.parsing.bodies import ReportBody, read_report
from ingest.refusals import Refused

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Senders may number their entries themselves: one in nanoseconds would lie past the calendar. A
# report that takes its time from it is then refused as one of the future.
LATEST = datetime(9999, 1, 1, tzinfo=UTC)
LATEST_MILLISECONDS = (LATEST - EPOCH) // timedelta(milliseconds=1)
# A longer number is no count, and Python refuses to read one of thousands of digits.
COUNT_DIGITS = 20


class Entry(Struct, frozen=True):
    """One entry of a stream: the body of one report, and when the stream took it.

    `id`, `written` and `stream` are the same at every delivery, so that a report which says neither
    time nor id has the same ones, and is counted once, whenever it is read again.
    """

    id: str
    body: bytes
    written: datetime
    stream: str

    @property
    def name(self) -> str:
        """What tells it apart from every entry of every stream, one made anew included."""
        place = blake2s(self.stream.encode(), digest_size=6).hexdigest()
        return f"{place}:{self.id}:{self.written.timestamp():.3f}"


class Stream(Protocol):
    """A stream of entries that are delivered again until they are acknowledged."""

    def read(self, count: int, seconds: float) -> Sequence[Entry]:
        """Return at most `count` entries, waiting up to `seconds` for the first."""

    def acknowledge(self, entries: Sequence[Entry]) -> None:
        """The entries will not be delivered again."""

    def rewind(self) -> None:
        """What was read but not acknowledged will be read again next."""

    def bury(self, entry: Entry, reason: str) -> None:
        """A copy of the entry lies in the dead stream with the reason."""

    def waiting(self) -> int | None:
        """Return how many entries are not acknowledged; None if the stream cannot say."""

    def missed(self) -> int:
        """Return how many entries were deleted before they were taken in, since asked last."""

    def close(self) -> None:
        """Nothing is held any more."""


def moment_of(milliseconds: int) -> datetime:
    """Return the time of an entry, or the latest there is.

    Examples
    --------
    >>> moment_of(1_700_000_000_123).isoformat()
    '2023-11-14T22:13:20.123000+00:00'
    >>> moment_of(1_700_000_000_123_000_000) == LATEST
    True
    """
    return EPOCH + timedelta(milliseconds=min(milliseconds, LATEST_MILLISECONDS))


def body_of_fields(fields: Mapping[bytes, bytes]) -> bytes:
    """Return the body of a report given field by field, or whole in the field `report`.

    Examples
    --------
    >>> body_of_fields({b"status": b"denied", b"count": b"3"})
    b'{"status": "denied", "count": 3}'
    """
    if b"report" in fields:
        return fields[b"report"]
    texts = {
        name.decode(errors="replace"): fields[name].decode(errors="replace") for name in fields
    }
    values = {
        name: int(text) if name == "count" and _is_number(text) else text
        for name, text in texts.items()
    }
    return json.dumps(values).encode()


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= COUNT_DIGITS


def read_entry(entry: Entry) -> ReportBody:
    """Return the report in an entry; raise Refused with everything that is wrong with it."""
    row = read_report(entry.body)
    if not isinstance(row.timestamp, str):
        row.timestamp = entry.written.isoformat()
        # Many entries share a millisecond; by its id each is counted, and once.
        row.id = row.id or entry.name
    return row


def reason_of(refusal: Refused) -> str:
    """Return why an entry is put aside, in one line."""
    # Of a body that cannot be read there is nothing to add.
    parts = [
        f"{error.field} {error.message}"
        for error in refusal.errors
        if error.message not in refusal.detail
    ]
    return "; ".join([refusal.detail, *parts])[:1000]
