"""Up to which minute a source is judged: the rule of the sweep, and of whoever walks after it."""

from collections.abc import Sequence
from datetime import datetime

from detection import conf
from detection.clock import minute_of
from detection.selectors import baselines
from detection.selectors.baselines import Frontier


def last_closed(now: datetime) -> int:
    """The newest minute that can no longer fill."""
    return minute_of(now - conf.grace() - conf.SETTLING) - 1


def last_to_judge(one: Frontier, closed: int, now: datetime) -> int:
    """Last minute to judge of a source, whether that is done already or not."""
    age = now - one.newest
    watched = age <= conf.past_limit() or (one.live and age <= conf.LONGEST_GAP)
    # After an import of old files, or when a source is long gone, only minutes with counts are
    # judged.
    return closed if watched else min(minute_of(one.newest), closed)


def walked_ends(source_ids: Sequence[int], last: int, now: datetime) -> dict[int, int]:
    """Where a walk through stored minutes up to `last` ends, for each source that has counts.

    It ends where the sweep would end now, or further on where the sweep has already been: it may
    have judged the first day of a silence that is too long by now.
    """
    closed = last_closed(now)
    ends = {}
    for one in baselines.frontiers_of(source_ids, now):
        judged = -1 if one.through is None else minute_of(one.through)
        ends[one.source_id] = min(last, closed, max(last_to_judge(one, closed, now), judged))
    return ends
