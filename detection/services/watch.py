"""What this process knows of the sources: their states, unpacked once and used many times."""

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeVar

from detection import conf
from detection.selectors import baselines
from detection.services.stored_states import read, read_on
from detection.services.watched import NEVER, Watched, unread

# More sources than this in one process and the oldest known half is forgotten [sources].
MOST_KEPT = 20_000
_NONE_TOLD: Mapping[int, int] = MappingProxyType({})
T = TypeVar("T")


class Watch:
    """Sources by id, each trusted while its version is the one that is stored.

    A report that was just recorded brings the version of its source. Other callers trust what is
    known for a moment, and then ask for the version.
    """

    def __init__(self) -> None:
        self._kept: dict[int, tuple[float, Watched]] = {}
        self._lock = threading.Lock()

    def get(
        self,
        source_ids: Iterable[int],
        *,
        versions: Mapping[int, int] = _NONE_TOLD,
        fresh: float | None = None,
    ) -> dict[int, Watched]:
        """The sources in these versions or later; without one, at most `fresh` seconds old."""
        now = time.monotonic()
        limit = now - (conf.FRESH_SECONDS if fresh is None else fresh)
        found: dict[int, Watched] = {}
        stale: list[int] = []
        for source_id in source_ids:
            version, kept = versions.get(source_id), self._kept.get(source_id)
            if version == NEVER and kept is None:
                found[source_id] = unread(source_id)
            elif kept is not None and (
                kept[0] > limit if version is None else kept[1].version == version
            ):
                found[source_id] = kept[1]
            else:
                stale.append(source_id)
        if stale:
            found.update(self._refresh(stale, versions, now))
        return found

    def _refresh(
        self, source_ids: Sequence[int], told: Mapping[int, int], asked: float
    ) -> dict[int, Watched]:
        versions = dict(told)
        untold = [source_id for source_id in source_ids if source_id not in told]
        for part in batches(untold, conf.CHUNK):
            versions.update(baselines.versions(part))
        found: dict[int, Watched] = {}
        changed: list[int] = []
        for source_id in source_ids:
            kept = self._kept.get(source_id)
            version = versions.get(source_id, NEVER)
            if kept is not None and kept[1].version == version:
                found[source_id] = kept[1]
            elif version == NEVER:
                found[source_id] = unread(source_id)
            else:
                changed.append(source_id)
        for part in batches(changed, conf.CHUNK):
            found.update(self._read(part))
        for source_id in changed:
            found.setdefault(source_id, unread(source_id))
        self._keep(found.values(), asked)
        return found

    def _read(self, source_ids: Sequence[int]) -> dict[int, Watched]:
        """The sources as they are stored; of those that are known only what moved, if that does."""
        # Another thread may forget some meanwhile.
        known = {pk: kept[1] for pk in source_ids if (kept := self._kept.get(pk))}
        found = {
            row.source_id: moved
            for row in (baselines.recents(list(known)) if known else ())
            if (moved := read_on(row, known[row.source_id])) is not None
        }
        others = [source_id for source_id in source_ids if source_id not in found]
        return found | (read(baselines.baselines(others)) if others else {})

    def put(self, known: Iterable[Watched]) -> None:
        """Remember what this process has just stored itself."""
        self._keep(known, time.monotonic())

    def _keep(self, known: Iterable[Watched], asked: float) -> None:
        with self._lock:
            for one in known:
                self._kept[one.source_id] = (asked, one)
            if len(self._kept) > MOST_KEPT:
                ages = sorted(age for age, _ in self._kept.values())
                limit = ages[len(ages) // 2]
                self._kept = {k: v for k, v in self._kept.items() if v[0] > limit}

    def forget(self) -> None:
        """Trust nothing: for tests and for whoever deleted rows by hand."""
        with self._lock:
            self._kept.clear()


watch = Watch()


def batches(items: Sequence[T], size: int) -> Iterable[Sequence[T]]:
    """Consecutive parts of at most `size` items."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
