"""Minutes that were judged before they came, by a clock that was wrong, are judged again in time.

A host may start with its clock hours ahead and be told the right time only later. Until then every
source seems silent; after that all they report lies behind their frontier, and nobody would look
at it until the clock is there again.
"""

import logging
import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from detection import conf, metrics
from detection.clock import minute_of, moment_of
from detection.models import Band, Checkpoint
from detection.selectors.bands import digests_of
from detection.selectors.baselines import Frontier
from detection.selectors.counts import digest, rows_by_minute
from detection.services.advancing import watched_sources
from detection.services.late import HOUR, first_changed_minute, from_first_count, state_before
from detection.services.storing import Findings, store_advance
from detection.services.watch import batches
from detection.services.watched import Watched

logger = logging.getLogger(__name__)
AHEAD_MINUTES = conf.AHEAD // conf.MINUTE
# Of so many minutes most must have been judged without the counts that they have.
LOOKED_AT_MINUTES = 3
LEARNED_AGAIN_MINUTES = conf.LEARNED_AGAIN // conf.MINUTE
KEPT_HOURS = int(conf.CHECKPOINTS_KEPT.total_seconds()) // 3600


def judged_ahead(found: Sequence[Frontier], closed: int, now: datetime) -> list[int]:
    """Return the sources that were judged ahead of the clock and report behind that.

    A source whose minutes were judged on the counts that they have was judged in time: then the
    clock of now is the one that is wrong.
    """
    far = [
        one.source_id
        for one in found
        if one.through is not None and minute_of(one.through) > closed + AHEAD_MINUTES
    ]
    if not far:
        return []
    # A clock that is wrong now makes all of them look so: a part of them at each sweep.
    turns = list(batches(far, conf.SWEPT_TOGETHER))
    behind: list[int] = []
    for some in batches(turns[int(now.timestamp() // 10) % len(turns)], conf.CHUNK):
        behind += _reporting_behind(some, closed)
    return behind


def _reporting_behind(source_ids: Sequence[int], closed: int) -> list[int]:
    first = closed - LOOKED_AT_MINUTES + 1
    judged = digests_of(source_ids, moment_of(first), moment_of(closed))
    counted, changed = Counter[int](), Counter[int]()
    for minute, by_source in rows_by_minute(source_ids, first, closed).items():
        for source_id, rows in by_source.items():
            counted[source_id] += 1
            changed[source_id] += judged.get((source_id, moment_of(minute)), 0) != digest(rows)
    return [source_id for source_id, times in counted.items() if 2 * changed[source_id] > times]


def take_back(*, source_ids: Sequence[int], closed: int, now: datetime, deadline: float) -> int:
    """The sources stand where they were last judged in time; the number of them is returned."""
    done = 0
    for one in watched_sources(source_ids):
        if time.monotonic() > deadline:
            break
        done += _take_back(one, closed, now)
    if done:
        metrics.TAKEN_BACK.inc(done)
        logger.warning("%d sources were judged ahead of the clock and are judged again.", done)
    return done


def _take_back(one: Watched, closed: int, now: datetime) -> bool:
    """What was found after the last closed minute is gone, unless another writer was faster."""
    hour = closed // HOUR * HOUR
    hours = range(hour - KEPT_HOURS * HOUR, hour + 1, HOUR)
    changed = first_changed_minute(one, hours)
    if changed is None or one.through <= closed:
        return False
    # where no checkpoint is left from before, what is normal is learned again
    start = state_before(one, changed) or from_first_count(one, changed - LEARNED_AGAIN_MINUTES)
    found = Findings(spans={one.source_id: (closed + 1, one.through)})
    with transaction.atomic():
        stored = store_advance(before=[one], after=[start], found=found, now=now)
        if stored:
            last = moment_of(closed)
            Band.objects.filter(source_id=one.source_id, minute__gt=last).delete()
            Checkpoint.objects.filter(source_id=one.source_id, through__gt=last).delete()
    return bool(stored)
