"""What this process knows of the sources: their states, unpacked once and used many times."""

import logging
import math
import threading
import time
from collections.abc import Iterable, Sequence
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

logger = logging.getLogger(__name__)
# More sources than this in one process and the oldest known half is forgotten [sources].
MOST_KEPT = 20_000
# Whoever has to ask asks along, once a second, for what was asked about in the last ten seconds: a
# round trip costs the same. Beyond so many sources each is hardly asked about again [s, sources].
ALONG_EVERY_SECONDS, LATELY_SECONDS, MOST_ALONG = 1.0, 10.0, 2_000
# Nothing learned yet: no Baseline row.
NEVER = -1
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
    """Sources by id, each trusted for a moment and then compared with the stored version."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[float, Watched]] = {}
        self._lock = threading.Lock()
        # source id -> when it was last asked about
        self._lately: dict[int, float] = {}
        self._asked_along = -math.inf

    def get(self, source_ids: Iterable[int], *, fresh: float | None = None) -> dict[int, Watched]:
        """The sources as they are, at most `fresh` seconds old."""
        fresh = conf.FRESH_SECONDS if fresh is None else fresh
        now = time.monotonic()
        limit = now - fresh
        found: dict[int, Watched] = {}
        stale: list[int] = []
        for source_id in source_ids:
            self._lately[source_id] = now
            kept = self._kept.get(source_id)
            if kept is not None and kept[0] > limit:
                found[source_id] = kept[1]
            else:
                stale.append(source_id)
        if stale:
            found.update(self._refresh(stale))
        return found

    def _refresh(self, source_ids: list[int]) -> dict[int, Watched]:
        asked = time.monotonic()
        along = self._along(asked)
        versions: dict[int, int] = {}
        for part in batches(list({*source_ids, *along}), conf.CHUNK):
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
        self._trust_on(along.values(), versions, asked)
        return found

    def _along(self, now: float) -> dict[int, Watched]:
        """Return the sources that are asked about again and again, if it is time to look at all."""
        if now - self._asked_along < ALONG_EVERY_SECONDS:
            return {}
        self._asked_along = now
        with self._lock:
            # A copy: other threads write to it meanwhile.
            lately = self._lately.copy().items()
            self._lately = {one: at for one, at in lately if now - at < LATELY_SECONDS}
            if len(self._lately) > MOST_ALONG:
                return {}
            return {one: self._kept[one][1] for one in self._lately if one in self._kept}

    def _trust_on(self, along: Iterable[Watched], versions: dict[int, int], asked: float) -> None:
        """What has not changed is trusted again; the rest is read when it is asked about."""
        with self._lock:
            for one in along:
                _, known = self._kept.get(one.source_id, (asked, None))
                # Another thread may have stored a newer one meanwhile.
                if known is one and one.version == versions.get(one.source_id, NEVER):
                    self._kept[one.source_id] = (asked, one)

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
            self._lately.clear()
            self._asked_along = -math.inf


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
