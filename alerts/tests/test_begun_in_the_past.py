"""A failure that began in minutes too old to call anybody for, and goes on."""

import pytest

from alerts.models import Incident, Notification
from alerts.selectors.statistics import period_statistics
from alerts.services import absorb_anomalies
from alerts.tests.makers import at, judge, make_anomaly

pytestmark = pytest.mark.django_db


def catch_up(*minutes: int, level: str = "CRITICAL") -> None:
    """Judge at minute 20 what happened while nobody judged: up to minute 5 it is too old."""
    for minute in minutes:
        make_anomaly(minute, past=minute <= 5, onset=at(0), level=level)
        judge(minute)
    absorb_anomalies(now=at(20))


def test_it_is_one_incident_that_is_told() -> None:
    catch_up(*range(1, 20))
    incident = Incident.objects.get()
    assert (incident.historical, incident.state, incident.opened) == (False, "open", at(20))
    assert (incident.first_anomaly, incident.last_anomaly) == (at(1), at(19))
    assert (incident.anomaly_count, incident.resolved) == (19, None)
    assert [event.kind for event in incident.events.all()] == ["recorded", "opened"]
    assert Notification.objects.get().kind == "opened"
    assert period_statistics(now=at(30), since=at(-60)).total.incidents == 1


def test_what_was_quiet_between_is_another() -> None:
    catch_up(1, 2, 3, 15)
    assert [one.historical for one in Incident.objects.order_by("onset", "id")] == [True, False]


def test_so_is_what_somebody_has_closed() -> None:
    make_anomaly(4, past=True)
    absorb_anomalies(now=at(19))
    Incident.objects.update(state="closed", resolved_by="ana")
    catch_up(6)
    assert Incident.objects.count() == 2
