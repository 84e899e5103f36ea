from datetime import timedelta

import pytest

from ingest.models import Source
from ingest.selectors import counts_between, minute_rows, minute_spans, totals_by_status
from ingest.tests.makers import NOON, make_report, record

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def reports() -> None:
    record(
        make_report(5, name="a"),
        make_report(2, "denied", code="51", name="a"),
        make_report(7, seconds=60, name="a"),
        make_report(9, seconds=3600, name="a"),
        make_report(4, seconds=60, name="b"),
    )


def pk(name: str) -> int:
    return Source.objects.get(name=name).pk


def test_counts_of_one_source_come_in_order_without_the_end() -> None:
    minute = timedelta(minutes=1)
    assert counts_between(pk("a"), NOON, NOON + HOUR) == [
        (NOON, "approved", "00", 5),
        (NOON, "denied", "51", 2),
        (NOON + minute, "approved", "00", 7),
    ]


def test_rows_of_many_sources_come_source_by_source() -> None:
    rows = list(minute_rows([pk("b"), pk("a")], NOON, NOON + 2 * HOUR))
    assert [row[0] for row in rows] == sorted([pk("a")] * 4 + [pk("b")])
    assert [row[4] for row in rows if row[0] == pk("a")] == [5, 2, 7, 9]


def test_rows_of_no_source_are_none() -> None:
    assert list(minute_rows([], NOON, NOON + HOUR)) == []


def test_totals_name_all_six_statuses() -> None:
    totals = totals_by_status(NOON, NOON + HOUR)
    assert totals == {
        "approved": 16,
        "denied": 2,
        "failed": 0,
        "reversed": 0,
        "backend_reversed": 0,
        "refunded": 0,
    }


def test_totals_may_be_of_one_source() -> None:
    source = Source.objects.get(name="b")
    assert totals_by_status(NOON, NOON + HOUR, source)["approved"] == 4


def test_the_first_and_last_minute_of_each_source_are_known() -> None:
    spans = minute_spans()
    assert spans[pk("a")] == (NOON, NOON + HOUR)
    assert minute_spans([pk("b")]) == {pk("b"): (NOON + timedelta(minutes=1),) * 2}
