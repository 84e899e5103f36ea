"""Recording reports: all of them or none, and the counts per minute moved with them."""

from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.db import connection
from msgspec.structs import replace

from ingest import metrics, steady_clock
from ingest.insisting import insisting
from ingest.recording import postgresql, sqlite
from ingest.recording.outcome import (
    Assembly,
    ReportKey,
    TransactionKey,
    report_key,
    transaction_key,
)
from ingest.reports import NewReport, RecordedReport

MINUTE = timedelta(minutes=1)
_on_postgresql, _on_sqlite = insisting(postgresql.write), insisting(sqlite.write)


def record_reports(*, reports: Sequence[NewReport]) -> list[RecordedReport]:
    """All reports are committed, counted once each, and returned with their minutes' counts.

    A transaction of a stream is left out if a later word on it is stored already.
    """
    if not reports:
        return []
    aggregated, individual = _distinct(reports)
    late_before = steady_clock.now() - MINUTE - timedelta(seconds=settings.GUARDIAN_GRACE_SECONDS)
    write = _on_postgresql if connection.vendor == "postgresql" else _on_sqlite
    with metrics.commit_seconds.time():
        outcome = write(aggregated, individual, late_before)
    assembly = Assembly(outcome)
    some_twice = len(aggregated) + len(individual) < len(reports)
    if reports[0].told is not None:
        reports = [report for report in reports if not assembly.is_overtaken(report)]
    recorded = [assembly.recorded(report) for report in reports]
    return _moving_once(reports, recorded) if some_twice else recorded


def _distinct(reports: Sequence[NewReport]) -> tuple[list[NewReport], list[NewReport]]:
    """Keep one report per key: the last one; those without a time of their own add up."""
    aggregated: dict[ReportKey, NewReport] = {}
    individual: dict[TransactionKey, NewReport] = {}
    for report in reports:
        if report.external_id:
            id_key = transaction_key(report)
            individual[id_key] = _timed_by(report, individual.get(id_key))
        else:
            key = report_key(report)
            aggregated[key] = _added_to(report, aggregated.get(key))
    return list(aggregated.values()), list(individual.values())


def _moving_once(
    reports: Sequence[NewReport], recorded: Sequence[RecordedReport]
) -> list[RecordedReport]:
    """Of reports with the same key, mark as changed only those that make up the stored count."""
    found, replaced = [], set[ReportKey | TransactionKey]()
    for key, report, one in reversed(list(zip(_keys(reports), reports, recorded, strict=True))):
        found.append(replace(one, changed=False, corrected=False) if key in replaced else one)
        if report.external_id or report.timed:
            replaced.add(key)
    return found[::-1]


def last_of_each(reports: Sequence[NewReport]) -> list[bool]:
    """Tell for each report whether it is the last word on its key among these reports."""
    keys = _keys(reports)
    last = dict(zip(keys, reports, strict=True))
    return [last[key] == report for key, report in zip(keys, reports, strict=True)]


def undisputed(reports: Sequence[NewReport]) -> list[bool]:
    """Tell for each report whether all others with its key, among these, say the same."""
    keys = _keys(reports)
    last = dict(zip(keys, reports, strict=True))
    disputed = {key for key, report in zip(keys, reports, strict=True) if last[key] != report}
    return [key not in disputed for key in keys]


def _keys(reports: Sequence[NewReport]) -> list[ReportKey | TransactionKey]:
    return [transaction_key(one) if one.external_id else report_key(one) for one in reports]


def _timed_by(report: NewReport, earlier: NewReport | None) -> NewReport:
    if earlier is None or report.timed or not earlier.timed:
        return report
    return replace(report, timestamp=earlier.timestamp, timed=True)


def _added_to(report: NewReport, earlier: NewReport | None) -> NewReport:
    if earlier is None or report.timed:
        return report
    return replace(report, count=report.count + earlier.count, timed=earlier.timed)
