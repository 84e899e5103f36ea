"""Walking stored history once more without writing anything: for training and for backtests."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from detection.clock import minute_of
from detection.scoring.forest import Forest
from detection.selectors.baselines import first_minutes
from detection.selectors.declarations import Declarations, declarations
from detection.services.advancing import Journey, advance_sources
from detection.services.keeping import Rehearsed
from detection.services.lockstep import Judged, Lockstep
from detection.services.parents import beginnings
from detection.services.reach import walked_ends
from ingest.models import Source

# Source minutes walked since the last call.
Progress = Callable[[int], None]


@dataclass
class Rehearsal:
    """A walk of some sources through stored minutes, first..last, as far as they are judged."""

    source_ids: Sequence[int]
    first: int | None
    last: int
    hear: Callable[[Judged, Lockstep], None]
    now: datetime
    declared: Declarations | None = None
    forest: Forest | None = None
    with_features: bool = False
    progress: Progress | None = None


def rehearse(rehearsal: Rehearsal) -> int:
    """Every minute was heard as production would have judged it; the source minutes walked."""
    zones = dict(Source.objects.filter(id__in=rehearsal.source_ids).values_list("id", "time_zone"))
    keeper = Rehearsed(_counting(rehearsal))
    ends = walked_ends(rehearsal.source_ids, rehearsal.last, rehearsal.now)
    journey = Journey(
        upto=ends,
        zones=zones,
        keeper=keeper,
        declared=rehearsal.declared or declarations(),
        forest=rehearsal.forest,
        with_features=rehearsal.with_features,
    )
    begin = beginnings(list(ends), rehearsal.first or 0)
    watched = [begin[source_id] for source_id in rehearsal.source_ids if source_id in begin]
    advance_sources(watched=watched, journey=journey)
    return journey.judged_minutes


def walk_length(*, source_ids: Sequence[int], first: int, last: int, now: datetime) -> int:
    """How many source minutes a rehearsal of first..last walks."""
    ends = walked_ends(source_ids, last, now)
    begins = first_minutes(ends)
    return sum(
        max(ends[source_id] - max(minute_of(oldest), first) + 1, 0)
        for source_id, oldest in begins.items()
    )


def _counting(rehearsal: Rehearsal) -> Callable[[Judged, Lockstep], None]:
    progress = rehearsal.progress
    if progress is None:
        return rehearsal.hear

    def hear(judged: Judged, lockstep: Lockstep) -> None:
        rehearsal.hear(judged, lockstep)
        progress(len(judged.source_ids))

    return hear
