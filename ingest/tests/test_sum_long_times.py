from datetime import timedelta

import pytest

from ingest.models import Source
from ingest.tests.makers import NOON, make_report, record
from ingest.timescale.aggregates import totals_between, totals_ever

HOUR = timedelta(hours=1)
pytestmark = pytest.mark.usefixtures("database")


def test_totals_are_those_of_the_minutes() -> None:
    record(make_report(3), make_report(4, "denied", seconds=7 * 3600), make_report(5, seconds=-60))
    assert totals_between(NOON, NOON + 8 * HOUR) == {"approved": 3, "denied": 4}
    assert totals_between(NOON, NOON + HOUR) == {"approved": 3}
    assert totals_ever() == {"approved": 8, "denied": 4}


def test_totals_of_some_sources_leave_the_others_out() -> None:
    record(make_report(3, name="a"), make_report(4, name="b"))
    some = [Source.objects.get(name="b").pk]
    assert totals_ever(some) == totals_between(NOON, NOON + 8 * HOUR, some) == {"approved": 4}
