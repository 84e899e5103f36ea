"""Entries of a Redis Stream, read by the members of a consumer group."""

import time
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, TypeVar

import redis

from ingest.streaming.consuming import StreamAway
from ingest.streaming.entries import Entry, body_of_fields, moment_of

# A member that has kept an entry for so long is gone, or as good as gone.
STALE_MILLISECONDS = 60_000
# The dead stream keeps the newest of these: enough to find out, too few to fill the memory.
DEAD_AT_MOST = 100_000
# What every group has acknowledged is deleted once in so many seconds.
TRIM_SECONDS = 5.0
# A Redis that is full lets nothing be added, but a script go on once it has taken something away.
_PUT_ASIDE = """
redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[3], '*', unpack(ARGV, 4))
"""
Returned = TypeVar("Returned")


def _told(method: Callable[..., Returned]) -> Callable[..., Returned]:
    """Say of every failure of Redis the same: that it is away."""

    @wraps(method)
    def asked(*arguments: Any) -> Returned:
        try:
            return method(*arguments)
        except redis.RedisError as error:
            raise StreamAway(str(error)) from error

    return asked


class RedisStream:
    """One member of a group. What it read before it died is the first thing it reads again."""

    def __init__(
        self,
        url: str,
        name: str,
        group: str,
        member: str,
        stale: int = STALE_MILLISECONDS,
        *,
        keeps: bool = False,
    ) -> None:
        self._redis = redis.Redis.from_url(url, socket_timeout=10, socket_connect_timeout=5)
        self._name, self._group, self._member = name, group, member
        self._stale, self._keeps = stale, keeps
        self._trimmed = float("-inf")
        self._joined = False
        # Where its own unacknowledged entries go on; None once all of them were read again.
        self._own: str | None = "0"
        self._claim_from = "0-0"
        self._missed = 0

    @_told
    def read(self, count: int, seconds: float) -> Sequence[Entry]:
        """Return its own unacknowledged entries, then those of members gone, then new ones."""
        try:
            self._join()
            return self._again(count) or self._left_behind(count) or self._new(count, seconds)
        except redis.ResponseError as error:
            # A Redis that came back empty knows neither stream nor group.
            self._joined = False
            raise StreamAway(str(error)) from error

    def _join(self) -> None:
        if self._joined:
            return
        # A Redis that is full makes no group, nor says that there is one.
        if not self._is_there():
            self._make_group()
        self._joined, self._own = True, "0"

    def _is_there(self) -> bool:
        try:
            groups = self._redis.xinfo_groups(self._name)
        except redis.ResponseError as error:
            if "no such key" not in str(error):
                raise
            return False
        return any(self._is_mine(group) for group in groups)

    def _make_group(self) -> None:
        try:
            self._redis.xgroup_create(self._name, self._group, id="0", mkstream=True)
        except redis.ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    def _again(self, count: int) -> list[Entry]:
        while self._own is not None:
            rows = self._rows(self._own, count)
            self._own = rows[-1][0].decode() if rows else None
            self._give_up([number for number, fields in rows if not fields])
            if entries := self._entries(rows):
                return entries
        return []

    def _give_up(self, gone: Sequence[bytes]) -> None:
        """Entries that others deleted from the stream are told of and waited for no more."""
        if gone:
            self._redis.xack(self._name, self._group, *gone)
            self._missed += len(gone)

    def _left_behind(self, count: int) -> list[Entry]:
        position, claimed, *gone = self._redis.xautoclaim(
            self._name, self._group, self._member, self._stale, self._claim_from, count=count
        )
        self._claim_from = position.decode() if isinstance(position, bytes) else str(position)
        self._missed += len(gone[0]) if gone else 0
        return self._entries(claimed)

    def _new(self, count: int, seconds: float) -> list[Entry]:
        first, skipped = self._gap()
        entries = self._entries(self._rows(">", count, block=max(1, int(seconds * 1000))))
        # Of all who saw the gap, one goes on behind it.
        if entries and entries[0].id == first:
            self._missed += skipped
        return entries

    def _gap(self) -> tuple[str, int]:
        """Return the first entry there is, and how many before it were deleted undelivered."""
        asked = self._redis.pipeline(transaction=True)
        asked.xinfo_stream(self._name)
        asked.xinfo_groups(self._name)
        stream, groups = asked.execute()
        mine: Any = next((group for group in groups if self._is_mine(group)), {})
        first, lag = stream["first-entry"], mine.get("lag")
        if not first or lag is None:
            return "", 0
        delivered = _number_of(first[0]) <= _number_of(mine["last-delivered-id"])
        return first[0].decode(), 0 if delivered else max(0, int(lag) - int(stream["length"]))

    def missed(self) -> int:
        """Return how many entries were deleted before they were taken in, since asked last."""
        missed, self._missed = self._missed, 0
        return missed

    def _rows(self, position: str, count: int, block: int | None = None) -> list[Any]:
        found: Any = self._redis.xreadgroup(
            self._group, self._member, {self._name: position}, count=count, block=block
        )
        rows = found.values() if isinstance(found, dict) else [one[1] for one in found or []]
        return [row for part in rows for row in _flat(part)]

    def _entries(self, rows: Sequence[Any]) -> list[Entry]:
        # An entry that was deleted from the stream has no fields left.
        return [self._entry(*row) for row in rows if row[1]]

    def _entry(self, number: bytes, fields: dict[bytes, bytes]) -> Entry:
        milliseconds, _sequence = _number_of(number)
        written = moment_of(milliseconds)
        return Entry(number.decode(), body_of_fields(fields), written, self._name)

    @_told
    def acknowledge(self, entries: Sequence[Entry]) -> None:
        """The entries have left the group's list of pending ones; what nobody needs is deleted."""
        self._redis.xack(self._name, self._group, *(entry.id for entry in entries))
        if not self._keeps and time.monotonic() - self._trimmed >= TRIM_SECONDS:
            self._trimmed = time.monotonic()
            self._trim()

    def _trim(self) -> None:
        """Delete what every group has read and acknowledged: else it would fill Redis for ever."""
        needed = [self._oldest_needed(group) for group in self._redis.xinfo_groups(self._name)]
        if needed:
            milliseconds, sequence = min(needed)
            self._redis.xtrim(self._name, minid=f"{milliseconds}-{sequence}", approximate=False)

    def _oldest_needed(self, group: Any) -> tuple[int, int]:
        """Return the first entry that a group has not acknowledged, or the last that it has."""
        oldest = None
        if int(group["pending"]):
            # None where another member has acknowledged all of it since.
            oldest = self._redis.xpending(self._name, group["name"])["min"]
        return _number_of(oldest or group["last-delivered-id"])

    def rewind(self) -> None:
        """What was read but not acknowledged will be read again next."""
        self._own = "0"

    @_told
    def bury(self, entry: Entry, reason: str) -> None:
        """A copy of the entry lies in the stream `NAME:dead` with the reason."""
        fields: Any = {"id": entry.id, "report": entry.body, "reason": reason}
        dead = f"{self._name}:dead"
        try:
            self._redis.xadd(dead, fields, maxlen=DEAD_AT_MOST, approximate=True)
        except redis.OutOfMemoryError:
            flat = [part for field in fields.items() for part in field]
            told = (self._group, entry.id, DEAD_AT_MOST, *flat)
            self._redis.eval(_PUT_ASIDE, 2, self._name, dead, *told)

    @_told
    def waiting(self) -> int | None:
        """Return the entries not delivered yet and those delivered but not acknowledged."""
        for group in self._redis.xinfo_groups(self._name):
            if self._is_mine(group):
                lag = group.get("lag")
                return None if lag is None else int(lag) + int(group["pending"])
        return None

    def _is_mine(self, group: Any) -> bool:
        return group["name"] in (self._group, self._group.encode())

    def close(self) -> None:
        self._redis.close()


def _flat(part: Any) -> list[Any]:
    """Return (id, fields) pairs: RESP3 nests them one level deeper than RESP2."""
    nested = bool(part) and isinstance(part[0], list) and isinstance(part[0][0], (list, tuple))
    return list(part[0]) if nested else list(part)


def _number_of(entry: bytes | str) -> tuple[int, int]:
    text = entry.decode() if isinstance(entry, bytes) else entry
    milliseconds, sequence = text.split("-")
    return int(milliseconds), int(sequence)
