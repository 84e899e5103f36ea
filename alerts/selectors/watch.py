"""Which stage of the way from a report to a page stands still."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from django.db.models import Max

from alerts.models import Canary, StageAlarm
from alerts.suppression import Away

Stage = StageAlarm.Stage
# Ninety minutes: longer than the longest quiet that ends an incident, so what was held is over.
CANARIES_LOOKED_AT = 90
# How late the canary may be at a stage before the stage is said to stand still: the minute must
# close and be swept before it can be judged.
LATE_AFTER = {
    Stage.INGEST: timedelta(minutes=2.5),
    Stage.DETECTION: timedelta(minutes=4),
    Stage.ABSORB: timedelta(minutes=4),
    Stage.OUTBOX: timedelta(minutes=4),
}
STAMPS = {
    Stage.INGEST: "reported",
    Stage.DETECTION: "judged",
    Stage.ABSORB: "queued",
    Stage.OUTBOX: "delivered",
}


@dataclass(frozen=True)
class StageState:
    """How one stage is: when the canary last came through it; None if it never did."""

    stage: str
    last: datetime | None
    age_seconds: float | None
    stopped: bool


def stage_states(*, now: datetime, begun: datetime | None = None) -> list[StageState]:
    """Return how each stage is, in the order of the way; empty until a canary was ever sent.

    Only the first stage that stands still is called stopped: those behind it have nothing to do.

    Parameters
    ----------
    now : datetime
        Time of the look.
    begun : datetime or None
        When all of it was started: a stage is given its time from there. None: long ago.
    """
    found = Canary.objects.aggregate(
        newest=Max("minute"), **{stage.value: Max(stamp) for stage, stamp in STAMPS.items()}
    )
    if found["newest"] is None:
        return []
    states, blocked = [], False
    for stage, patience in LATE_AFTER.items():
        last: datetime | None = found[stage.value]
        late = _is_late(last, stage, patience, now)
        if begun is not None and now - begun <= patience:
            late = False
        states.append(
            StageState(
                stage=stage.value,
                last=last,
                age_seconds=None if last is None else max((now - last).total_seconds(), 0.0),
                stopped=late and not blocked,
            )
        )
        blocked = blocked or late
    return states


def _is_late(last: datetime | None, stage: Stage, patience: timedelta, now: datetime) -> bool:
    if last is not None:
        return now - last > patience
    # No canary came so far yet: late once the first one has had the time.
    oldest = Canary.objects.order_by("minute").values_list("reported", flat=True).first()
    return oldest is not None and now - oldest > patience


def stage_ages(*, now: datetime) -> Mapping[str, float | None]:
    """Return how long ago the canary came through each stage [s]; None if it never did."""
    return {state.stage: state.age_seconds for state in stage_states(now=now)}


def late_stage(*, now: datetime) -> str | None:
    """Return the stage before a verdict that is known to stand still; None if both go."""
    alarms = StageAlarm.objects.filter(since__lte=now, stage__in=(Stage.INGEST, Stage.DETECTION))
    stopped = set(alarms.values_list("stage", flat=True))
    for stage in (Stage.INGEST, Stage.DETECTION):
        if stage in stopped:
            return stage.label.lower()
    return None


def last_away() -> Away | None:
    """Return when we last heard nobody, not even the canary.

    None if that is long ago, or no canary was ever sent.
    """
    newest = Canary.objects.order_by("-minute").values_list("minute", flat=True)
    minutes = list(newest[:CANARIES_LOOKED_AT])
    for later, earlier in pairwise(minutes):
        if later - earlier > LATE_AFTER[Stage.INGEST]:
            return Away(earlier, later)
    return Away(None, minutes[-1]) if 0 < len(minutes) < CANARIES_LOOKED_AT else None
