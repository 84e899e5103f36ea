"""A source is deleted while reports come in: whoever is first, no row is left without a source."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import ProtectedError

from ingest.models import LateMark, MinuteCount, Report, Source, Transaction
from ingest.postgresql.plans import PREPARE_AFTER
from ingest.recording import bulk, holding
from ingest.recording.holding import hold_recordings
from ingest.reports import NewReport
from ingest.tests.makers import NOON, make_report, record

Write = Callable[[NewReport], object]
pytestmark = pytest.mark.usefixtures("database")
# SQLite has one writer.
on_postgresql = pytest.mark.parametrize(
    "database", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)


@pytest.fixture
def other() -> Iterator[ThreadPoolExecutor]:
    """Give one thread with one connection of its own."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: connection.ensure_connection()).result()
        yield thread
        thread.submit(lambda: connection.close()).result()


def import_report(report: NewReport) -> None:
    row = (report.timestamp, report.status, report.auth_code, report.count)
    bulk.write(report.source.id, [row], NOON + timedelta(hours=2))


def plan_for_any_reports(source: str) -> None:
    """Record so often that this thread's connection plans no more; leave no rows."""
    for seconds in range(PREPARE_AFTER + 2):
        record(make_report(seconds=seconds, name=source))
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(generic_plans) FROM pg_prepared_statements")
        assert cursor.fetchone()[0] > 0
    for model in (LateMark, MinuteCount, Report):
        model.objects.all().delete()


def delete_by_row(source_id: int) -> None:
    Source.objects.get(pk=source_id).delete()


def delete_by_query(source_id: int) -> None:
    Source.objects.filter(pk=source_id).delete()


def until_it_waits(begun: "Future[Any]") -> None:
    """Return when another connection waits for this one."""
    while not begun.done():
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone() == (1,):
                return
        threading.Event().wait(0.001)


def orphans() -> int:
    known = Source.objects.values("pk")
    return sum(
        model.objects.exclude(source_id__in=known).count()
        for model in (Report, Transaction, MinuteCount, LateMark)
    )


@pytest.mark.parametrize("write", [record, import_report])
@pytest.mark.parametrize("delete", [delete_by_row, delete_by_query])
def test_one_that_reported_stays(write: Write, delete: Callable[[int], None]) -> None:
    report = make_report()
    write(report)
    with pytest.raises(ProtectedError):
        delete(report.source.id)
    MinuteCount.objects.all().delete()  # too old to be kept
    with pytest.raises(ProtectedError):
        delete(report.source.id)
    assert Source.objects.exists()


@on_postgresql
@pytest.mark.parametrize("external_id", ["", "t1"])
@pytest.mark.parametrize("delete", [delete_by_row, delete_by_query])
def test_what_is_being_recorded_is_waited_for(
    other: ThreadPoolExecutor, delete: Callable[[int], None], external_id: str
) -> None:
    report = make_report(external_id=external_id)
    with transaction.atomic():
        record(report)
        deleting = other.submit(delete, report.source.id)
        until_it_waits(deleting)
        assert not deleting.done()
    assert isinstance(deleting.exception(), ProtectedError)
    assert Source.objects.exists()
    assert orphans() == 0


@on_postgresql
@pytest.mark.parametrize("planned", [False, True])
@pytest.mark.parametrize("write", [record, import_report])
def test_what_comes_while_it_is_deleted_finds_it_gone(
    other: ThreadPoolExecutor, write: Write, planned: bool
) -> None:
    report = make_report()
    if planned:
        other.submit(plan_for_any_reports, report.source.name).result()
    with transaction.atomic():
        delete_by_row(report.source.id)
        recording = other.submit(write, report)
        until_it_waits(recording)
        assert not recording.done()
    assert isinstance(recording.exception(), IntegrityError)
    assert orphans() == 0


@on_postgresql
def test_what_comes_while_it_is_not_deleted_after_all_is_recorded(
    other: ThreadPoolExecutor,
) -> None:
    report = make_report()
    with transaction.atomic():
        delete_by_row(report.source.id)
        recording = other.submit(record, report)
        until_it_waits(recording)
        transaction.set_rollback(True)
    assert [one.changed for one in recording.result()] == [True]
    assert Report.objects.get().source.name == "default"


@on_postgresql
def test_nobody_waits_long_for_one_who_records_long(
    other: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holding, "_HOLD", holding._HOLD.replace("3s", "20ms"))
    report = make_report()
    with transaction.atomic():
        record(report)
        deleting = other.submit(delete_by_row, report.source.id)
        assert isinstance(deleting.exception(), OperationalError)


@on_postgresql
def test_its_other_waits_are_as_short_while_it_holds_them() -> None:
    def longest() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SHOW lock_timeout")
            [(found,)] = cursor.fetchall()
            return str(found)

    with transaction.atomic():
        hold_recordings()
        assert longest() == "3s"
    assert longest() == "0"
