"""A request from its body to its answer: check, record, judge, remember."""

import logging
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec
from msgspec import Struct

from ingest import metrics
from ingest.assessment import Assess, Metrics, Verdict
from ingest.bodies import read_batch, read_report
from ingest.repeats import Lookup, find_answers, forget_answers, keep_answers
from ingest.reports import NewReport, RecordedReport
from ingest.services.keys import Authenticated
from ingest.services.receiving import receive_reports
from ingest.services.recording import record_reports
from ingest.shared_commit import SharedCommit

logger = logging.getLogger(__name__)
_encoder = msgspec.json.Encoder()
_verdict = msgspec.json.Decoder(Verdict)
# Rows of a longer batch are not looked up one by one: recording them again costs less.
LOOKED_UP_AT_MOST = 100
_UNJUDGED = "Recorded. No verdict at this moment; the minute will be judged within a minute."


class BatchRow(Struct):
    """The answer to one row of a batch."""

    timestamp: str
    is_anomaly: bool
    alert_level: str
    score: float
    cached: bool
    source: str
    status: str
    auth_code: str


class BatchAnswer(Struct):
    """The answer to a batch."""

    processed: int
    anomalies_found: int
    anomaly_rate: float
    cache_hits: int
    results: list[BatchRow]


class Entered(Struct):
    """A report that came alone, with what the cache said of it."""

    report: NewReport
    lookup: Lookup


def answer_report(*, body: bytes, holder: Authenticated | None, assess: Assess) -> bytes:
    """The report in `body` is committed and judged; the answer is returned as JSON."""
    [report] = receive_reports(rows=[read_report(body)], holder=holder)
    lookup = find_answers([report])
    if lookup.answers[0] is not None:
        metrics.reports.labels("repeated").inc()
        return lookup.answers[0]
    # A function can be hashed, though its protocol does not say so.
    shared = _shared_by(assess)  # type: ignore[arg-type]
    return shared.answer(Entered(report, lookup))


@cache
def _shared_by(assess: Assess) -> SharedCommit[Entered, RecordedReport, bytes]:
    def write(entered: Sequence[Entered]) -> list[RecordedReport]:
        return record_reports(reports=[one.report for one in entered])

    def finish(entered: Sequence[Entered], recorded: Sequence[RecordedReport]) -> list[bytes]:
        return _answer_together(assess, entered, recorded)

    return SharedCommit(write, finish)


def _answer_together(
    assess: Assess, entered: Sequence[Entered], recorded: Sequence[RecordedReport]
) -> list[bytes]:
    """Judge reports that share a commit, and keep their answers in one round trip."""
    verdicts = _judged(assess, recorded, complete=False)
    _after_commit(recorded)
    kept = []
    for one, report, verdict in zip(entered, recorded, verdicts, strict=True):
        if verdict.judged and not report.corrected:
            stored = _encoder.encode(msgspec.structs.replace(verdict, cached=True))
            kept.append((one.lookup, 0, one.report, stored))
    keep_answers(kept)
    return [_encoder.encode(verdict) for verdict in verdicts]


def answer_batch(*, body: bytes, holder: Authenticated | None, assess: Assess) -> bytes:
    """All reports in `body` are committed and judged, or none; the answer is returned as JSON."""
    reports = receive_reports(rows=read_batch(body), holder=holder)
    if len(reports) > LOOKED_UP_AT_MOST:
        verdicts = record_and_judge(reports=reports, assess=assess)
    else:
        verdicts = _repeats_or_new(assess, reports)
    return _encoder.encode(_batch_answer(reports, verdicts))


def record_and_judge(*, reports: Sequence[NewReport], assess: Assess) -> list[Verdict]:
    """All reports are committed, or none; their verdicts are returned in order."""
    recorded = record_reports(reports=reports)
    verdicts = _judged(assess, recorded, complete=True)
    _after_commit(recorded)
    return list(verdicts)


def _repeats_or_new(assess: Assess, reports: Sequence[NewReport]) -> list[Verdict]:
    lookup = find_answers(reports)
    verdicts = [None if found is None else _verdict.decode(found) for found in lookup.answers]
    new = [place for place, verdict in enumerate(verdicts) if verdict is None]
    recorded = record_reports(reports=[reports[place] for place in new])
    judged = _judged(assess, recorded, complete=True) if recorded else []
    _after_commit(recorded)
    metrics.reports.labels("repeated").inc(len(reports) - len(new))
    kept = []
    for place, report, verdict in zip(new, recorded, judged, strict=True):
        verdicts[place] = verdict
        if verdict.judged and not report.corrected:
            stored = msgspec.structs.replace(verdict, cached=True)
            kept.append((lookup, place, reports[place], _encoder.encode(stored)))
    keep_answers(kept)
    return [verdict for verdict in verdicts if verdict is not None]


def _judged(
    assess: Assess, recorded: Sequence[RecordedReport], *, complete: bool
) -> Sequence[Verdict]:
    """Return verdicts; where there are none the answer says so, for the reports are committed."""
    try:
        return assess(recorded, complete=complete)
    except Exception:
        # An error here must not send the client back to report again what is already counted.
        logger.exception("%d recorded reports could not be judged at once.", len(recorded))
        metrics.unjudged.inc(len(recorded))
        return [_unjudged(report) for report in recorded]


def _unjudged(report: RecordedReport) -> Verdict:
    return Verdict(
        is_anomaly=False,
        alert_level="NORMAL",
        anomaly_score=0.0,
        rule_violations=[],
        recommendation=_UNJUDGED,
        metrics=Metrics(
            current_count=report.count, status=report.status, auth_code=report.auth_code
        ),
        judged=False,
    )


def _after_commit(recorded: Sequence[RecordedReport]) -> None:
    """Count what was recorded and stop believing answers that a correction made untrue."""
    corrected = {report.source.id for report in recorded if report.corrected}
    if corrected:
        forget_answers(corrected)
    outcomes, transactions = Counter[str](), Counter[str]()
    for report in recorded:
        outcomes[_outcome(report)] += 1
        if report.changed and not report.corrected:
            transactions[report.status] += report.count
    for outcome, times in outcomes.items():
        metrics.reports.labels(outcome).inc(times)
    for status, times in transactions.items():
        metrics.transactions.labels(status).inc(times)


def _outcome(report: RecordedReport) -> str:
    if not report.changed:
        return "repeated"
    return "corrected" if report.corrected else "recorded"


def _batch_answer(reports: Sequence[NewReport], verdicts: Sequence[Verdict]) -> BatchAnswer:
    rows: list[Any] = [
        BatchRow(
            timestamp=report.timestamp.isoformat(),
            is_anomaly=verdict.is_anomaly,
            alert_level=verdict.alert_level,
            score=verdict.anomaly_score,
            cached=verdict.cached,
            source=report.source.name,
            status=report.status,
            auth_code=report.auth_code,
        )
        for report, verdict in zip(reports, verdicts, strict=True)
    ]
    found = sum(row.is_anomaly for row in rows)
    return BatchAnswer(
        processed=len(rows),
        anomalies_found=found,
        anomaly_rate=round(found / len(rows), 4) if rows else 0.0,
        cache_hits=sum(row.cached for row in rows),
        results=rows,
    )
