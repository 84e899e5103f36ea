"""Late data: the hours they changed are judged again, from the last Checkpoint before them."""

import logging
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from django.db import transaction

from detection import conf, metrics
from detection.clock import minute_of, moment_of
from detection.models import Band, Recheck
from detection.scoring.state import State
from detection.selectors import baselines
from detection.selectors.counts import digest, rows_by_minute
from detection.services.advancing import Journey, advance_sources, watched_sources
from detection.services.watch import NEVER, Watched
from ingest.models import Source
from ingest.services.late_hours import claim_late_hours

logger = logging.getLogger(__name__)
CLAIMED_AT_ONCE = 2000


def recheck_late_hours(*, now: datetime, deadline: float = float("inf")) -> int:
    """Sources whose judged minutes changed are judged as if all had come in order; their number."""
    _take_over()
    waiting: dict[int, list[Recheck]] = defaultdict(list)
    for row in Recheck.objects.filter(source__enabled=True).order_by("source_id", "hour"):
        waiting[row.source_id].append(row)
    if not waiting:
        return 0
    replayed = 0
    for one in watched_sources(list(waiting)):
        if time.monotonic() > deadline:
            break
        replayed += _recheck(one, waiting[one.source_id], now)
    return replayed


def _take_over() -> None:
    """Late hours become ours in one transaction, so that a crash loses none."""
    with transaction.atomic():
        claimed = claim_late_hours(limit=CLAIMED_AT_ONCE)
        Recheck.objects.bulk_create([Recheck(source_id=pk, hour=hour) for pk, hour in claimed])


def _recheck(one: Watched, hours: Sequence[Recheck], now: datetime) -> bool:
    """Look at the hours of one source; whether it had to be judged again."""
    changed = first_changed_minute(one, [row.hour for row in hours])
    replayed = False
    if changed is not None:
        replayed = _replay(one, changed, now)
        if not replayed:
            return False
    settled = [
        row.pk
        for row in hours
        if minute_of(row.hour) + 59 <= one.through or now - row.claimed > conf.RECHECK_AGE
    ]
    Recheck.objects.filter(pk__in=settled).delete()
    metrics.LATE_HOURS.labels("judged again" if replayed else "unchanged").inc(len(settled))
    return replayed


def first_changed_minute(one: Watched, hours: Sequence[datetime]) -> int | None:
    """The first judged minute of some hours whose counts are no longer those it was judged on."""
    for hour in sorted(set(hours)):
        first = minute_of(hour)
        last = min(first + 59, one.through)
        if last < first:
            continue
        judged = dict(
            Band.objects.filter(
                source_id=one.source_id,
                minute__gte=moment_of(first),
                minute__lte=moment_of(last),
            ).values_list("minute", "digest")
        )
        rows = rows_by_minute([one.source_id], first, last)
        for minute in range(first, last + 1):
            now_there = digest(rows.get(minute, {}).get(one.source_id))
            if judged.get(moment_of(minute), 0) != now_there:
                return minute
    return None


def _replay(one: Watched, minute: int, now: datetime) -> bool:
    """Judge again from before the minute to the frontier; False when another writer was faster."""
    start = _state_before(one, minute)
    if start is None:
        metrics.LATE_HOURS.labels("too old").inc()
        logger.warning(
            "source %s: counts of %s changed, but no checkpoint is that old: they are counted, "
            "not judged again",
            one.source_id,
            moment_of(minute).isoformat(),
        )
        return True
    zone = Source.objects.values_list("time_zone", flat=True).get(pk=one.source_id)
    journey = Journey(upto={one.source_id: one.through}, zones={one.source_id: zone}, now=now)
    advance_sources(watched=[start], journey=journey)
    return not journey.lost


def _state_before(one: Watched, minute: int) -> Watched | None:
    """The source as it was at the newest Checkpoint before a minute, or before its first count."""
    checkpoint = baselines.checkpoint_before(one.source_id, moment_of(minute))
    if checkpoint is not None:
        return replace(
            one,
            state=State.unpack([bytes(checkpoint.state)]),
            through=minute_of(checkpoint.through),
            reported=NEVER if checkpoint.reported is None else minute_of(checkpoint.reported),
        )
    if one.through - minute > conf.CHECKPOINTS_KEPT.total_seconds() // 60:
        return None
    first = Band.objects.filter(source_id=one.source_id).order_by("minute").first()
    if first is not None and minute_of(first.minute) < minute - conf.CHECKPOINT_MINUTES:
        return None
    # so young a source that it has no checkpoint yet: from its first count
    start = minute_of(baselines.first_minutes([one.source_id])[one.source_id])
    return Watched(one.source_id, State.new(1), one.version, start - 1, NEVER)
