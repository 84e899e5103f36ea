"""A source says that a minute is complete, also when it is empty: it is judged at once."""

from datetime import datetime

from detection import messages
from detection.clock import moment_of
from detection.rules import LEVELS
from detection.selectors.counts import rows_by_minute
from detection.selectors.declarations import declarations
from detection.services.advancing import Journey
from detection.services.findings import Finding
from detection.services.judgements import known
from detection.services.keeping import Stored
from detection.services.lockstep import Judged
from detection.services.reach import last_closed
from detection.services.replaying import advance_near, judge_next
from detection.services.standing import standing_minute
from detection.services.verdicts import still_learning
from detection.services.watch import watch
from ingest import steady_clock
from ingest.reports import SourceRef

Answer = dict[str, object]


def close_minute(*, source: SourceRef, minute: int, now: datetime | None = None) -> Answer:
    """The minute is judged as complete; learned too, unless by the clock it may still fill."""
    if why := declarations().why_unjudged(source.id, minute):
        return {**_not_judged(minute), "recommendation": why}
    now = now or steady_clock.now()
    heard: list[Judged] = []

    def listen(judged: Judged) -> None:
        if judged.minutes[0] == minute:
            heard.append(judged)

    upto = min(minute, last_closed(now))
    journey = Journey(
        upto={source.id: upto},
        zones={source.id: source.zone.key},
        keeper=Stored(now, replayed=minute <= last_closed(now), listener=listen),
    )
    at = watch.get([source.id], fresh=0)[source.id]
    if minute <= at.through:
        return standing_minute(source_id=source.id, minute=minute) or _not_judged(minute)
    reached = advance_near([source.id], journey)
    if not heard and reached and reached[0].through == minute - 1:
        counts = rows_by_minute([source.id], minute, minute).get(minute, {})
        heard.append(judge_next(reached, counts, journey, now=now, closed=True))
    return _answer(heard[0]) if heard else _not_judged(minute)


def _answer(judged: Judged) -> Answer:
    scores = judged.scores
    found: list[Finding] = judged.findings.get(0, [])
    level = found[0].level if found else 0
    learning = bool(scores.learning[0])
    told = still_learning(judged.seen[0]) if learning else messages.NORMAL
    return {
        "timestamp": moment_of(judged.minutes[0]),
        "is_anomaly": level > 0,
        "alert_level": LEVELS[level],
        "anomaly_score": 0.0 if learning else known(scores.told_score[0]) or 0.0,
        "rule_violations": [text for one in found for text in one.violations],
        "recommendation": found[0].recommendation if found else told,
        "reasons": [text for one in found for text in one.reasons] + [told] * learning,
        "family": found[0].family if found else None,
        "learning": learning,
        "judged": True,
        "total": int(judged.counts.status[0].sum()) if judged.counts.reported[0] else None,
        "expected_total": None if learning else known(scores.total_expected[0]),
    }


def unknown_source(minute: int) -> Answer:
    """The verdict on a minute of a source that has never reported."""
    return _not_judged(minute)


def _not_judged(minute: int) -> Answer:
    """Nothing is known of the source yet, or it has been gone for too long."""
    return {
        "timestamp": moment_of(minute),
        "is_anomaly": False,
        "alert_level": LEVELS[0],
        "anomaly_score": 0.0,
        "rule_violations": [],
        "recommendation": messages.NOT_THERE,
        "reasons": [],
        "family": None,
        "learning": True,
        "judged": False,
        "total": None,
        "expected_total": None,
    }
