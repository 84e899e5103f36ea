"""What the migrations make on the real extension: the same rows, in chunks."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from alerts.models import Incident
from alerts.services import absorb_anomalies
from alerts.tests.makers import make_anomaly
from deploy.timescaledb.hypertables import CUTS, cut
from detection.models import Anomaly, Band, SpecialDay
from detection.services.sweep import sweep_closed_minutes
from ingest.models import MinuteCount, Report, Source
from ingest.reports import NewReport
from ingest.services import record_reports, resolve_sources
from ingest.tests.makers import counts_of_rows, minute_counts

pytestmark = pytest.mark.timescale
HYPERTABLES = ["detection_anomaly", "detection_band", "ingest_minutecount", "ingest_report"]
# A fixed minute in the past, far from the edges of chunks and of daylight saving.
START = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
# Where one chunk of 28 days ends and the next one begins.
EDGE = datetime(1970, 1, 1, tzinfo=UTC) + 730 * timedelta(days=28)
MINUTE = timedelta(minutes=1)


def send(minute: int, count: int, status: str = "approved", start: datetime = START) -> None:
    source = resolve_sources(names=["shop"])["shop"]
    at = start + timedelta(minutes=minute)
    record_reports(reports=[NewReport(source=source, timestamp=at, status=status, count=count)])


def hypertables(cursor: Any) -> list[str]:
    cursor.execute("SELECT hypertable_name FROM timescaledb_information.hypertables")
    return sorted(name for (name,) in cursor.fetchall() if not name.startswith("_"))


def test_the_tables_of_time_are_hypertables(timescale: Any) -> None:
    assert hypertables(timescale) == HYPERTABLES


def test_no_foreign_key_points_at_a_hypertable(timescale: Any) -> None:
    timescale.execute(
        "SELECT conrelid::regclass::text FROM pg_constraint WHERE contype = 'f'"
        " AND confrelid::regclass::text = ANY(%s)",
        [HYPERTABLES],
    )
    assert timescale.fetchall() == []


def test_a_report_is_counted_repeated_and_corrected(timescale: Any) -> None:
    send(0, 5)
    send(0, 5)
    send(0, 7)
    assert Report.objects.values_list("count", "previous_count").get() == (7, 5)
    assert MinuteCount.objects.get().count == 7


def test_reports_of_a_year_lie_in_many_chunks(timescale: Any) -> None:
    for month in range(14):
        send(month * 28 * 1440, 1)
    timescale.execute("SELECT count(*) FROM show_chunks('ingest_report')")
    assert timescale.fetchone()[0] >= 13
    assert minute_counts() == counts_of_rows()


def test_a_report_of_a_minute_stored_by_columns_is_taken(timescale: Any) -> None:
    for minute in range(30):
        send(minute, 5)
    for table in ("ingest_report", "ingest_minutecount"):
        timescale.execute(f"SELECT compress_chunk(c) FROM show_chunks('{table}') AS c")
        assert timescale.fetchall()
    send(3, 9)
    send(40, 2)
    assert minute_counts() == counts_of_rows()
    assert sum(minute_counts().values()) == 29 * 5 + 9 + 2


def test_minutes_are_judged_and_judged_again(timescale: Any) -> None:
    now = timezone.now().replace(second=0, microsecond=0)
    begin = now - timedelta(minutes=200)
    for minute in range(190):
        send(minute, 100, start=begin)
        send(minute, 100 if minute > 180 else 3, "denied", start=begin)
    sweep_closed_minutes(now=now)
    assert Band.objects.count() >= 180
    found = set(Anomaly.objects.values_list("minute", "family"))
    assert any(family == "decline" for _minute, family in found)
    send(185, 3, "denied", start=begin)
    sweep_closed_minutes(now=now + timedelta(minutes=1))
    assert Anomaly.objects.filter(family="decline").count() > 0


def test_anomalies_become_incidents_minute_by_minute(timescale: Any) -> None:
    source = Source.objects.create(name="shop")
    # On both sides of a chunk's edge.
    for minute in (-1, 0, 1):
        make_anomaly(source=source, minute_at=EDGE + minute * MINUTE)
        absorb_anomalies(now=EDGE + (minute + 1) * MINUTE)
    timescale.execute("SELECT count(*) FROM show_chunks('detection_anomaly')")
    assert timescale.fetchone() == (2,)
    incident = Incident.objects.get()
    assert (incident.anomaly_count, incident.last_anomaly) == (3, EDGE + MINUTE)


def test_a_source_goes_with_its_judgements(timescale: Any) -> None:
    send(0, 5)
    source = Source.objects.get()
    Band.objects.create(source=source, minute=START)
    Anomaly.objects.create(
        source=source, minute=START, family="decline", level="WARNING", score=0.5
    )
    Report.objects.all().delete()
    MinuteCount.objects.all().delete()
    source.delete()
    assert not Band.objects.exists()
    assert not Anomaly.objects.exists()


def keys_of_sources(cursor: Any) -> int:
    cursor.execute(
        "SELECT count(*) FROM pg_constraint WHERE contype = 'f'"
        " AND confrelid = 'ingest_source'::regclass"
        " AND conrelid::regclass::text ~ 'ingest_report|ingest_minutecount|_hyper_[12]_'"
    )
    return int(cursor.fetchone()[0])


def test_keys_go_and_come_back_with_old_chunks_stored_by_columns(timescale: Any) -> None:
    for month in range(3):
        send(month * 28 * 1440, 5)
    timescale.execute("SELECT compress_chunk(c) FROM show_chunks('ingest_report') AS c LIMIT 1")
    assert timescale.fetchall()
    assert keys_of_sources(timescale) == 0
    call_command("migrate", "ingest", "0003", verbosity=0, skip_checks=True)
    assert keys_of_sources(timescale) > 2
    call_command("migrate", verbosity=0, skip_checks=True)
    assert keys_of_sources(timescale) == 0
    send(1, 5)
    assert sum(minute_counts().values()) == 20


def test_a_report_for_a_source_that_is_gone_is_refused(timescale: Any) -> None:
    send(0, 5)
    gone = resolve_sources(names=["gone"])["gone"]
    Source.objects.filter(name="gone").delete()
    with pytest.raises(IntegrityError):
        record_reports(reports=[NewReport(source=gone, timestamp=START, status="denied")])
    assert sum(minute_counts().values()) == 5


@pytest.mark.timeout(240)
def test_back_to_plain_tables_and_forward_again_keeps_every_row(timescale: Any) -> None:
    for day in range(20):
        send(day * 1440, day + 1)
    before = Report.objects.order_by("id").values_list()[:]
    rows = list(before)
    call_command("migrate", "detection", "0001", verbosity=0, skip_checks=True)
    call_command("migrate", "ingest", "0002", verbosity=0, skip_checks=True)
    assert hypertables(timescale) == []
    assert list(Report.objects.order_by("id").values_list()) == rows
    source, later = Source.objects.get(), START + timedelta(days=100)
    told = {"source": source, "status": "denied", "auth_code": "51", "count": 1}
    Report.objects.create(timestamp=later, **told)
    MinuteCount.objects.create(minute=later, **told)
    call_command("migrate", verbosity=0, skip_checks=True)
    assert hypertables(timescale) == HYPERTABLES
    assert Report.objects.count() == 21
    assert minute_counts() == counts_of_rows()


def plain_again() -> None:
    """As a backup of plain PostgreSQL is restored: plain tables, and nothing left to apply."""
    for target in (("detection", "0001"), ("ingest", "0002")):
        call_command("migrate", *target, verbosity=0, skip_checks=True)
    for target in (("ingest", "0003"), ("detection", "0002")):
        call_command("migrate", *target, fake=True, verbosity=0, skip_checks=True)
    call_command("migrate", verbosity=0, skip_checks=True)


@pytest.mark.timeout(240)
def test_the_extension_may_come_after_the_tables(timescale: Any) -> None:
    send(0, 5)
    plain_again()
    assert hypertables(timescale) == []
    when = {"starts": START, "ends": START + timedelta(days=1), "factor": 1.2}
    day = SpecialDay.objects.create(name="Payday", kind="payday", brought_by="a.yaml", **when)
    assert cut() == "They are hypertables now."
    assert hypertables(timescale) == HYPERTABLES
    assert Report.objects.get().count == 5
    day.refresh_from_db()
    assert day.brought_by == "a.yaml"
    day.delete()
    for minute in range(3):
        send(minute, 9)
    assert minute_counts() == counts_of_rows()
    assert cut() == "They are hypertables already."


@pytest.mark.timeout(240)
def test_cutting_that_broke_off_goes_on(timescale: Any) -> None:
    send(0, 5)
    plain_again()
    loader = MigrationLoader(connection)
    ingest: Any = loader.get_migration(*CUTS[0])
    ingest.operations = ingest.operations[:-3]
    with connection.schema_editor(atomic=False) as editor:
        ingest.apply(loader.project_state(), editor)
    assert cut() == "They are hypertables now."
    assert hypertables(timescale) == HYPERTABLES
    assert Report.objects.get().count == 5
