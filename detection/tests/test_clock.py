"""The daily pattern follows the source's own clock, across daylight saving too."""

from datetime import UTC, datetime

from detection.clock import minute_of, moment_of, offset_of
from detection.selectors.declarations import Declarations
from detection.services.lockstep import Asking


def at(text: str) -> int:
    return minute_of(datetime.fromisoformat(text).replace(tzinfo=UTC))


def test_minutes_and_moments_are_the_same_thing() -> None:
    moment = datetime(2026, 3, 8, 7, 1, tzinfo=UTC)
    assert moment_of(minute_of(moment)) == moment


def test_the_offset_changes_when_the_clock_does() -> None:
    zone = "America/New_York"
    assert offset_of(zone, at("2026-03-08T06:59")) == -300
    assert offset_of(zone, at("2026-03-08T07:00")) == -240


def test_noon_is_noon_before_and_after_daylight_saving() -> None:
    minutes = [at("2026-03-07T17:00"), at("2026-03-08T16:00")]
    asking = Asking([1, 1], ["America/New_York"] * 2, minutes, [None, None], [True, True])
    moments = asking.moments(Declarations())
    assert moments.minute_of_day.tolist() == [720, 720]
    assert moments.utc_minute.tolist() == minutes


def test_a_zone_with_a_quarter_hour_is_followed() -> None:
    assert offset_of("Asia/Kathmandu", at("2026-03-08T00:00")) == 345
