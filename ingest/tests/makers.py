"""Plain makers of what ingest owns."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Sum

from ingest.assessment import Metrics, Verdict
from ingest.models import MinuteCount, Report, Transaction
from ingest.reports import NewReport, RecordedReport
from ingest.services import record_reports, resolve_sources

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def make_report(
    count: int = 1,
    status: str = "approved",
    *,
    seconds: float = 0,
    code: str = "00",
    name: str = "default",
    external_id: str = "",
    timed: bool = True,
    told: datetime | None = None,
) -> NewReport:
    return NewReport(
        source=resolve_sources(names=[name])[name],
        timestamp=NOON + timedelta(seconds=seconds),
        status=status,
        auth_code=code,
        count=count,
        external_id=external_id,
        timed=timed,
        told=told,
    )


def record(*reports: NewReport) -> list[RecordedReport]:
    return record_reports(reports=reports)


def make_body(**fields: Any) -> bytes:
    return json.dumps({"status": "approved", **fields}).encode()


def judge(
    reports: Sequence[RecordedReport], *, complete: bool, brief: bool = False
) -> list[Verdict]:
    """Judge by the count alone: over 1000 is too much."""
    return [
        Verdict(
            is_anomaly=report.count > 1000,
            alert_level="CRITICAL" if report.count > 1000 else "NORMAL",
            anomaly_score=0.9 if report.count > 1000 else 0.1,
            rule_violations=[],
            recommendation="Keep watching.",
            metrics=Metrics(
                current_count=report.count,
                status=report.status,
                auth_code=report.auth_code,
                total=sum(count for _status, _code, count in report.minute_counts),
            ),
        )
        for report in reports
    ]


MinuteSums = dict[tuple[str, datetime, str, str], int]


def minute_counts() -> MinuteSums:
    """Return what detection would read, without the keys at 0."""
    rows = MinuteCount.objects.exclude(count=0).order_by()
    found = rows.values_list("source__name", "minute", "status", "auth_code", "count")
    return {(name, at, status, code): count for name, at, status, code, count in found}


def counts_of_rows() -> MinuteSums:
    """Return the same, added up from the reports and transactions themselves."""
    sums: MinuteSums = {}
    for model in (Report, Transaction):
        fields = ("source__name", "timestamp", "status", "auth_code", "count")
        for name, at, status, code, count in model.objects.order_by().values_list(*fields):
            key = (name, at.replace(second=0, microsecond=0), status, code)
            sums[key] = sums.get(key, 0) + count
    return {key: count for key, count in sums.items() if count}


def total() -> int:
    return MinuteCount.objects.aggregate(total=Sum("count"))["total"] or 0
