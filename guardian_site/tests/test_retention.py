"""What is older than its setting goes, in pieces; the rest stays. On both databases."""

from datetime import datetime, timedelta

import pytest
from django.db import DatabaseError
from django.utils import timezone
from pytest_django import Settings

from detection.models import Anomaly, Band
from guardian_site.upkeep import retention as upkeep
from guardian_site.upkeep.retention import apply_retention
from ingest import retention
from ingest.models import MinuteCount, Report, Source, Transaction
from ingest.reports import NewReport
from ingest.services import record_reports, resolve_sources
from ingest.tests.conftest import database, postgresql_config, sqlite_config  # noqa: F401
from ingest.timescale import policies
from ingest.timescale.policies import Job

NOW = timezone.now()


def send(days: float, external_id: str = "") -> None:
    source = resolve_sources(names=["shop"])["shop"]
    at = NOW - timedelta(days=days)
    report = NewReport(source=source, timestamp=at, status="approved", external_id=external_id)
    record_reports(reports=[report])


def oldest() -> list[datetime]:
    return [
        model.objects.order_by(column).values_list(column, flat=True)[0]
        for model, column in ((Report, "timestamp"), (MinuteCount, "minute"))
    ]


@pytest.mark.usefixtures("database")
def test_reports_and_their_counts_go_together() -> None:
    for days in (1, 799, 801, 1000):
        send(days)
        send(days, external_id=f"t{days}")
    apply_retention(now=NOW)
    limit = NOW - timedelta(days=800, minutes=1)
    assert all(moment >= limit for moment in oldest())
    assert Report.objects.count() == Transaction.objects.count() == 2


@pytest.mark.usefixtures("database")
def test_judgements_have_settings_of_their_own(settings: Settings) -> None:
    settings.GUARDIAN_KEEP_ANOMALIES_DAYS = 20
    source = Source.objects.create(name="shop")
    for days in (1, 89, 91):
        minute = NOW - timedelta(days=days)
        Band.objects.create(source=source, minute=minute)
        Anomaly.objects.create(
            source=source, minute=minute, family="decline", level="WARNING", score=0.5
        )
    done = apply_retention(now=NOW)
    assert done.gone["detection_band"] == 1
    assert done.gone["detection_anomaly"] == 2
    Anomaly.objects.all().delete()
    Band.objects.all().delete()


@pytest.mark.usefixtures("database")
def test_many_rows_go_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "ROWS_AT_ONCE", 3)
    for days in range(900, 910):
        send(days)
    assert apply_retention(now=NOW).gone["ingest_report"] == 10
    assert not Report.objects.exists()


@pytest.mark.usefixtures("database")
def test_a_clock_that_is_years_ahead_costs_a_week_an_hour() -> None:
    for days in range(0, 800, 10):
        send(days, external_id=f"t{days}")
        send(days)
    for turn in range(1, 4):
        done = apply_retention(now=NOW + timedelta(days=5000, hours=turn), trusting=False)
        assert done.gone["ingest_report"] == done.gone["ingest_minutecount"] == 1
    assert Report.objects.count() == Transaction.objects.count() == 77


@pytest.mark.usefixtures("database")
def test_a_clock_that_is_right_is_no_reason_to_wait() -> None:
    for days in (799, 801, 805):
        send(days)
    assert apply_retention(now=NOW, trusting=False).gone["ingest_report"] == 2


@pytest.mark.usefixtures("database")
def test_what_may_be_kept_no_longer_goes_a_week_at_a_time(settings: Settings) -> None:
    for days in (20, 40, 41, 60):
        send(days)
    settings.GUARDIAN_KEEP_COUNTS_DAYS = 30
    gone = [apply_retention(now=NOW, trusting=False).gone["ingest_report"] for _ in range(4)]
    assert gone == [1, 2, 0, 0]
    assert Report.objects.count() == 1


@pytest.mark.usefixtures("database")
def test_it_stops_when_its_time_is_up() -> None:
    send(900)
    assert apply_retention(now=NOW, seconds=-1).gone["ingest_report"] == 0
    assert Report.objects.exists()


@pytest.mark.django_db
def test_a_job_that_fails_fails_the_turn_after_all_others_were_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ran: list[int] = []

    def run(job: Job) -> None:
        ran.append(job.id)
        if job.id == 1:
            raise DatabaseError("out of memory")

    tables = ("ingest_report", "ingest_minutecount")
    hour = timedelta(hours=1)
    due = [Job(i, "policy_compression", t, hour, "Failed", None) for i, t in enumerate(tables, 1)]
    monkeypatch.setattr(upkeep, "is_hypertable", lambda table: True)
    for name in ("keep_policies", "keep_refreshed", "keep_unpacking_freely"):
        monkeypatch.setattr(policies, name, lambda *_: None)
    monkeypatch.setattr(policies, "jobs", lambda: due)
    monkeypatch.setattr(policies, "run_job", run)
    with pytest.raises(upkeep.JobsFailed, match=r"policy_compression of ingest_report$"):
        apply_retention(now=NOW + timedelta(days=30))
    assert ran == [1, 2]


@pytest.mark.usefixtures("database")
def test_a_report_sent_again_while_the_old_go_changes_nothing() -> None:
    """Counts go before reports: in between, a repeat still finds what it repeats."""
    send(900)
    retention.forget_before(
        kept=retention.COUNTS, before=NOW - timedelta(days=800), deadline=float("inf")
    )
    send(900)
    assert not MinuteCount.objects.exists()
