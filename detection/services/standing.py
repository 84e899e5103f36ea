"""Minutes behind the frontier keep the verdict they have, as long as their counts are the same."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec.structs import replace

from detection import messages
from detection.clock import minute_of, moment_of
from detection.models import Anomaly, Band
from detection.rules import LEVELS
from detection.scoring.scores import BAND
from detection.scoring.tails import distance_in_band
from detection.selectors.counts import digest
from detection.services.findings import worst_first
from detection.services.grouping import Group, SourceMinute
from detection.services.judgements import count_of
from detection.services.verdicts import (
    BAND_SIDES,
    FAMILIES_OF_STATUS,
    score_of_status,
    still_learning,
    verdicts_while_learning,
)
from ingest.assessment import Metrics, Verdict
from ingest.reports import RecordedReport

Key = tuple[int, int]


def answer_standing(*, group: Group, minutes: Sequence[SourceMinute]) -> list[SourceMinute]:
    """Minutes whose counts are those they were judged on are answered; the others are returned."""
    changed = [one for one in minutes if one.is_changed]
    same = [one for one in minutes if not one.is_changed]
    bands, anomalies = _stored(same) if same else ({}, {})
    seen = _seen_before(bands.values())
    for one in same:
        band = bands.get((one.source.id, one.minute))
        if band is None or band.digest != digest(one.counts):
            changed.append(one)
            continue
        key = one.source.id, one.minute
        found = anomalies.get(key, [])
        if band.learning and not found:
            group.answer(one, verdicts_while_learning(seen[key], one.reports, brief=group.brief))
            continue
        verdicts = _verdicts(band, found, one.reports, whole=group.complete)
        if band.learning:
            verdicts = [_without_numbers(verdict, seen[key]) for verdict in verdicts]
        group.answer(one, verdicts)
    return changed


def _stored(
    minutes: Sequence[SourceMinute],
) -> tuple[dict[Key, Band], dict[Key, list[Anomaly]]]:
    source_ids = {one.source.id for one in minutes}
    moments = {moment_of(one.minute) for one in minutes}
    bands = {
        (band.source_id, minute_of(band.minute)): band
        for band in Band.objects.filter(source_id__in=source_ids, minute__in=moments)
    }
    anomalies: dict[Key, list[Anomaly]] = {}
    for anomaly in Anomaly.objects.filter(
        source_id__in=source_ids, minute__in=moments, withdrawn=None
    ).order_by():
        key = (anomaly.source_id, minute_of(anomaly.minute))
        anomalies.setdefault(key, []).append(anomaly)
    for found in anomalies.values():
        found.sort(key=_place)
    return bands, anomalies


def _place(one: Anomaly) -> tuple[int, int]:
    return worst_first(LEVELS.index(one.level), one.family)


def _seen_before(bands: Iterable[Band]) -> dict[Key, int]:
    """How many minutes were seen before each of these, where the source was still being learned."""
    learning = [band for band in bands if band.learning]
    if not learning:
        return {}
    shown = Band.objects.filter(
        source_id__in={band.source_id for band in learning}, learning=True, total__isnull=False
    ).order_by("minute")
    minutes: dict[int, list[datetime]] = defaultdict(list)
    for source_id, minute, total in shown.values_list("source_id", "minute", "total"):
        # Zeros before the first transaction teach nothing.
        if total or minutes[source_id]:
            minutes[source_id].append(minute)
    return {
        (band.source_id, minute_of(band.minute)): bisect_left(minutes[band.source_id], band.minute)
        for band in learning
    }


def _verdicts(
    band: Band, found: Sequence[Anomaly], reports: Sequence[RecordedReport], *, whole: bool
) -> list[Verdict]:
    answers = []
    statuses = {report.status for report in reports}
    orphans = [one for one in found if not any(_concerns(one, name) for name in statuses)]
    for place, report in enumerate(reports):
        mine = [one for one in found if _concerns(one, report.status)]
        if place == 0 and whole:
            mine += orphans
        answers.append(_verdict(band, mine, report))
    return answers


def _concerns(anomaly: Anomaly, status: str) -> bool:
    return anomaly.status == status or anomaly.family in FAMILIES_OF_STATUS[status]


def _verdict(band: Band, found: Sequence[Anomaly], report: RecordedReport) -> Verdict:
    worst = max(found, key=lambda one: LEVELS.index(one.level), default=None)
    expected, lower, upper = band.by_status.get(report.status, (None, None, None))
    total = sum(count for _, _, count in report.minute_counts)
    approved = count_of(report.minute_counts, "approved", "")
    reported = count_of(report.minute_counts, report.status, "")
    distance = None
    if expected is not None:
        distance = round(distance_in_band(reported, expected, upper, BAND), 4)
    return Verdict(
        is_anomaly=worst is not None,
        alert_level=worst.level if worst else LEVELS[0],
        anomaly_score=round(worst.score if worst else score_of_status(band.score, distance), 4),
        rule_violations=[violation for one in found for violation in one.violations],
        recommendation=worst.recommendation if worst else messages.NORMAL,
        metrics=Metrics(
            current_count=report.count,
            status=report.status,
            auth_code=report.auth_code,
            zscore=distance,
            ml_score=worst.ml_score if worst else None,
            approval_rate=round(approved / total, 4) if total else None,
            running_mean=expected,
            running_std=None if expected is None else round((upper - lower) / BAND_SIDES, 4),
            expected=expected,
            lower=lower,
            upper=upper,
            total=total,
            expected_total=band.expected,
            reported=reported,
        ),
        reasons=[reason for one in found for reason in one.reasons],
        family=worst.family if worst else None,
        learning=band.learning,
    )


def _without_numbers(verdict: Verdict, seen: int) -> Verdict:
    """The verdict without expectations: of a source still being learned only counts are known."""
    told = still_learning(seen)
    metrics = verdict.metrics and replace(
        verdict.metrics,
        zscore=None,
        ml_score=None,
        running_mean=None,
        running_std=None,
        expected=None,
        lower=None,
        upper=None,
        expected_total=None,
    )
    return replace(
        verdict,
        anomaly_score=0.0,
        recommendation=verdict.recommendation if verdict.is_anomaly else told,
        reasons=[*verdict.reasons, told],
        metrics=metrics,
    )


def standing_minute(*, source_id: int, minute: int) -> dict[str, object] | None:
    """The verdict that a judged minute has; None when it was not judged."""
    band = Band.objects.filter(source_id=source_id, minute=moment_of(minute)).first()
    if band is None:
        return None
    found = Anomaly.objects.filter(source_id=source_id, minute=band.minute, withdrawn=None)
    worst = sorted(found, key=_place)
    seen = _seen_before([band]).get((source_id, minute))
    told = messages.NORMAL if seen is None else still_learning(seen)
    return {
        "timestamp": band.minute,
        "is_anomaly": bool(worst),
        "alert_level": worst[0].level if worst else LEVELS[0],
        "anomaly_score": band.score,
        "rule_violations": [text for one in worst for text in one.violations],
        "recommendation": worst[0].recommendation if worst else told,
        "reasons": [text for one in worst for text in one.reasons] + [told] * band.learning,
        "family": worst[0].family if worst else None,
        "learning": band.learning,
        "judged": True,
        "total": band.total,
        "expected_total": None if band.learning else band.expected,
    }
