from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.parsing.moments import check_plausible, read_moment, written

SAO_PAULO, NEW_YORK, UTC_ZONE = (
    ZoneInfo(name) for name in ("America/Sao_Paulo", "America/New_York", "UTC")
)

READ = [
    ("2025-07-12T13:45:00Z", UTC_ZONE, "2025-07-12T13:45:00+00:00"),
    ("2025-07-12t13:45:00z", UTC_ZONE, "2025-07-12T13:45:00+00:00"),
    ("2025-07-12 13:45:00", UTC_ZONE, "2025-07-12T13:45:00+00:00"),
    ("2025-07-12T13:45", UTC_ZONE, "2025-07-12T13:45:00+00:00"),
    ("2025-07-12T13:45:00.5", UTC_ZONE, "2025-07-12T13:45:00.500000+00:00"),
    ("2025-07-12T13:45:00.123456789Z", UTC_ZONE, "2025-07-12T13:45:00.123456+00:00"),
    ("2025-07-12T13:45:00+03:00", UTC_ZONE, "2025-07-12T10:45:00+00:00"),
    ("2025-07-12T13:45:00-0330", UTC_ZONE, "2025-07-12T17:15:00+00:00"),
    ("2025-07-12T13:45:00+05", UTC_ZONE, "2025-07-12T08:45:00+00:00"),
    ("2025-07-12T13:45:00", SAO_PAULO, "2025-07-12T16:45:00+00:00"),
    ("2025-07-12T13:45:00Z", SAO_PAULO, "2025-07-12T13:45:00+00:00"),
    # Clocks set back in New York on 2025-11-02: 01:30 comes twice; files mean the first one.
    ("2025-11-02T00:59:59", NEW_YORK, "2025-11-02T04:59:59+00:00"),
    ("2025-11-02T01:30:00", NEW_YORK, "2025-11-02T05:30:00+00:00"),
    ("2025-11-02T02:00:00", NEW_YORK, "2025-11-02T07:00:00+00:00"),
    # The second one can be said with its offset.
    ("2025-11-02T01:30:00-05:00", NEW_YORK, "2025-11-02T06:30:00+00:00"),
    # Clocks set forward on 2025-03-09: no clock showed 02:30, so 03:30 is meant.
    ("2025-03-09T01:59:59", NEW_YORK, "2025-03-09T06:59:59+00:00"),
    ("2025-03-09T02:30:00", NEW_YORK, "2025-03-09T07:30:00+00:00"),
    ("2025-03-09T03:30:00", NEW_YORK, "2025-03-09T07:30:00+00:00"),
    # The last summer time of São Paulo ended on 2019-02-16 at midnight.
    ("2019-02-16T23:30:00", SAO_PAULO, "2019-02-17T01:30:00+00:00"),
    ("2019-02-17T00:30:00", SAO_PAULO, "2019-02-17T03:30:00+00:00"),
    # And began on 2018-11-04, when 00:30 was skipped.
    ("2018-11-04T00:30:00", SAO_PAULO, "2018-11-04T03:30:00+00:00"),
]

REFUSED = [
    "",
    "now",
    "2025-07-12",
    "13:45",
    "20250712T134500",
    "2025-W28-6T13:45",
    "2025-07-12T13",
    "2025-02-30T13:45:00",
    "2025-07-12T24:00:00",
    "2025-07-12T13:60:00",
    "2025-06-30T23:59:60Z",
    "2025-07-12T13:45:00+25:00",
    "2025-07-12T13:45:00 BRT",
    " 2025-07-12T13:45:00",
    "2025-07-12T13:45:00\n",
    "٢٠٢٥-07-12T13:45:00",
    "1752327900",
    "0001-01-01T00:00:00+14:00",
]


@pytest.mark.parametrize(("text", "zone", "instant"), READ)
def test_it_reads_a_time(text: str, zone: ZoneInfo, instant: str) -> None:
    moment = read_moment(text, zone)
    assert moment.isoformat() == instant
    assert moment.tzinfo is UTC


@pytest.mark.parametrize(
    ("told", "instant"),
    [
        ("2025-11-02T05:30:05", "2025-11-02T05:30:00+00:00"),
        ("2025-11-02T06:15:00", "2025-11-02T05:30:00+00:00"),
        ("2025-11-02T06:29:30", "2025-11-02T06:30:00+00:00"),
        ("2025-11-02T06:30:05", "2025-11-02T06:30:00+00:00"),
        ("2025-11-03T00:00:00", "2025-11-02T06:30:00+00:00"),
    ],
)
def test_an_hour_that_comes_twice_is_the_one_that_is_now(told: str, instant: str) -> None:
    now = datetime.fromisoformat(told).replace(tzinfo=UTC)
    assert read_moment("2025-11-02T01:30", NEW_YORK, now).isoformat() == instant
    assert read_moment("2025-03-09T02:30", NEW_YORK, now).isoformat() == "2025-03-09T07:30:00+00:00"


@pytest.mark.parametrize("text", REFUSED)
def test_it_refuses_what_is_not_a_time(text: str) -> None:
    with pytest.raises(ValueError, match=r"must be|calendar"):
        read_moment(text, UTC_ZONE)


def test_the_future_is_refused_beyond_what_is_allowed() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    check_plausible(now, latest=now)
    with pytest.raises(ValueError, match="5 min"):
        check_plausible(now + timedelta(minutes=5), latest=now)


def test_times_before_computers_are_refused() -> None:
    with pytest.raises(ValueError, match="1970"):
        check_plausible(datetime(1969, 12, 31, tzinfo=UTC), latest=datetime.now(UTC))


@given(st.lists(st.datetimes(timezones=st.just(UTC))))
def test_many_are_written_as_each_writes_itself(moments: list[datetime]) -> None:
    assert written(moments) == [moment.isoformat() for moment in moments]
