"""Moving sources from their frontier to a given minute, in slices that are kept as they go."""

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from detection import conf, metrics
from detection.clock import minute_of, moment_of
from detection.rules import LONGEST_WINDOW
from detection.scoring.forest import Forest
from detection.selectors import baselines
from detection.selectors.counts import Rows, rows_by_minute
from detection.selectors.declarations import Declarations, declarations
from detection.services.forests import live_forest
from detection.services.keeping import Keeper
from detection.services.lockstep import Lockstep, minutes_to_judge
from detection.services.parents import newborn
from detection.services.watch import batches, watch
from detection.services.watched import NEVER, Watched


@dataclass
class Journey:
    """Where the sources are to be taken, and under which conditions."""

    # source id -> last minute to judge
    upto: Mapping[int, int]
    zones: Mapping[int, str]
    keeper: Keeper
    # monotonic time after which no further slice is begun
    deadline: float = float("inf")
    declared: Declarations = field(default_factory=declarations)
    forest: Forest | None = field(default_factory=live_forest)
    with_features: bool = False
    # sources that another writer moved meanwhile
    lost: set[int] = field(default_factory=set)
    judged_minutes: int = 0


def advance_sources(*, watched: Sequence[Watched], journey: Journey) -> list[Watched]:
    """The sources are judged up to their minute, or as far as deadline and other writers allow."""
    ready: list[Watched] = []
    done: list[Watched] = []
    for one in with_first_minutes(watched):
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


def with_first_minutes(watched: Sequence[Watched]) -> list[Watched]:
    """Sources judged for the first time stand just before their first count."""
    new = [one.source_id for one in watched if one.through == NEVER]
    if not new:
        return list(watched)
    first = {pk: minute_of(moment) for pk, moment in baselines.first_minutes(new).items()}
    states = newborn(first)
    ready = []
    for one in watched:
        if one.through != NEVER:
            ready.append(one)
        elif one.source_id in first:
            state = states.get(one.source_id, one.state)
            ready.append(replace(one, state=state, through=first[one.source_id] - 1))
    return ready


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
    ruled = any(journey.declared.settings_of(one.source_id).rules for one in part)
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
        return _past_the_gap(sources, last, journey)
    lockstep = lockstep_of(sources, journey, rows)
    upto = [journey.upto[one.source_id] for one in sources]
    for judged in lockstep.advance(minutes, rows):
        journey.keeper.take(judged, lockstep, upto)
    after = [_moved(one, last) for one in lockstep.at_frontier()]
    kept = _kept(sources, after, last, journey)
    journey.judged_minutes += len(minutes) * len(kept)
    metrics.SWEPT_MINUTES.inc(len(minutes) * len(kept))
    return kept


def _past_the_gap(sources: Sequence[Watched], last: int, journey: Journey) -> list[Watched]:
    """There is nothing to judge: the frontiers move on to where each source reports again."""
    by_end: dict[int, list[Watched]] = defaultdict(list)
    for one in sources:
        following = baselines.next_minute(one.source_id, moment_of(last))
        upto = journey.upto[one.source_id]
        by_end[upto if following is None else min(minute_of(following) - 1, upto)].append(one)
    moved = []
    for end, some in by_end.items():
        moved += _kept(some, [_moved(one, end) for one in some], end, journey)
    return moved


def _kept(
    before: Sequence[Watched], after: Sequence[Watched], last: int, journey: Journey
) -> list[Watched]:
    kept = journey.keeper.store(before, after, last)
    journey.lost |= {one.source_id for one in before} - {one.source_id for one in kept}
    return kept


def _moved(one: Watched, through: int) -> Watched:
    return replace(one, through=max(one.through, through))


def lockstep_of(sources: Sequence[Watched], journey: Journey, rows: Rows) -> Lockstep:
    """Sources at one frontier, ready to walk, with the minutes their rules look back on."""
    zones = [journey.zones[one.source_id] for one in sources]
    lockstep = Lockstep(sources, zones, journey.declared, journey.forest, journey.with_features)
    lockstep.recall(rows, sources[0].through + 1)
    return lockstep


def watched_sources(source_ids: Sequence[int]) -> list[Watched]:
    """The sources as they are stored at this moment."""
    found: list[Watched] = []
    for part in batches(list(source_ids), conf.CHUNK):
        found += watch.get(part, fresh=0).values()
    return found
