"""What we could not hear because we were away ourselves says nothing of the sources."""

import pytest

from alerts.models import Canary, Incident, Notification
from alerts.services import absorb_anomalies
from alerts.tests.makers import at, judge, make_anomaly

pytestmark = pytest.mark.django_db


def come_back(after: int) -> None:
    """Be there again at minute 0, so many minutes after the last report that came in."""
    for minute in (*range(-100, 1 - after), 0):
        Canary.objects.create(minute=at(minute), reported=at(minute))
    live(silent_in=(-1,), now=0.5)


def live(silent_in: tuple[int, ...], now: float) -> None:
    for minute in silent_in:
        make_anomaly(minute, family="silence", excess=-50.0, excess_high=-40.0)
        judge(minute)
    absorb_anomalies(now=at(now))


def test_a_source_that_reports_again_is_no_page() -> None:
    come_back(after=40)
    for minute in range(6):
        judge(minute)
    absorb_anomalies(now=at(6))
    incident = Incident.objects.get()
    why = "our own ingest is late: silence says nothing about the source"
    assert (incident.state, incident.events.get(kind="suppressed").why) == ("resolved", why)
    assert set(Notification.objects.values_list("state", flat=True)) == {"suppressed"}


def test_one_that_stays_silent_after_it_is() -> None:
    come_back(after=40)
    live(silent_in=(0,), now=1.5)
    assert not Notification.objects.filter(state="pending").exists()
    live(silent_in=(1,), now=2.5)
    assert Notification.objects.get(state="pending").kind == "opened"


def test_nor_does_a_canary_that_is_missed_once_hold_anything_back() -> None:
    come_back(after=2)
    assert Notification.objects.get(state="pending").kind == "opened"


def test_the_sums_that_still_hold_that_time_are_no_page_for_ten_minutes() -> None:
    come_back(after=40)
    low = {"family": "volume_low", "excess": -50.0, "excess_high": -40.0, "onset": at(-41)}
    for minute in (1, 10):
        make_anomaly(minute, **low)
        absorb_anomalies(now=at(minute + 1.5))
    assert not Notification.objects.filter(state="pending").exists()
    make_anomaly(11, **low)
    absorb_anomalies(now=at(12.5))
    assert Notification.objects.get(state="pending").kind == "opened"


def test_what_fell_long_before_we_went_away_is_told() -> None:
    come_back(after=40)
    low = {"family": "volume_low", "excess": -50.0, "excess_high": -40.0}
    make_anomaly(1, onset=at(-60), **low)
    absorb_anomalies(now=at(2.5))
    assert Notification.objects.get(state="pending").kind == "opened"
