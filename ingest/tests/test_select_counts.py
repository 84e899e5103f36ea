from datetime import timedelta

import pytest

from ingest.models import Source
from ingest.selectors import minute_rows
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


def test_rows_of_many_sources_come_source_by_source() -> None:
    rows = list(minute_rows([pk("b"), pk("a")], NOON, NOON + 2 * HOUR))
    assert [row[0] for row in rows] == sorted([pk("a")] * 4 + [pk("b")])
    assert [row[4] for row in rows if row[0] == pk("a")] == [5, 2, 7, 9]


def test_rows_of_no_source_are_none() -> None:
    assert list(minute_rows([], NOON, NOON + HOUR)) == []
