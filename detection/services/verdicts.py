"""The answer to one report, from the judgement of its minute."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from msgspec.structs import replace

from detection import messages
from detection.rules import LEVELS
from detection.scoring.calibration import z_surprise
from detection.scoring.detector import LEARNING_MINUTES
from detection.scoring.series import STATUSES
from detection.selectors.counts import Row
from detection.services.findings import Finding
from detection.services.judgements import band_for, known
from detection.services.lockstep import Judged
from ingest.assessment import Metrics, Verdict
from ingest.reports import RecordedReport

FAMILIES_OF_STATUS = {
    "approved": frozenset({"volume_low", "volume_high", "silence"}),
    "denied": frozenset({"decline", "code_mix", "volume_low", "volume_high", "silence"}),
    "failed": frozenset({"technical_failure", "volume_low", "volume_high", "silence"}),
    "backend_reversed": frozenset({"technical_failure", "volume_low", "volume_high", "silence"}),
    "reversed": frozenset({"reversal", "volume_low", "volume_high", "silence"}),
    "refunded": frozenset({"reversal", "volume_low", "volume_high", "silence"}),
}
# Width of a band: its bounds lie three standard deviations from the middle [standard deviations].
BAND_SIDES = 6.0


def concerns(finding: Finding, status: str) -> bool:
    """Whether a finding is about reports of a status."""
    return finding.status == status or finding.family in FAMILIES_OF_STATUS[status]


def verdicts_of(
    judged: Judged, row: int, reports: Sequence[RecordedReport], *, whole: bool, brief: bool
) -> list[Verdict]:
    """Answer the reports of one source minute.

    Findings of a whole minute that concern none of the reports are told with the first report, so
    that they are told at all.
    """
    found = judged.findings.get(row, [])
    if judged.scores.learning[row] and not found:
        return verdicts_while_learning(judged.seen[row], reports, brief=brief)
    picture = Picture(judged, row, reports[-1].minute_counts, brief=brief)
    statuses = {report.status for report in reports}
    orphans = [one for one in found if whole and not any(concerns(one, of) for of in statuses)]
    answers = []
    said: dict[str, Verdict] = {}
    for place, report in enumerate(reports):
        like = said.get(report.status)
        if like is not None:
            answers.append(_said_of(report, like))
            continue
        mine = [one for one in found if concerns(one, report.status)]
        told_first = orphans if place == 0 else []
        verdict = picture.verdict(report, mine + told_first)
        answers.append(verdict)
        if not told_first:
            said[report.status] = verdict
    return answers


def _said_of(report: RecordedReport, like: Verdict) -> Verdict:
    """Say of a report what was said of another one of the same minute and status."""
    if like.metrics is None:
        return like
    metrics = replace(like.metrics, current_count=report.count, auth_code=report.auth_code)
    return replace(like, metrics=metrics)


def verdicts_while_learning(
    seen: int, reports: Sequence[RecordedReport], *, brief: bool
) -> list[Verdict]:
    """Answer the reports of one source minute of which too little is known to say anything."""
    like = _learning(seen)
    if brief:
        return [like] * len(reports)
    sums = Sums.of(reports[-1].minute_counts)
    return [
        replace(
            like,
            metrics=Metrics(
                current_count=report.count,
                status=report.status,
                auth_code=report.auth_code,
                approval_rate=sums.approval_rate,
                total=sums.total,
                reported=sums.reported.get(report.status, 0),
            ),
        )
        for report in reports
    ]


def still_learning(seen: int) -> str:
    """What is said of a source of which so many minutes were seen before the one asked about."""
    return messages.LEARNING.format(seen=seen, needed=LEARNING_MINUTES)


@lru_cache
def _learning(seen: int) -> Verdict:
    told = still_learning(seen)
    return Verdict(
        is_anomaly=False,
        alert_level=LEVELS[0],
        anomaly_score=0.0,
        rule_violations=[],
        recommendation=told,
        metrics=None,
        reasons=[told],
        learning=True,
    )


@dataclass(slots=True)
class Sums:
    """What was counted in one source minute, added up."""

    reported: dict[str, int]
    total: int
    approval_rate: float | None

    @classmethod
    def of(cls, counts: Sequence[Row]) -> "Sums":
        """Add up the counts of a minute."""
        reported: dict[str, int] = {}
        for status, _, count in counts:
            reported[status] = reported.get(status, 0) + count
        total = sum(reported.values())
        rate = round(reported.get("approved", 0) / total, 4) if total else None
        return cls(reported, total, rate)


def score_of_status(score: float, distance: float | None) -> float:
    """The score of a status about which nothing was found: no more than its own distance says."""
    return min(score, float(z_surprise(np.array(distance or 0.0), 1)))


class Picture:
    """One judged source minute in plain numbers, worked out once for all its reports."""

    def __init__(self, judged: Judged, row: int, counts: Sequence[Row], *, brief: bool) -> None:
        scores = judged.scores
        self.scores, self.row, self.brief = scores, row, brief
        self.learning = bool(scores.learning[row])
        self.seen = judged.seen[row]
        self.score = 0.0 if self.learning else float(scores.told_score[row])
        # What a source that has only begun to report will do is not known yet.
        self.ml_score = None if self.learning else known(scores.ml_score[row])
        self.expected_total = None if self.learning else known(scores.total_expected[row])
        self.sums = Sums.of(counts)

    def verdict(self, report: RecordedReport, found: Sequence[Finding]) -> Verdict:
        """The answer to one report, of which the findings speak."""
        worst = max(found, key=lambda one: one.level, default=None)
        level = worst.level if worst else 0
        score = self.score
        if level == 0 and score:
            score = score_of_status(score, self._zscore(report))
        reasons = [reason for one in found for reason in one.reasons]
        recommendation = worst.recommendation if worst else messages.NORMAL
        if self.learning:
            told = still_learning(self.seen)
            reasons.append(told)
            recommendation = worst.recommendation if worst else told
        return Verdict(
            is_anomaly=level > 0,
            alert_level=LEVELS[level],
            anomaly_score=round(min(max(score, 0.0), 1.0), 4),
            rule_violations=[violation for one in found for violation in one.violations],
            recommendation=recommendation,
            metrics=None if self.brief else self._metrics(report),
            reasons=reasons,
            family=worst.family if worst else None,
            learning=self.learning,
        )

    def _zscore(self, report: RecordedReport) -> float | None:
        if self.learning:
            return None
        return known(self.scores.zscore[self.row, STATUSES.index(report.status)])

    def _metrics(self, report: RecordedReport) -> Metrics:
        expected: float | None = None
        lower: float | None = None
        upper: float | None = None
        spread: float | None = None
        if not self.learning:
            expected, lower, upper = band_for(self.scores, self.row, report.status)
            if lower is not None and upper is not None:
                spread = round((upper - lower) / BAND_SIDES, 4)
        return Metrics(
            current_count=report.count,
            status=report.status,
            auth_code=report.auth_code,
            zscore=self._zscore(report),
            ml_score=self.ml_score,
            approval_rate=self.sums.approval_rate,
            running_mean=expected,
            running_std=spread,
            expected=expected,
            lower=lower,
            upper=upper,
            total=self.sums.total,
            expected_total=self.expected_total,
            reported=self.sums.reported.get(report.status, 0),
        )
