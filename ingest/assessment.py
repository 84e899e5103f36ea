"""What ingest asks of whoever judges the reports, and the verdict it answers with."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from ingest.reports import RecordedReport


class Metrics(Struct, kw_only=True, gc=False):
    """The numbers behind a verdict; None is unknown, never 0."""

    current_count: int
    status: str
    auth_code: str
    zscore: float | None = None
    ml_score: float | None = None
    approval_rate: float | None = None
    # `running_mean` and `running_std` are what older clients read: the expectation and its spread.
    running_mean: float | None = None
    running_std: float | None = None
    expected: float | None = None
    lower: float | None = None
    upper: float | None = None
    total: int | None = None
    expected_total: float | None = None
    reported: int | None = None


class Verdict(Struct, kw_only=True, gc=False):
    """The answer to one report: level, score, reasons, expected band, recommendation."""

    is_anomaly: bool
    alert_level: str
    anomaly_score: float
    rule_violations: list[str]
    recommendation: str
    # None where the verdict was asked for in brief.
    metrics: Metrics | None
    reasons: list[str] = []
    family: str | None = None
    learning: bool = False
    incident: int | None = None
    # False: recorded, but it could not be judged at once; the sweep judges its minute.
    judged: bool = True
    cached: bool = False


class Assess(Protocol):
    """Judges recorded reports: one verdict for each, in their order.

    `complete` says that the reports carry whole minutes (a batch); otherwise a minute may still
    be filling and only what can be said of a part of it is said. `brief` says that nobody will be
    told more than the level and the score: the numbers behind them may be left out, and reports of
    which the same is true may share a verdict.
    """

    def __call__(
        self, reports: Sequence[RecordedReport], *, complete: bool, brief: bool = False
    ) -> Sequence[Verdict]: ...


def unjudged(report: RecordedReport, why: str) -> Verdict:
    """Return what is answered to a report that is recorded and not judged now."""
    return Verdict(
        is_anomaly=False,
        alert_level="NORMAL",
        anomaly_score=0.0,
        rule_violations=[],
        recommendation=why,
        metrics=Metrics(
            current_count=report.count, status=report.status, auth_code=report.auth_code
        ),
        judged=False,
    )
