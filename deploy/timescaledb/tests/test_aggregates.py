"""Sums by hour and day on the real extension agree with the minutes, late reports included."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from deploy.timescaledb.tests.test_hypertables import send
from guardian_site.upkeep.forgetting import forget_source
from ingest.models import MinuteCount, Source
from ingest.reports import NewReport
from ingest.services import record_reports, resolve_sources
from ingest.timescale.aggregates import totals_between, totals_ever
from ingest.timescale.policies import jobs, run_job

pytestmark = pytest.mark.timescale
YESTERDAY = timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(days=1)


def refresh() -> None:
    for job in jobs():
        if job.kind == "policy_refresh_continuous_aggregate":
            run_job(job)


def summed(cursor: Any, view: str) -> int:
    cursor.execute(f"SELECT coalesce(sum(count), 0)::bigint FROM {view}")
    return int(cursor.fetchone()[0])


@pytest.mark.parametrize("view", ["ingest_minutetotal", "ingest_hourcount", "ingest_daycount"])
def test_what_is_new_is_summed_when_asked(timescale: Any, view: str) -> None:
    for minute in range(0, 60, 7):
        send(minute, 2, start=timezone.now() - timedelta(minutes=90))
    assert summed(timescale, view) == 18


def test_a_refresh_changes_no_sum_and_stores_rows(timescale: Any) -> None:
    for minute in range(0, 600, 7):
        send(minute, 2, start=YESTERDAY)
    before = totals_ever()
    refresh()
    timescale.execute(
        "SELECT format('%I.%I', materialization_hypertable_schema,"
        " materialization_hypertable_name) FROM timescaledb_information.continuous_aggregates"
        " WHERE view_name = 'ingest_hourcount'"
    )
    [(stored,)] = timescale.fetchall()
    assert summed(timescale, stored) > 0
    assert totals_ever() == before == {"approved": 172}


def test_a_late_report_is_in_after_the_next_refresh(timescale: Any) -> None:
    for minute in range(0, 600, 7):
        send(minute, 2, start=YESTERDAY)
    refresh()
    send(61, 1000, start=YESTERDAY)
    refresh()
    since = YESTERDAY + timedelta(hours=1)
    timescale.execute(
        "SELECT status, auth_code, count FROM ingest_hourcount WHERE hour = %s", [since]
    )
    assert timescale.fetchall() == [("approved", "00", 1000 + 9 * 2)]


def sources_of(cursor: Any, view: str) -> set[int]:
    cursor.execute(f"SELECT DISTINCT source_id FROM {view}")
    return {source_id for (source_id,) in cursor.fetchall()}


def test_a_source_that_is_forgotten_leaves_no_sum(timescale: Any) -> None:
    kept = resolve_sources(names=["kept"])["kept"]
    record_reports(reports=[NewReport(source=kept, timestamp=YESTERDAY, status="approved")])
    for day in range(3):
        send(-day * 1440, 2, start=YESTERDAY)
    refresh()
    shop = Source.objects.get(name="shop")
    assert sources_of(timescale, "ingest_daycount") == {kept.id, shop.pk}
    forget_source(source=shop, by="ana", now=timezone.now())
    for view in ("ingest_hourcount", "ingest_daycount"):
        assert sources_of(timescale, view) == {kept.id}
    refresh()
    assert totals_ever() == {"approved": 1}


def test_totals_over_part_hours_are_those_of_the_minutes(timescale: Any) -> None:
    for minute in range(0, 600, 7):
        send(minute, minute, start=YESTERDAY)
    refresh()
    since, until = YESTERDAY + timedelta(minutes=25), YESTERDAY + timedelta(minutes=551)
    rows = MinuteCount.objects.filter(minute__gte=since, minute__lt=until)
    assert totals_between(since, until) == {"approved": sum(row.count for row in rows)}
    assert totals_between(since, until, []) == {}


def test_a_day_is_the_sum_of_its_hours(timescale: Any) -> None:
    for minute in range(0, 2880, 60):
        send(minute, 1)
    refresh()
    timescale.execute("SELECT day, count FROM ingest_daycount ORDER BY day")
    assert timescale.fetchall() == [
        (datetime(2026, 3, 4, tzinfo=UTC), 12),
        (datetime(2026, 3, 5, tzinfo=UTC), 24),
        (datetime(2026, 3, 6, tzinfo=UTC), 12),
    ]
