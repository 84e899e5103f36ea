"""A small memory of this process whose entries are believed for a while only."""

import threading
import time
from collections.abc import Iterable
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Expiring(Generic[Key, Value]):
    """Entries younger than `seconds`; at most `limit` of them, then it starts afresh."""

    def __init__(self, seconds: float, limit: int) -> None:
        self._seconds = seconds
        self._limit = limit
        self._entries: dict[Key, tuple[float, Value]] = {}
        self._lock = threading.Lock()

    def get(self, key: Key) -> Value | None:
        """Return a fresh entry, or None."""
        entry = self._entries.get(key)
        if entry is None or time.monotonic() - entry[0] > self._seconds:
            return None
        return entry[1]

    def get_all(self, keys: Iterable[Key]) -> dict[Key, Value]:
        """Return the fresh entries among these."""
        limit, look = time.monotonic() - self._seconds, self._entries.get
        found: dict[Key, Value] = {}
        for key in keys:
            entry = look(key)
            if entry is not None and entry[0] >= limit:
                found[key] = entry[1]
        return found

    def put(self, key: Key, value: Value) -> None:
        """Remember `value` from now on."""
        self.put_all([(key, value)])

    def put_all(self, entries: Iterable[tuple[Key, Value]]) -> None:
        """Remember these from now on."""
        with self._lock:
            if len(self._entries) >= self._limit:
                self._entries.clear()
            now = time.monotonic()
            self._entries.update((key, (now, value)) for key, value in entries)

    def forget(self) -> None:
        """Drop everything."""
        with self._lock:
            self._entries.clear()
