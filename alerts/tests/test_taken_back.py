"""Counts that come late may show that there was no failure."""

import pytest

from alerts.messages import brief_of
from alerts.models import Incident, Notification
from alerts.services import absorb_anomalies, reopen, settle_incidents
from alerts.tests.makers import at, judge, live
from detection.models import Anomaly

pytestmark = pytest.mark.django_db


@pytest.fixture
def incident() -> Incident:
    """An incident of three minutes that was told."""
    live(3, bad={0, 1, 2})
    Notification.objects.update(state="sent")
    return Incident.objects.get()


def take_back(*minutes: int) -> None:
    moments = [at(minute) for minute in minutes]
    Anomaly.objects.filter(minute__in=moments).update(withdrawn=at(3))


def test_who_was_told_hears_at_once_that_there_was_none(incident: Incident) -> None:
    take_back(0, 1, 2)
    judge(3)
    absorb_anomalies(now=at(4))
    assert Notification.objects.get(state="pending").kind == "resolved"
    incident.refresh_from_db()
    ended = incident.events.get(kind="resolved")
    assert (incident.state, ended.why) == ("resolved", "all of its minutes were taken back")
    lines = [
        brief_of(incident, kind="resolved", language=language, now=at(4)).lines
        for language in ("en", "pt-br")
    ]
    assert lines == [
        ["Taken back: the corrected counts show nothing wrong"],
        ["Retirado: as contagens corrigidas não mostram nada de errado"],
    ]


def test_one_minute_that_stands_is_enough_to_go_on(incident: Incident) -> None:
    take_back(0, 2)
    judge(3)
    settle_incidents(now=at(4))
    incident.refresh_from_db()
    assert incident.state == "open"


def test_so_is_a_hand_that_reopened_it(incident: Incident) -> None:
    take_back(0, 1, 2)
    judge(3)
    settle_incidents(now=at(4))
    reopen(incident_id=incident.pk, actor="ana", via="web", now=at(5))
    settle_incidents(now=at(5.1))
    incident.refresh_from_db()
    assert incident.state == "open"


@pytest.mark.parametrize(("attempts", "told"), [(0, []), (1, ["resolved"])])
def test_who_was_not_told_yet_hears_nothing_of_it(
    attempts: int, told: list[str], incident: Incident
) -> None:
    Notification.objects.update(state="pending", attempts=attempts)
    take_back(0, 1, 2)
    judge(3)
    settle_incidents(now=at(4))
    waiting = Notification.objects.filter(state="pending")
    assert [row.kind for row in waiting] == told
