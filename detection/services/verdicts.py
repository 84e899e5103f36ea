"""The answer to one report, from the judgement of its minute."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

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
# The bounds of a band lie three standard deviations from its middle.
BAND_SIDES = 6.0


def concerns(finding: Finding, status: str) -> bool:
    """Whether a finding is about reports of a status."""
    return finding.status == status or finding.family in FAMILIES_OF_STATUS[status]


def verdicts_of(
    judged: Judged, row: int, reports: Sequence[RecordedReport], *, whole: bool
) -> list[Verdict]:
    """Answer the reports of one source minute.

    In a whole minute, what is about none of the reports is told with the first of them, so that it
    is told at all.
    """
    found = judged.findings.get(row, [])
    if judged.scores.learning[row] and not found:
        return verdicts_while_learning(judged.seen[row], reports)
    picture = Picture(judged, row, reports[-1].minute_counts)
    answers = []
    for place, report in enumerate(reports):
        mine = [one for one in found if concerns(one, report.status)]
        if place == 0 and whole and found:
            mine += [
                one for one in found if not any(concerns(one, other.status) for other in reports)
            ]
        answers.append(picture.verdict(report, mine))
    return answers


def verdicts_while_learning(seen: int, reports: Sequence[RecordedReport]) -> list[Verdict]:
    """Answer the reports of one source minute of which too little is known to say anything."""
    sums = Sums.of(reports[-1].minute_counts)
    told = messages.LEARNING.format(seen=seen, needed=LEARNING_MINUTES)
    return [
        Verdict(
            is_anomaly=False,
            alert_level=LEVELS[0],
            anomaly_score=0.0,
            rule_violations=[],
            recommendation=told,
            metrics=Metrics(
                current_count=report.count,
                status=report.status,
                auth_code=report.auth_code,
                approval_rate=sums.approval_rate,
                total=sums.total,
                reported=sums.reported.get(report.status, 0),
            ),
            reasons=[told],
            learning=True,
        )
        for report in reports
    ]


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


@dataclass(slots=True)
class OfStatus:
    """The numbers of one status in one source minute."""

    zscore: float | None
    expected: float | None
    lower: float | None
    upper: float | None
    spread: float | None
    reported: int


class Picture:
    """One judged source minute in plain numbers, worked out once for all its reports."""

    def __init__(self, judged: Judged, row: int, counts: Sequence[Row]) -> None:
        scores = judged.scores
        self.scores, self.row = scores, row
        self.learning = bool(scores.learning[row])
        self.seen = judged.seen[row]
        self.score = 0.0 if self.learning else float(scores.told_score[row])
        # What a source that has only begun to report will do is not known yet.
        self.ml_score = None if self.learning else known(scores.ml_score[row])
        self.expected_total = None if self.learning else known(scores.total_expected[row])
        self.sums = Sums.of(counts)
        self.by_status: dict[str, OfStatus] = {}

    def of_status(self, status: str) -> OfStatus:
        """The numbers of a status."""
        numbers = self.by_status.get(status)
        if numbers is None and self.learning:
            reported = self.sums.reported.get(status, 0)
            numbers = OfStatus(None, None, None, None, None, reported)
            self.by_status[status] = numbers
        if numbers is None:
            expected, lower, upper = band_for(self.scores, self.row, status)
            spread = None
            if lower is not None and upper is not None:
                spread = round((upper - lower) / BAND_SIDES, 4)
            z = known(self.scores.zscore[self.row, STATUSES.index(status)])
            reported = self.sums.reported.get(status, 0)
            numbers = OfStatus(z, expected, lower, upper, spread, reported)
            self.by_status[status] = numbers
        return numbers

    def verdict(self, report: RecordedReport, found: Sequence[Finding]) -> Verdict:
        """The answer to one report, of which the findings speak."""
        numbers = self.of_status(report.status)
        worst = max(found, key=lambda one: one.level, default=None)
        level = worst.level if worst else 0
        score = self.score
        if level == 0 and score:
            # what is wrong with the minute is not wrong with this status: its own distance counts
            score = min(score, float(z_surprise(np.array(numbers.zscore or 0.0), 1)))
        reasons = [reason for one in found for reason in one.reasons]
        recommendation = worst.recommendation if worst else messages.NORMAL
        if self.learning:
            told = messages.LEARNING.format(seen=self.seen, needed=LEARNING_MINUTES)
            reasons.append(told)
            recommendation = worst.recommendation if worst else told
        return Verdict(
            is_anomaly=level > 0,
            alert_level=LEVELS[level],
            anomaly_score=round(min(max(score, 0.0), 1.0), 4),
            rule_violations=[violation for one in found for violation in one.violations],
            recommendation=recommendation,
            metrics=self._metrics(report, numbers),
            reasons=reasons,
            family=worst.family if worst else None,
            learning=self.learning,
        )

    def _metrics(self, report: RecordedReport, numbers: OfStatus) -> Metrics:
        return Metrics(
            current_count=report.count,
            status=report.status,
            auth_code=report.auth_code,
            zscore=numbers.zscore,
            ml_score=self.ml_score,
            approval_rate=self.sums.approval_rate,
            running_mean=numbers.expected,
            running_std=numbers.spread,
            expected=numbers.expected,
            lower=numbers.lower,
            upper=numbers.upper,
            total=self.sums.total,
            expected_total=self.expected_total,
            reported=numbers.reported,
        )
