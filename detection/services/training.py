"""Training the forest on quiet minutes of stored history, and deciding whether it may serve."""

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
from django.db.models import Q

from detection.clock import minute_of, moment_of
from detection.models import Band, Baseline, ForestVersion, Label, Level
from detection.scoring.forest import FEATURES, SAMPLE, TREES, Forest, fit_forest
from detection.scoring.series import Floats
from detection.selectors import baselines, forests
from detection.services.forests import promote_forest, readable_forest
from detection.services.lockstep import Judged, Lockstep
from detection.services.rehearsing import Progress, Rehearsal, rehearse

logger = logging.getLogger(__name__)

WINDOW = timedelta(days=14)
# The state has to find its level before its distances mean anything.
WARM_UP = timedelta(days=1)
MOST_SOURCES = 40
MOST_ROWS = 40_000
LEAST_ROWS = 1_500
# The last part of the window, which the forest does not see, is what it is tried on.
HELD_OUT = 0.2
OLD = timedelta(days=7)
# After a refusal the next one is tried once there is enough else to learn: a new day for a live one
# that is only old, an hour where there is none that can serve or traffic is another by now.
REST = timedelta(days=1)
SHORT_REST = timedelta(hours=1)
# A column of features that moves less than this does not move [standard deviations].
STILL = 0.3
# A quiet minute at or above this is a false opinion.
LOUD = 0.5
MOST_LOUD = 0.01
# A combined score at or above this is unusual enough to count how often it comes.
UNUSUAL = 0.2
DRIFT_FACTOR = 3.0
DRIFT_FLOOR = 0.02


@dataclass
class Sample:
    """Features of past minutes: quiet ones to learn, abnormal ones to be tried on."""

    random: np.random.Generator
    keep: float
    begins: int
    wrong: dict[int, list[tuple[int, int]]]
    minutes: list[int] = field(default_factory=list)
    rows: list[Floats] = field(default_factory=list)
    z: list[float] = field(default_factory=list)
    abnormal: list[Floats] = field(default_factory=list)

    def hear(self, judged: Judged, lockstep: Lockstep) -> None:
        minute = judged.minutes[0]
        if minute < self.begins or judged.features is None:
            return
        scores = judged.scores
        usable = judged.counts.reported & ~scores.learning
        quiet = usable & (scores.level == 0) & (scores.evidence.max(1) < LOUD)
        chosen = quiet & (self.random.random(len(quiet)) < self.keep)
        for row in np.flatnonzero(chosen).tolist():
            if not self._labelled(judged.source_ids[row], minute):
                self.minutes.append(minute)
                self.rows.append(judged.features[row].copy())
                self.z.append(float(scores.z_score[row]))
        for row in np.flatnonzero(usable & (scores.level == 2)).tolist():
            self.abnormal.append(judged.features[row].copy())

    def _labelled(self, source_id: int, minute: int) -> bool:
        return any(first <= minute <= last for first, last in self.wrong.get(source_id, ()))


def retrain_forest(
    *, now: datetime, force: bool = False, progress: Progress | None = None
) -> ForestVersion | None:
    """A new forest is trained when one is due, and serves when not worse than the live one."""
    if not force and due_reason(now=now) is None:
        return None
    sample, last = _sample(now, progress)
    if len(sample.rows) < LEAST_ROWS:
        logger.info("no forest trained: %d quiet minutes, %d needed", len(sample.rows), LEAST_ROWS)
        return None
    version = _trained(sample, last, now)
    better, reason = compare(version)
    version.note = reason[:200]
    version.save(update_fields=["note"])
    if better:
        promote_forest(number=version.pk, now=now)
        version.refresh_from_db()
    return version


def due_reason(*, now: datetime) -> str | None:
    """Why a new forest is due; None when it is not.

    The same minutes would only bring the like of one that was refused again, or of one that
    somebody rolled back.
    """
    refused = forests.last_refusal()
    if refused is not None and now - refused < SHORT_REST:
        return None
    live = forests.live_version()
    if live is not None and readable_forest(live) is None:
        return "the live one cannot be read"
    rolled_back = forests.last_rollback()
    if rolled_back is not None and now - rolled_back <= OLD:
        return None
    if live is None:
        return "there is none"
    if now - live.trained > OLD and (refused is None or now - refused >= REST):
        return "the live one is old"
    expected = live.metrics.get("unusual_rate")
    seen = _unusual_rate(since=now - timedelta(days=1), after=live.trained)
    if expected is None or seen is None:
        return None
    limit = DRIFT_FACTOR * expected + DRIFT_FLOOR
    if seen <= limit:
        return None
    return f"drift: {seen:.1%} of quiet minutes score high, {expected:.1%} when trained"


def _unusual_rate(*, since: datetime, after: datetime) -> float | None:
    recent = Band.objects.filter(minute__gte=max(since, after), learning=False).filter(
        Q(level=Level.NORMAL), total__isnull=False
    )
    judged = recent.count()
    if judged < LEAST_ROWS:
        return None
    return recent.filter(score__gte=UNUSUAL).count() / judged


def _sample(now: datetime, progress: Progress | None) -> tuple[Sample, int]:
    newest = Baseline.objects.filter(source__enabled=True, through__isnull=False)
    chosen = [
        (source_id, through)
        for source_id, through in newest.order_by("-through").values_list("source_id", "through")[
            :MOST_SOURCES
        ]
        if through is not None
    ]
    last = max((minute_of(through) for _, through in chosen), default=minute_of(now))
    first = last - minutes(WINDOW)
    expected = max(len(chosen) * minutes(WINDOW), 1)
    sample = Sample(
        random=np.random.default_rng(last),
        keep=min(1.0, MOST_ROWS / expected),
        begins=first + minutes(WARM_UP),
        wrong=_confirmed(),
    )
    if not chosen:
        return sample, last
    young = min(first_minute(pk, first) for pk, _ in chosen)
    if young > first:
        # history shorter than the window: what there is after a warm-up has to do
        sample.begins = young + min(minutes(WARM_UP), (last - young) // 4)
        sample.keep = min(1.0, MOST_ROWS / max(len(chosen) * (last - young), 1))
    rehearse(
        Rehearsal(
            [pk for pk, _ in chosen],
            first,
            last,
            sample.hear,
            now,
            forest=None,
            with_features=True,
            progress=progress,
        )
    )
    return sample, last


def first_minute(source_id: int, first: int) -> int:
    """Where the walk of a source begins in the window."""
    found = baselines.first_minutes([source_id]).get(source_id)
    return first if found is None else max(first, minute_of(found))


def minutes(span: timedelta) -> int:
    """Whole minutes of a span."""
    return int(span.total_seconds() // 60)


def _confirmed() -> dict[int, list[tuple[int, int]]]:
    """Minutes that people confirmed as incidents or wrong data: nothing to learn from."""
    found: dict[int, list[tuple[int, int]]] = {}
    kinds = (Label.Kind.INCIDENT, Label.Kind.DATA_PROBLEM)
    for source_id, starts, ends in Label.objects.filter(kind__in=kinds, revoked=None).values_list(
        "source_id", "starts", "ends"
    ):
        found.setdefault(source_id, []).append((minute_of(starts), minute_of(ends)))
    return found


def _trained(sample: Sample, last: int, now: datetime) -> ForestVersion:
    order = np.argsort(np.array(sample.minutes), kind="stable")
    rows = np.stack(sample.rows)[order]
    z = np.array(sample.z)[order]
    cut = int(len(rows) * (1 - HELD_OUT))
    first = int(np.min(sample.minutes))
    forest = fit_forest(
        with_spread(rows[:cut], sample.random), seed=last % 2**31, window=(first, last)
    )
    held = {"rows": rows[cut:], "z": z[cut:]}
    abnormal = np.stack(sample.abnormal) if sample.abnormal else np.empty((0, rows.shape[1]))
    live = forests.live_version()
    known = None if live is None else readable_forest(live)
    return ForestVersion.objects.create(
        trained=now,
        window_start=moment_of(first),
        window_end=moment_of(last),
        parameters={
            "trees": TREES,
            "sample": SAMPLE,
            "seed": last % 2**31,
            "rows": cut,
            "features": list(FEATURES),
        },
        metrics={
            **measured(forest, held["rows"], held["z"], abnormal),
            "live": None if known is None else measured(known, held["rows"], held["z"], abnormal),
        },
        model=forest.pack(),
    )


def with_spread(rows: Floats, random: np.random.Generator) -> Floats:
    """Rows in which every column moves.

    Features are distances in standard deviations, which quiet traffic spreads by 1. A column that
    never moved, since its status never occurred, gets that spread: a forest cannot cut a constant
    and would be blind to the first failure of a kind never seen.
    """
    still = rows.std(axis=0) < STILL
    return rows + np.where(still, random.standard_normal(rows.shape), 0.0)


def measured(forest: Forest, quiet: Floats, z: Floats, abnormal: Floats) -> dict[str, object]:
    """How a forest does on minutes it was not trained on."""
    opinion = forest.surprise(quiet)
    mixed = 0.6 * opinion + 0.4 * z
    return {
        "held_out": len(quiet),
        "abnormal": len(abnormal),
        "loud_rate": round(float((opinion >= LOUD).mean()), 5),
        "unusual_rate": round(float((mixed >= UNUSUAL).mean()), 5),
        "found": (round(float(np.median(forest.surprise(abnormal))), 4) if len(abnormal) else None),
    }


def compare(version: ForestVersion) -> tuple[bool, str]:
    """Whether a version may serve, and why: on minutes that neither it nor the live one saw."""
    mine = version.metrics
    if mine["loud_rate"] > MOST_LOUD:
        return False, f"refused: {mine['loud_rate']:.2%} of quiet minutes are called abnormal"
    live = mine.get("live")
    if live is None:
        return True, "the first, and it passes its checks"
    if mine["loud_rate"] > live["loud_rate"] + 0.002:
        return False, "refused: calls more quiet minutes abnormal than the live one"
    if mine["found"] is not None and mine["found"] < live["found"] - 0.05:
        return False, "refused: sees less in the incidents than the live one"
    return True, "not worse than the live one"
