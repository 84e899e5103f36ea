"""What this process knows of the sources: their states, unpacked once and used many times."""

import logging
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeVar

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from detection import conf
from detection.clock import minute_of, moment_of
from detection.models import Baseline
from detection.scoring.policy import Policy
from detection.scoring.state import LAYOUT, State
from detection.selectors import baselines
from ingest.reports import NOTHING_KNOWN

logger = logging.getLogger(__name__)
# More sources than this in one process and the oldest known half is forgotten [sources].
MOST_KEPT = 20_000
# Nothing learned yet: no Baseline row.
NEVER = NOTHING_KNOWN
_NONE_TOLD: Mapping[int, int] = MappingProxyType({})
T = TypeVar("T")


class Watched(Struct, frozen=True, gc=False):
    """One source at its frontier; the state is one row and is never written to in place."""

    source_id: int
    state: State
    version: int = NEVER
    through: int = NEVER
    # Last minute up to `through` in which it reported.
    reported: int = NEVER
    # It reports as time passes, so that its silence means something.
    live: bool = False

    @property
    def seen(self) -> int:
        """Minutes it has learned."""
        return int(self.state.minutes[0])


# Nobody writes to a state in place, so all sources of which nothing is known share one.
_NOTHING = State.new(1)


def unread(source_id: int) -> Watched:
    """A source of which nothing is known."""
    return Watched(source_id, _NOTHING)


def _read(row: Baseline) -> Watched:
    try:
        state = State.unpack([bytes(row.state)])
    except ValueError as error:
        # A state of another release: what is normal is learned again from the stored counts.
        logger.warning("The baseline of source %s starts again: %s", row.source_id, error)
        return replace(unread(row.source_id), version=row.version)
    return Watched(
        source_id=row.source_id,
        state=state,
        version=row.version,
        through=NEVER if row.through is None else minute_of(row.through),
        reported=NEVER if row.reported is None else minute_of(row.reported),
        live=row.live,
    )


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
            found.update((row.source_id, _read(row)) for row in baselines.baselines(part))
        for source_id in changed:
            found.setdefault(source_id, unread(source_id))
        self._keep(found.values(), asked)
        return found

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


def stack_policies(policies: Sequence[Policy]) -> Policy:
    """One policy of many one-row policies."""
    if len(policies) == 1:
        return policies[0]
    return Policy(
        **{
            name: np.concatenate([getattr(one, name) for one in policies])
            for name in Policy.__dataclass_fields__
        }
    )


def unstack(known: Sequence[Watched], state: State, reported: Sequence[int]) -> list[Watched]:
    """The sources again, each with its row of the advanced state."""
    columns = {name: getattr(state, name) for name in LAYOUT}
    through = state.through.tolist()
    return [
        replace(
            one,
            state=State({name: column[row : row + 1] for name, column in columns.items()}),
            through=through[row],
            reported=reported[row],
        )
        for row, one in enumerate(known)
    ]


def baseline_row(one: Watched, blob: bytes) -> Baseline:
    """The unsaved Baseline of a source."""
    return Baseline(
        source_id=one.source_id,
        state=blob,
        through=moment_of(one.through),
        reported=None if one.reported == NEVER else moment_of(one.reported),
        version=one.version,
        live=one.live,
    )
