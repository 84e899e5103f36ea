"""Walking stored history once more without writing anything: for training and for backtests."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from detection.clock import minute_of
from detection.scoring.forest import Forest
from detection.selectors import baselines
from detection.selectors.declarations import Declarations, declarations
from detection.services.advancing import Journey, advance_sources
from detection.services.keeping import Rehearsed
from detection.services.lockstep import Judged, Lockstep
from detection.services.parents import as_born
from detection.services.watch import Watched, unread
from ingest.models import Source

# Source minutes walked since the last call.
Progress = Callable[[int], None]


@dataclass
class Rehearsal:
    """A walk of some sources through stored minutes, first..last."""

    source_ids: Sequence[int]
    first: int | None
    last: int
    hear: Callable[[Judged, Lockstep], None]
    declared: Declarations | None = None
    forest: Forest | None = None
    with_features: bool = False
    progress: Progress | None = None


def rehearse(rehearsal: Rehearsal) -> int:
    """Every minute was heard as production would have judged it; the source minutes walked."""
    zones = dict(Source.objects.filter(id__in=rehearsal.source_ids).values_list("id", "time_zone"))
    keeper = Rehearsed(_counting(rehearsal))
    journey = Journey(
        upto=dict.fromkeys(rehearsal.source_ids, rehearsal.last),
        zones=zones,
        keeper=keeper,
        declared=rehearsal.declared or declarations(),
        forest=rehearsal.forest,
        with_features=rehearsal.with_features,
    )
    advance_sources(watched=_beginning(rehearsal), journey=journey)
    return journey.judged_minutes


def _beginning(rehearsal: Rehearsal) -> list[Watched]:
    """Sources before their first count, as they were born, or unknown where the walk begins."""
    found = baselines.first_minutes(rehearsal.source_ids)
    first = {source_id: minute_of(moment) for source_id, moment in found.items()}
    begins = rehearsal.first or 0
    states = as_born([source_id for source_id, minute in first.items() if minute >= begins])
    beginning = []
    for source_id in rehearsal.source_ids:
        if source_id in first:
            one = unread(source_id)
            state = states.get(source_id, one.state)
            through = max(first[source_id], begins) - 1
            beginning.append(replace(one, state=state, through=through))
    return beginning


def _counting(rehearsal: Rehearsal) -> Callable[[Judged, Lockstep], None]:
    progress = rehearsal.progress
    if progress is None:
        return rehearsal.hear

    def hear(judged: Judged, lockstep: Lockstep) -> None:
        rehearsal.hear(judged, lockstep)
        progress(len(judged.source_ids))

    return hear
