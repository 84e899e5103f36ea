"""Late data: the hours they changed are judged again, from the last Checkpoint before them."""

import logging
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction
from msgspec.structs import replace

from detection import conf, metrics
from detection.clock import minute_of, moment_of
from detection.models import Recheck
from detection.parts import WHOLE, Part
from detection.scoring.state import State
from detection.selectors import baselines
from detection.selectors.bands import digests_between
from detection.selectors.counts import digest, rows_by_minute
from detection.selectors.declarations import declarations, forget_declarations, planned_of
from detection.services.advancing import Journey, advance_sources, watched_sources
from detection.services.keeping import Stored
from detection.services.parents import beginnings
from detection.services.storing import DENSE_CHECKPOINTS, withdraw_minutes, withdraw_planned
from detection.services.watched import NEVER, Watched
from ingest.models import Source
from ingest.services.late_hours import claim_late_hours

logger = logging.getLogger(__name__)
CLAIMED_AT_ONCE = 2000
HOUR = 60
DAY = 24 * HOUR
# So young a source has no checkpoint that old: all of it is soon judged again [minutes].
YOUNG = conf.CHECKPOINTS_KEPT.total_seconds() // 60
# Within this there is a checkpoint before every minute [minutes].
RECENT = DENSE_CHECKPOINTS.total_seconds() // 60


def recheck_late_hours(*, now: datetime, deadline: float = float("inf"), part: Part = WHOLE) -> int:
    """Sources whose judged minutes changed are judged as if all came in order; their number."""
    _take_over(now)
    waiting: dict[int, list[Recheck]] = defaultdict(list)
    for row in Recheck.objects.filter(source__enabled=True).order_by("source_id", "hour"):
        if part.holds(row.source_id):
            waiting[row.source_id].append(row)
    if any(row.forced for rows in waiting.values() for row in rows):
        # What this process remembers may be older than the label that asks for it.
        forget_declarations()
    again = 0
    for one in watched_sources(list(waiting)) if waiting else ():
        if time.monotonic() > deadline:
            break
        again += _recheck(one, waiting[one.source_id], now, deadline)
    return again


def _take_over(now: datetime) -> None:
    """Late hours become ours in one transaction, so that a crash loses none."""
    with transaction.atomic():
        claimed = claim_late_hours(limit=CLAIMED_AT_ONCE)
        Recheck.objects.bulk_create(
            [Recheck(source_id=pk, hour=hour, claimed=now) for pk, hour in claimed]
        )


def _recheck(one: Watched, waiting: Sequence[Recheck], now: datetime, deadline: float) -> bool:
    """Look at the hours of one source; whether it had to be judged again."""
    hours = sorted({minute_of(row.hour) for row in waiting})
    changed = _first_due_minute(one, waiting, hours)
    start = None
    if changed is not None:
        start = state_before(one, changed)
        if start is None and _is_backfill(one, hours):
            if now - max(row.claimed for row in waiting) < conf.BACKFILL_QUIET:
                return False
            start = from_first_count(one)
        if start is None:
            start = _without_the_too_old(one, hours, changed)
    if start is not None and not _judge_again(one, start, now, deadline):
        return False
    if any(row.forced for row in waiting):
        _withdraw_labelled(one, now)
    settled = [
        row.pk
        for row in waiting
        if row.forced
        or minute_of(row.hour) + HOUR - 1 <= one.through
        or now - row.claimed > conf.RECHECK_AGE
    ]
    Recheck.objects.filter(pk__in=settled).delete()
    outcome = "unchanged" if start is None else "judged again"
    metrics.LATE_HOURS.labels(outcome).inc(len(settled))
    return start is not None


def _withdraw_labelled(one: Watched, now: datetime) -> None:
    """What a worker found that had not heard of the label yet is withdrawn too.

    So is what was planned too long ago to be judged again.
    """
    for first, end in declarations().wrong.get(one.source_id, ()):
        withdraw_minutes(source_id=one.source_id, first=first, last=end - 1, now=now)
    for family, first, last in planned_of(one.source_id):
        withdraw_planned(source_id=one.source_id, family=family, first=first, last=last, now=now)


def _first_due_minute(one: Watched, waiting: Sequence[Recheck], hours: Sequence[int]) -> int | None:
    """The first judged minute that counts changed or a label speaks of."""
    forced = min((minute_of(row.hour) for row in waiting if row.forced), default=None)
    if forced is not None and forced > one.through:
        forced = None
    changed = first_changed_minute(one, hours)
    return min((minute for minute in (forced, changed) if minute is not None), default=None)


def first_changed_minute(one: Watched, hours: Sequence[int]) -> int | None:
    """The first judged minute of some hours whose counts are no longer those it was judged on."""
    declared = declarations()
    for first, last in _spans(hours, one.through):
        judged = digests_between(one.source_id, moment_of(first), moment_of(last))
        rows = rows_by_minute([one.source_id], first, last)
        asked = set(hours)
        for minute in range(first, last + 1):
            if minute // HOUR * HOUR not in asked or declared.is_wrong(one.source_id, minute):
                continue
            there = digest(rows.get(minute, {}).get(one.source_id))
            if judged.get(moment_of(minute), 0) != there:
                return minute
    return None


def _spans(hours: Sequence[int], through: int) -> Iterable[tuple[int, int]]:
    """Stretches of at most a day that hold the hours, up to the frontier."""
    first = None
    for place, hour in enumerate(hours):
        first = hour if first is None else first
        follows = place + 1 < len(hours) and hours[place + 1] < first + DAY
        if not follows:
            last = min(hour + HOUR - 1, through)
            if first <= last:
                yield first, last
            first = None


def state_before(one: Watched, minute: int) -> Watched | None:
    """The source as it was at the newest Checkpoint before a minute, or before its first count.

    One of another release or damaged is passed over.
    """
    for checkpoint in baselines.checkpoints_before(one.source_id, moment_of(minute)).iterator():
        try:
            state = State.unpack([bytes(checkpoint.state)])
        except ValueError as error:
            logger.warning("The checkpoint %s is passed over: %s", checkpoint, error)
            continue
        return replace(
            one,
            state=state,
            through=minute_of(checkpoint.through),
            reported=NEVER if checkpoint.reported is None else minute_of(checkpoint.reported),
        )
    start = from_first_count(one)
    return start if one.through - start.through <= YOUNG else None


def are_judged_again(minutes: Sequence[tuple[Watched, int]]) -> list[bool]:
    """Tell of minutes behind the frontier whether they are judged again once they have changed."""
    old = {one.source_id for one, minute in minutes if one.through - minute >= RECENT}
    checkpoints = baselines.oldest_checkpoints(old) if old else {}
    first = baselines.first_minutes(old) if old else {}

    def is_reached(one: Watched, minute: int) -> bool:
        if one.through - minute < RECENT:
            return True
        checkpoint, begin = checkpoints.get(one.source_id), first.get(one.source_id)
        reached = checkpoint is not None and minute_of(checkpoint) < minute
        return reached or (begin is not None and one.through - minute_of(begin) < YOUNG)

    return [is_reached(one, minute) for one, minute in minutes]


def from_first_count(one: Watched, not_before: int = 0) -> Watched:
    """The source as it was when it began, or knowing nothing where that is too long ago."""
    begin = beginnings([one.source_id], not_before)[one.source_id]
    return replace(one, state=begin.state, through=begin.through, reported=NEVER)


def _is_backfill(one: Watched, hours: Sequence[int]) -> bool:
    """Whether so many old hours changed that somebody is importing history."""
    oldest = baselines.oldest_checkpoints([one.source_id]).get(one.source_id)
    limit = one.through if oldest is None else minute_of(oldest)
    return sum(hour <= limit for hour in hours) >= conf.BACKFILL_HOURS


def _without_the_too_old(one: Watched, hours: Sequence[int], changed: int) -> Watched | None:
    """Changes before all checkpoints are counted only; from where the others are judged again."""
    metrics.LATE_HOURS.labels("too old").inc()
    logger.warning(
        "source %s: what changed since %s is counted, but not judged again: no checkpoint is that "
        "old",
        one.source_id,
        moment_of(changed).isoformat(),
    )
    oldest = baselines.oldest_checkpoints([one.source_id]).get(one.source_id)
    if oldest is None:
        return None
    later = first_changed_minute(one, [hour for hour in hours if hour > minute_of(oldest)])
    return None if later is None else state_before(one, later)


def _judge_again(one: Watched, start: Watched, now: datetime, deadline: float) -> bool:
    """Judge from there to the frontier; False when another writer was faster or time is up.

    The frontier moves back with the first slice that is stored. Should it end there, by a crash
    or the deadline, the sweep goes on from where it stands.
    """
    zone = Source.objects.values_list("time_zone", flat=True).get(pk=one.source_id)
    journey = Journey(
        upto={one.source_id: one.through},
        zones={one.source_id: zone},
        keeper=Stored(now),
        deadline=deadline,
    )
    advance_sources(watched=[start], journey=journey)
    return journey.judged_minutes > 0 and not journey.lost
