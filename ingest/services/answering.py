"""A request from its body to its answer: check, record, judge, remember."""

import logging
from collections import Counter
from collections.abc import Collection, Sequence
from functools import cache
from typing import Any

import msgspec
from msgspec import Struct

from ingest import metrics
from ingest.assessment import Assess, Verdict, unjudged
from ingest.parsing.bodies import read_batch, read_report
from ingest.parsing.moments import written
from ingest.repeats.answers import (
    Marks,
    count_lookups,
    find_answers,
    forget_answers,
    keep_answers,
    marks_now,
    met,
)
from ingest.reports import NewReport, RecordedReport
from ingest.services.keys import Authenticated
from ingest.services.receiving import receive_reports
from ingest.services.recording import last_of_each, record_reports, undisputed
from ingest.sharing.shared_commit import SharedCommit
from ingest.sharing.together import Together

logger = logging.getLogger(__name__)
_encoder = msgspec.json.Encoder()
_verdict = msgspec.json.Decoder(Verdict)
_NOT_CACHED, _CACHED = b'"cached":false}', b'"cached":true}'
# Rows of a longer batch are not looked up one by one: recording them again costs less.
LOOKED_UP_AT_MOST = 100
_UNJUDGED = "Recorded. No verdict at this moment; the minute will be judged within a minute."


class BatchRow(Struct, gc=False):
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


# Reports that were met before and come at the same moment are looked up in one round trip.
_lookups: Together[NewReport, bytes | None] = Together(
    lambda reports: find_answers(reports).answers
)


class Written(Struct):
    """A report that came alone, committed, with the marks as they were before."""

    recorded: RecordedReport
    marks: Marks


def answer_report(
    *,
    body: bytes,
    holder: Authenticated | None,
    assess: Assess,
    seen: Collection[int] | None = None,
) -> bytes:
    """The report in `body` is committed and judged; the answer is returned as JSON."""
    [report] = receive_reports(rows=[read_report(body)], holder=holder, seen=seen, alone=True)
    if report in met:
        found = _lookups.ask(report)
        if found is not None:
            count_lookups([report], found=1)
            metrics.reports.labels("repeated").inc()
            return found
    # A function can be hashed, though its protocol does not say so.
    return _shared_by(assess).answer(report)  # type: ignore[arg-type]


@cache
def _shared_by(assess: Assess) -> SharedCommit[NewReport, Written, bytes]:
    def write(reports: Sequence[NewReport]) -> list[Written]:
        marks = marks_now(reports)
        return [Written(one, marks) for one in record_reports(reports=reports)]

    def finish(reports: Sequence[NewReport], written: Sequence[Written]) -> list[bytes]:
        return _answer_together(assess, reports, written)

    return SharedCommit(write, finish)


def _answer_together(
    assess: Assess, reports: Sequence[NewReport], written: Sequence[Written]
) -> list[bytes]:
    """Answer reports that share a commit: repeats from the cache, the others judged together."""
    recorded = [one.recorded for one in written]
    _after_commit(recorded)
    answers = _found_after_all(reports, recorded)
    new = [place for place, answer in enumerate(answers) if answer is None]
    verdicts = _judged(assess, [recorded[place] for place in new], complete=False) if new else []
    kept = []
    lasts = last_of_each(reports)
    for place, verdict in zip(new, verdicts, strict=True):
        answer = answers[place] = _encoder.encode(verdict)
        if verdict.judged and lasts[place] and not recorded[place].corrected:
            kept.append((reports[place], _as_cached(answer)))
    keep_answers(written[0].marks, kept)
    return [answer for answer in answers if answer is not None]


def _found_after_all(
    reports: Sequence[NewReport], recorded: Sequence[RecordedReport]
) -> list[bytes | None]:
    """Look up the reports that the database had already: another process has answered them."""
    answers: list[bytes | None] = [None] * len(reports)
    same = [place for place, one in enumerate(recorded) if not one.changed]
    if same:
        found = find_answers([reports[place] for place in same]).answers
        for place, answer in zip(same, found, strict=True):
            answers[place] = answer
    count_lookups(reports, found=sum(answer is not None for answer in answers))
    return answers


def _as_cached(answer: bytes) -> bytes:
    """Return the answer as a repeat gets it: `cached` is the last field of a verdict."""
    return answer.removesuffix(_NOT_CACHED) + _CACHED


def answer_batch(
    *,
    body: bytes,
    holder: Authenticated | None,
    assess: Assess,
    seen: Collection[int] | None = None,
) -> bytes:
    """All reports in `body` are committed and judged, or none; the answer is returned as JSON."""
    reports = receive_reports(rows=read_batch(body), holder=holder, seen=seen)
    if len(reports) > LOOKED_UP_AT_MOST:
        verdicts = record_and_judge(reports=reports, assess=assess)
    else:
        verdicts = _repeats_or_new(assess, reports)
    return _encoder.encode(_batch_answer(reports, verdicts))


def record_and_judge(*, reports: Sequence[NewReport], assess: Assess) -> list[Verdict]:
    """All reports are committed, or none; their verdicts are returned in order, in brief."""
    recorded = record_reports(reports=reports)
    verdicts = _judged(assess, recorded, complete=True, brief=True) if recorded else []
    _after_commit(recorded)
    return list(verdicts)


def _repeats_or_new(assess: Assess, reports: Sequence[NewReport]) -> list[Verdict]:
    lookup = find_answers(reports)
    answers = _undisputed_answers(reports, lookup.answers)
    verdicts = [None if found is None else _verdict.decode(found) for found in answers]
    new = [place for place, verdict in enumerate(verdicts) if verdict is None]
    count_lookups(reports, found=len(reports) - len(new))
    recorded = record_reports(reports=[reports[place] for place in new])
    judged = _judged(assess, recorded, complete=True) if recorded else []
    _after_commit(recorded)
    metrics.reports.labels("repeated").inc(len(reports) - len(new))
    kept = []
    lasts = last_of_each(reports) if new else []
    for place, report, verdict in zip(new, recorded, judged, strict=True):
        verdicts[place] = verdict
        if verdict.judged and lasts[place] and not report.corrected:
            kept.append((reports[place], _as_cached(_encoder.encode(verdict))))
    keep_answers(lookup.marks, kept)
    return [verdict for verdict in verdicts if verdict is not None]


def _undisputed_answers(
    reports: Sequence[NewReport], answers: list[bytes | None]
) -> list[bytes | None]:
    """Believe no answer to a row whose key another row has with another count: the last counts."""
    if not any(answers):
        return answers
    return [
        found if alone else None for found, alone in zip(answers, undisputed(reports), strict=True)
    ]


def _judged(
    assess: Assess, recorded: Sequence[RecordedReport], *, complete: bool, brief: bool = False
) -> Sequence[Verdict]:
    """Return verdicts; where there are none the answer says so, for the reports are committed."""
    try:
        return assess(recorded, complete=complete, brief=brief)
    except Exception:
        # An error here must not send the client back to report again what is already counted.
        logger.exception("%d recorded reports could not be judged at once.", len(recorded))
        metrics.unjudged.inc(len(recorded))
        return [unjudged(report, _UNJUDGED) for report in recorded]


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
    timestamps = written([report.timestamp for report in reports])
    rows: list[Any] = [
        BatchRow(
            timestamp=timestamp,
            is_anomaly=verdict.is_anomaly,
            alert_level=verdict.alert_level,
            score=verdict.anomaly_score,
            cached=verdict.cached,
            source=report.source.name,
            status=report.status,
            auth_code=report.auth_code,
        )
        for report, timestamp, verdict in zip(reports, timestamps, verdicts, strict=True)
    ]
    found = sum(row.is_anomaly for row in rows)
    return BatchAnswer(
        processed=len(rows),
        anomalies_found=found,
        anomaly_rate=round(found / len(rows), 4) if rows else 0.0,
        cache_hits=sum(row.cached for row in rows),
        results=rows,
    )
