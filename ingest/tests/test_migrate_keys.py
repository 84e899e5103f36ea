"""The keys of recorded rows: gone on PostgreSQL, there again after the way back, kept on SQLite."""

from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection

from ingest.models import Report, Source
from ingest.tests.makers import NOON, make_report, minute_counts, record

RECORDED = {"ingest_report", "ingest_transaction", "ingest_minutecount", "ingest_latehour"}


@pytest.fixture(autouse=True)
def _forward_again(database: str) -> Iterator[None]:
    yield
    migrate()


def migrate(*target: str) -> None:
    """Go back to a migration of ingest, with what rests on it; without one, forward with all."""
    call_command("migrate", *(("ingest", *target) if target else ()), verbosity=0)


def with_key() -> set[str]:
    """Return the tables of recorded rows that the database looks after."""
    with connection.cursor() as cursor:
        found = {table: connection.introspection.get_relations(cursor, table) for table in RECORDED}
    return {table for table, keys in found.items() if "source_id" in keys}


def test_forwards_and_backwards(database: str) -> None:
    record(make_report(5))
    assert with_key() == (RECORDED if database == "sqlite" else set())
    migrate("0003")
    assert with_key() == RECORDED
    migrate()
    assert with_key() == (RECORDED if database == "sqlite" else set())
    record(make_report(6, seconds=1))
    assert minute_counts() == {("default", NOON, "approved", "00"): 11}


def test_with_the_keys_of_before_a_source_that_is_gone_is_missed_too() -> None:
    report = make_report()
    Source.objects.all().delete()
    migrate("0003")
    with pytest.raises(IntegrityError):
        Report.objects.create(source_id=report.source.id, timestamp=NOON, status="denied", count=1)
    assert not Report.objects.exists()


@pytest.mark.parametrize(
    "database", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)
def test_the_way_back_looks_at_every_row() -> None:
    report = make_report()
    Report.objects.create(source_id=report.source.id + 1, timestamp=NOON, status="denied", count=1)
    with pytest.raises(IntegrityError):
        migrate("0003")
    Report.objects.all().delete()
    migrate("0003")
    assert with_key() == RECORDED
