"""The sweep: every minute of every source is judged once it is complete."""

import logging
import time
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime

from django.db import InterfaceError, OperationalError

from detection import conf, metrics
from detection.clock import minute_of, moment_of
from detection.parts import WHOLE, Part
from detection.selectors import baselines
from detection.selectors.baselines import Frontier
from detection.services.advancing import Journey, advance_sources, watched_sources
from detection.services.ahead import judged_ahead, take_back
from detection.services.keeping import Stored
from detection.services.late import recheck_late_hours
from detection.services.reach import last_closed, last_to_judge
from detection.services.watch import batches
from detection.services.watched import Watched
from ingest import steady_clock

logger = logging.getLogger(__name__)
# More sources than this that cannot be judged have a fault in common, which is not theirs.
MOST_FAULTS = 10


@dataclass(frozen=True)
class Swept:
    """What one sweep did."""

    sources: int = 0
    minutes: int = 0
    rechecked: int = 0
    seconds: float = 0.0


def sweep_closed_minutes(
    *,
    now: datetime | None = None,
    seconds: float = conf.SWEEP_SECONDS,
    part: Part = WHOLE,
) -> Swept:
    """Closed minutes of the enabled sources of a part are judged, late hours too, or due again.

    Raises
    ------
    Exception
        What is wrong with a source, where it is a fault of ours, once all else is done.
    """
    now = now or steady_clock.now()
    started = time.monotonic()
    closed = last_closed(now)
    found = baselines.frontiers(now, part, done=moment_of(closed))
    if ahead := judged_ahead(found, closed, now):
        take_back(source_ids=ahead, closed=closed, now=now, deadline=started + seconds)
        found = baselines.frontiers(now, part, done=moment_of(closed))
    due = {
        one.source_id: (one, upto)
        for one in found
        if (upto := judge_upto(one, closed, now)) is not None
    }
    # Finding out what is due takes seconds for very many sources; some of it must get done.
    deadline = time.monotonic() + seconds
    journey = Journey(
        upto={source_id: upto for source_id, (_, upto) in due.items()},
        zones={source_id: one.zone for source_id, (one, _) in due.items()},
        keeper=Stored(now),
        deadline=deadline,
    )
    left: list[Watched] = []
    faults: list[Exception] = []
    for some in batches(sorted(due, key=lambda pk: _gap(*due[pk])), conf.SWEPT_TOGETHER):
        left += _advance(some, journey, now, faults)
        if time.monotonic() > deadline:
            break
    rechecked = recheck_late_hours(now=now, deadline=deadline, part=part)
    metrics.LAG_SECONDS.labels(part.number).set(60 * _lag(due, left, journey.lost, closed))
    took = time.monotonic() - started
    metrics.SWEEP_SECONDS.observe(took)
    if faults:
        raise faults[0]
    return Swept(len(due), journey.judged_minutes, rechecked, took)


def _advance(
    source_ids: Sequence[int], journey: Journey, now: datetime, faults: list[Exception]
) -> list[Watched]:
    """Judge sources; one with which something is wrong is left behind alone, and its fault kept."""
    try:
        return advance_sources(watched=watched_sources(source_ids), journey=journey)
    except (InterfaceError, OperationalError):
        # The database is away: no source is to blame.
        raise
    except Exception as error:
        if len(faults) == MOST_FAULTS:
            raise
        # What was found of a slice that was not stored is found again.
        journey.keeper = Stored(now)
        if len(source_ids) == 1:
            logger.exception("source %s is not judged", source_ids[0])
            faults.append(error)
            return []
    half = len(source_ids) // 2
    first = _advance(source_ids[:half], journey, now, faults)
    return first + _advance(source_ids[half:], journey, now, faults)


def _gap(one: Frontier, upto: int) -> float:
    """Minutes to judge: sources that report now come before those whose past was imported."""
    return float("inf") if one.through is None else upto - minute_of(one.through)


def judge_upto(one: Frontier, closed: int, now: datetime) -> int | None:
    """Last minute to judge of a source; None when there is nothing to do."""
    upto = last_to_judge(one, closed, now)
    if one.through is not None and minute_of(one.through) >= upto:
        return None
    return None if _is_replayed(one, now) else upto


def _is_replayed(one: Frontier, now: datetime) -> bool:
    """Whether a client is sending old minutes in order and has them judged in its requests."""
    if one.replayed is None or now - one.newest <= conf.past_limit():
        return False
    return now - one.replayed < conf.REPLAY_QUIET


def _lag(
    due: Mapping[int, tuple[Frontier, int]], left: Sequence[Watched], lost: Set[int], closed: int
) -> int:
    """Minutes that wait to be judged of the live source that is furthest behind.

    Sources for which no time was left count too; those that another writer moved do not.
    """
    through = {one.source_id: one.through for one in left}
    behind = [
        closed - through.get(source_id, minute_of(one.through or one.newest))
        for source_id, (one, upto) in due.items()
        if upto == closed and source_id not in lost
    ]
    return max([0, *behind])


def learn_history() -> int:
    """Everything counted so far is judged, however long that takes; the source minutes judged."""
    judged = 0
    while True:
        swept = sweep_closed_minutes()
        judged += swept.minutes
        if not swept.minutes and not swept.rechecked:
            return judged
