"""What is old is stored by columns and then forgotten, as the settings say."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from deploy.timescaledb.tests.test_hypertables import send
from detection.models import Band
from guardian_site.upkeep.retention import apply_retention
from ingest.models import MinuteCount, Report, Source
from ingest.timescale.policies import jobs, run_job

pytestmark = pytest.mark.timescale


def ages(cursor: Any) -> dict[str, timedelta]:
    cursor.execute(
        "SELECT hypertable_name, (config->>'drop_after')::interval"
        " FROM timescaledb_information.jobs WHERE proc_name = 'policy_retention'"
    )
    return dict(cursor.fetchall())


def test_every_table_of_time_is_kept_as_long_as_its_setting_says(timescale: Any) -> None:
    days = {table: age.days for table, age in ages(timescale).items()}
    assert days == {
        "ingest_report": 800,
        "ingest_minutecount": 800,
        "ingest_minutetotal": 800,
        "ingest_hourcount": 1830,
        "detection_band": 90,
        "detection_anomaly": 400,
    }


def test_a_changed_setting_changes_the_job(timescale: Any, settings: Settings) -> None:
    settings.GUARDIAN_KEEP_BANDS_DAYS = 30
    apply_retention(now=timezone.now())
    assert ages(timescale)["detection_band"] == timedelta(days=30)
    settings.GUARDIAN_KEEP_BANDS_DAYS = 90
    apply_retention(now=timezone.now())
    assert ages(timescale)["detection_band"] == timedelta(days=90)


def test_old_chunks_go_and_new_ones_stay(timescale: Any) -> None:
    now = timezone.now()
    send(0, 1, start=now - timedelta(days=900))
    send(0, 2, start=now - timedelta(days=1))
    Band.objects.create(source=Source.objects.get(), minute=now - timedelta(days=120))
    done = apply_retention(now=now)
    assert done.gone["ingest_report"] == done.gone["ingest_minutecount"] == 1
    assert Report.objects.get().count == MinuteCount.objects.get().count == 2
    assert not Band.objects.exists()


def test_a_clock_that_is_years_ahead_costs_one_chunk_an_hour(timescale: Any) -> None:
    now = timezone.now()
    for days in (140, 100, 60, 20):
        send(0, days, start=now - timedelta(days=days))
    done = apply_retention(now=now + timedelta(days=5000), trusting=False)
    assert done.gone["ingest_report"] == done.gone["ingest_minutecount"] == 1
    assert sorted(Report.objects.values_list("count", flat=True)) == [20, 60, 100]


def test_jobs_that_never_ran_are_run(timescale: Any) -> None:
    send(0, 1, start=timezone.now() - timedelta(days=40))
    for job in jobs():
        run_job(job)
    timescale.execute(
        "SELECT count(*) FROM timescaledb_information.chunks"
        " WHERE is_compressed AND hypertable_name = 'ingest_report'"
    )
    assert timescale.fetchone()[0] == 1
    assert Report.objects.get().count == 1


def test_an_overdue_job_is_told(timescale: Any) -> None:
    done = apply_retention(now=timezone.now() + timedelta(days=30))
    assert "policy_refresh_continuous_aggregate ingest_hourcount" in done.jobs
    assert "policy_compression ingest_report" in done.jobs


def test_late_reports_may_unpack_again_after_a_restore(timescale: Any) -> None:
    setting = "timescaledb.max_tuples_decompressed_per_dml_transaction"
    timescale.execute(f"ALTER DATABASE postgres RESET {setting}")
    apply_retention(now=timezone.now())
    timescale.execute("SELECT unnest(setconfig) FROM pg_db_role_setting")
    assert (f"{setting}=0",) in timescale.fetchall()
