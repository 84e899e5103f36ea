"""A silence that begins while messages wait, or after some were told."""

from datetime import time
from typing import Any

import pytest

from alerts import services
from alerts.models import Incident, Notification
from alerts.services import absorb_anomalies
from alerts.tests.makers import at, live, make_channel, open_incident

pytestmark = pytest.mark.django_db


@pytest.fixture
def warned() -> Incident:
    """A warning, for which a channel of the night waits until two hours later."""
    make_channel("night", quiet_from=time(11), quiet_until=time(14))
    return open_incident(level="WARNING")


def silence(incident: Incident, minute: float) -> None:
    """Silence the incident for eight hours."""
    by: Any = {"incident_id": incident.pk, "actor": "ana", "via": "web"}
    services.silence_incident(minutes=480, now=at(minute), **by)


def test_what_waits_already_is_held_back(warned: Incident) -> None:
    silence(warned, 1)
    for minute in (4, 121, 480):
        absorb_anomalies(now=at(minute))
        assert services.send_due_notifications(now=at(minute)) == []
    assert warned.events.filter(kind="suppressed").count() == 1
    absorb_anomalies(now=at(481.5))
    services.send_due_notifications(now=at(485))
    told = Notification.objects.filter(state="sent")
    assert [row.kind for row in told] == ["opened", "opened"]


def test_who_heard_of_it_before_hears_nothing_new_after_it(warned: Incident) -> None:
    services.send_due_notifications(now=at(4))
    silence(warned, 5)
    services.send_due_notifications(now=at(121))
    absorb_anomalies(now=at(485.5))
    waiting = Notification.objects.filter(state="pending")
    assert [row.channel.name for row in waiting] == ["night"]


def test_who_heard_of_it_before_sees_who_acknowledged_it() -> None:
    make_channel("night", quiet_from=time(11), quiet_until=time(14))
    make_channel("chat", "telegram", configuration={"chat_id": "1", "token": "x"})
    incident = open_incident(level="WARNING")
    Notification.objects.exclude(channel__name="night").update(state="sent")
    silence(incident, 5)
    services.send_due_notifications(now=at(121))
    services.acknowledge(incident_id=incident.pk, actor="ana", via="web", now=at(122))
    waiting = Notification.objects.get(state="pending")
    assert (waiting.channel.name, waiting.kind) == ("chat", "updated")


def test_what_was_sent_again_by_hand_passes_a_silence() -> None:
    services.create_silence(ends=at(60), actor="ana", now=at(0), reason="known")
    open_incident()
    held = Notification.objects.get()
    services.resend(notification_id=held.pk, actor="bo", now=at(1))
    assert services.send_due_notifications(now=at(1)) == [held.pk]


def test_what_was_told_as_over_and_returned_within_it_is_back_again() -> None:
    live(12, bad={0})
    Notification.objects.update(state="sent")
    services.create_silence(ends=at(20), actor="ana", now=at(12), reason="known")
    live(8, bad=set(range(12, 20)), first=12)
    assert Notification.objects.get(state="pending").kind == "reopened"
