"""Marks of late hours: one for each recording, claimed together, and none between release and
release lost."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import connections, transaction

from ingest.models import LateHour, LateMark, Source
from ingest.services import claim_late_hours, late_hours
from ingest.tests.makers import NOON, make_report, record

pytestmark = pytest.mark.usefixtures("database")
HOUR = timedelta(hours=1)


@pytest.fixture
def _forward_again(database: str) -> Iterator[None]:
    yield
    call_command("migrate", verbosity=0)


def claim(limit: int = 10) -> list[datetime]:
    return [hour for _source, hour in claim_late_hours(limit=limit)]


def test_marks_of_an_hour_are_claimed_as_one() -> None:
    for seconds in range(5):
        record(make_report(seconds=seconds))
    assert LateMark.objects.count() == 5
    assert claim() == [NOON]
    assert not LateMark.objects.exists()


def test_an_hour_that_changes_once_it_is_claimed_is_marked_again() -> None:
    record(make_report(5))
    claim()
    record(make_report(6))
    assert claim() == [NOON]


def test_what_is_left_unclaimed_keeps_all_its_marks() -> None:
    record(*(make_report(seconds=3600 * hour) for hour in range(3)))
    record(*(make_report(6, seconds=3600 * hour) for hour in range(3)))
    assert claim(limit=2) == [NOON, NOON + HOUR]
    assert LateMark.objects.count() == 2
    assert claim() == [NOON + 2 * HOUR]


def test_the_oldest_marks_are_looked_at_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(late_hours, "MARKS_AT_ONCE", 2)
    for place, hour in enumerate((4, 4, 0, 4, 1)):
        record(make_report(seconds=3600 * hour + place))
    assert claim() == [NOON + 4 * HOUR]
    assert LateMark.objects.count() == 2
    assert [claim(), claim()] == [[NOON, NOON + HOUR], []]


@pytest.mark.parametrize(
    "database", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)
def test_who_claims_beside_another_waits_and_gets_other_hours(database: str) -> None:
    for hour in range(2):
        record(make_report(seconds=3600 * hour))
    with ThreadPoolExecutor(1) as beside:
        with transaction.atomic():
            assert claim(limit=1) == [NOON]
            other = beside.submit(claim, limit=1)
            with pytest.raises(TimeoutError):
                other.result(0.5)
        assert other.result(10) == [NOON + HOUR]
        beside.submit(connections.close_all).result()


def test_hours_that_the_release_before_marked_are_claimed_too() -> None:
    source = Source.objects.get(pk=make_report().source.id)
    LateHour.objects.bulk_create(
        LateHour(source=source, hour=NOON - hour * HOUR) for hour in (1, 2, 3)
    )
    record(make_report())
    assert claim(limit=2) == [NOON - 3 * HOUR, NOON - 2 * HOUR]
    assert claim(limit=2) == [NOON - HOUR, NOON]
    assert claim() == []


@pytest.mark.usefixtures("_forward_again")
def test_on_the_way_back_the_release_before_finds_the_hours() -> None:
    record(make_report(), make_report(seconds=3600))
    record(make_report(6))
    call_command("migrate", "ingest", "0005", verbosity=0)
    assert [late.hour for late in LateHour.objects.all()] == [NOON, NOON + HOUR]
