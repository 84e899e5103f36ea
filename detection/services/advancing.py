"""Moving sources from their frontier to a given minute, in slices that are stored as they go."""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from detection import conf, metrics
from detection.clock import minute_of, moment_of
from detection.models import Checkpoint
from detection.rules import LONGEST_WINDOW
from detection.selectors import baselines
from detection.selectors.counts import Rows, rows_by_minute
from detection.selectors.declarations import Declarations, declarations
from detection.services.forests import live_forest
from detection.services.judgements import anomalies_of, bands_of
from detection.services.lockstep import Judged, Lockstep, minutes_to_judge
from detection.services.storing import Findings, store_advance
from detection.services.watch import NEVER, Watched, batches, watch

Listener = Callable[[Judged], None]


@dataclass
class Journey:
    """Where the sources are to be taken, and under which conditions."""

    # source id -> last minute to judge
    upto: Mapping[int, int]
    zones: Mapping[int, str]
    now: datetime
    replayed: bool = False
    # monotonic time after which no further slice is begun
    deadline: float = float("inf")
    listener: Listener | None = None
    declared: Declarations = field(default_factory=declarations)
    lost: set[int] = field(default_factory=set)
    judged_minutes: int = 0

    @property
    def past_before(self) -> int:
        """First minute that is recent enough to call somebody for."""
        return minute_of(self.now - conf.past_limit())


def advance_sources(*, watched: Sequence[Watched], journey: Journey) -> list[Watched]:
    """The sources are judged up to their minute, or as far as deadline and rivals let them."""
    ready: list[Watched] = []
    done: list[Watched] = []
    for one in _with_first_minutes(watched):
        (ready if one.through < journey.upto[one.source_id] else done).append(one)
    while ready:
        if time.monotonic() > journey.deadline:
            return done + ready
        part = _nearest(ready, journey)
        chosen = {one.source_id for one in part}
        ready = [one for one in ready if one.source_id not in chosen]
        for one in _advance_slice(part, journey):
            (ready if one.through < journey.upto[one.source_id] else done).append(one)
    return done


def _with_first_minutes(watched: Sequence[Watched]) -> list[Watched]:
    """Sources judged for the first time stand just before their first count."""
    new = [one.source_id for one in watched if one.through == NEVER]
    first = baselines.first_minutes(new) if new else {}
    ready = []
    for one in watched:
        if one.through != NEVER:
            ready.append(one)
        elif one.source_id in first:
            ready.append(_standing_before(one, minute_of(first[one.source_id])))
    return ready


def _standing_before(one: Watched, minute: int) -> Watched:
    return replace(one, through=minute - 1)


def _nearest(ready: Sequence[Watched], journey: Journey) -> list[Watched]:
    """A chunk of sources with the same frontier, those closest to their minute first."""
    groups: dict[tuple[int, int], list[Watched]] = defaultdict(list)
    for one in ready:
        groups[(journey.upto[one.source_id] - one.through, one.through)].append(one)
    return groups[min(groups)][: conf.CHUNK]


def _advance_slice(part: Sequence[Watched], journey: Journey) -> list[Watched]:
    """Advance sources at one frontier by at most a slice; losers of a race are left out."""
    frontier = part[0].through
    last = min(frontier + conf.SLICE_MINUTES, *(journey.upto[one.source_id] for one in part))
    ruled = any(journey.declared.asked(one.source_id).rules for one in part)
    first = frontier + 1 - (LONGEST_WINDOW if ruled else 0)
    rows = rows_by_minute([one.source_id for one in part], first, last)
    plans: dict[tuple[int, ...], list[Watched]] = defaultdict(list)
    for one in part:
        wrong = journey.declared.wrong.get(one.source_id, ())
        plans[minutes_to_judge(one, last, rows, wrong)].append(one)
    moved = []
    for minutes, sources in plans.items():
        moved += _advance_plan(sources, minutes, last, rows, journey)
    return moved


def _advance_plan(
    sources: Sequence[Watched], minutes: Sequence[int], last: int, rows: Rows, journey: Journey
) -> list[Watched]:
    if not minutes:
        # nothing to judge in a gap or in wrong counts: the frontier alone moves on
        return [_moved(one, last) for one in sources]
    lockstep = lockstep_of(sources, journey, rows)
    found = Findings()
    for judged in lockstep.advance(minutes, rows):
        found.bands += bands_of(judged)
        found.anomalies += anomalies_of(judged, now=journey.now, past_before=journey.past_before)
        _checkpoint(found, lockstep, judged.minutes[0], journey)
        if journey.listener is not None:
            journey.listener(judged)
    found.spans = {one.source_id: (one.through + 1, last) for one in sources}
    stored = store_advance(
        before=sources,
        after=[_moved(one, last) for one in lockstep.at_frontier()],
        found=found,
        now=journey.now,
        replayed=journey.replayed,
    )
    journey.lost |= {one.source_id for one in sources} - {one.source_id for one in stored}
    journey.judged_minutes += len(minutes) * len(stored)
    metrics.SWEPT_MINUTES.inc(len(minutes) * len(stored))
    return stored


def _moved(one: Watched, through: int) -> Watched:
    return replace(one, through=max(one.through, through))


def lockstep_of(sources: Sequence[Watched], journey: Journey, rows: Rows) -> Lockstep:
    """Sources at one frontier, ready to walk, with the minutes their rules look back on."""
    lockstep = Lockstep(
        sources,
        [journey.zones[one.source_id] for one in sources],
        journey.declared,
        live_forest(),
    )
    lockstep.recall(rows, sources[0].through + 1)
    return lockstep


def _checkpoint(found: Findings, lockstep: Lockstep, minute: int, journey: Journey) -> None:
    if (minute + 1) % conf.CHECKPOINT_MINUTES:
        return
    oldest = int(conf.CHECKPOINTS_KEPT.total_seconds() // 60)
    rows = [
        row
        for row, source_id in enumerate(lockstep.source_ids)
        if minute >= journey.upto[source_id] - oldest
    ]
    if not rows:
        return
    blobs = lockstep.state.take(rows).pack()
    for row, blob in zip(rows, blobs, strict=True):
        reported = lockstep.reported[row]
        found.checkpoints.append(
            Checkpoint(
                source_id=lockstep.source_ids[row],
                through=moment_of(minute),
                state=blob,
                reported=None if reported == NEVER else moment_of(reported),
            )
        )


def watched_sources(source_ids: Sequence[int]) -> list[Watched]:
    """The sources as they are stored at this moment."""
    found: list[Watched] = []
    for part in batches(list(source_ids), conf.CHUNK):
        found += watch.get(part, fresh=0).values()
    return found
