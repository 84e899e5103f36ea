"""The answer to one report, from the judgement of its minute."""

from collections.abc import Sequence

import numpy as np

from detection import messages
from detection.rules import LEVELS
from detection.scoring.calibration import z_surprise
from detection.scoring.detector import LEARNING_MINUTES
from detection.scoring.series import STATUSES
from detection.services.findings import Finding
from detection.services.judgements import band_for, count_of, known
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
    answers = []
    for place, report in enumerate(reports):
        mine = [one for one in found if concerns(one, report.status)]
        if place == 0 and whole and found:
            mine += [
                one for one in found if not any(concerns(one, other.status) for other in reports)
            ]
        answers.append(_verdict(judged, row, report, mine))
    return answers


def _verdict(judged: Judged, row: int, report: RecordedReport, found: Sequence[Finding]) -> Verdict:
    scores = judged.scores
    level = max((one.level for one in found), default=0)
    worst = max(found, key=lambda one: one.level, default=None)
    learning = bool(scores.learning[row])
    numbers = metrics_of(judged, row, report)
    score = float(scores.anomaly_score[row])
    if level == 0:
        # what is wrong with the minute is not wrong with this status: its own distance counts
        score = min(score, float(z_surprise(np.array(numbers.zscore or 0.0), 1)))
    reasons = [reason for one in found for reason in one.reasons]
    recommendation = worst.recommendation if worst else messages.NORMAL
    if learning:
        told = messages.LEARNING.format(seen=judged.seen[row], needed=LEARNING_MINUTES)
        reasons.append(told)
        recommendation = worst.recommendation if worst else told
    return Verdict(
        is_anomaly=level > 0,
        alert_level=LEVELS[level],
        anomaly_score=round(min(max(score, 0.0), 1.0), 4),
        rule_violations=[violation for one in found for violation in one.violations],
        recommendation=recommendation,
        metrics=numbers,
        reasons=reasons,
        family=worst.family if worst else None,
        learning=learning,
    )


def metrics_of(judged: Judged, row: int, report: RecordedReport) -> Metrics:
    """The numbers behind the verdict of one report."""
    scores = judged.scores
    expected, lower, upper = band_for(scores, row, report.status)
    spread = None
    if lower is not None and upper is not None:
        spread = round((upper - lower) / BAND_SIDES, 4)
    total = sum(count for _, _, count in report.minute_counts)
    approved = count_of(report.minute_counts, "approved", "")
    return Metrics(
        current_count=report.count,
        status=report.status,
        auth_code=report.auth_code,
        zscore=known(scores.zscore[row, STATUSES.index(report.status)]),
        ml_score=known(scores.ml_score[row]),
        approval_rate=round(approved / total, 4) if total else None,
        running_mean=expected,
        running_std=spread,
        expected=expected,
        lower=lower,
        upper=upper,
        total=total,
        expected_total=known(scores.total_expected[row]),
        reported=count_of(report.minute_counts, report.status, ""),
    )
