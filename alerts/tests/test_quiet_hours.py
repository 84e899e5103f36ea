from datetime import time
from typing import Any

import pytest

from alerts.models import Channel, EscalationPolicy, EscalationStep, Incident, Notification
from alerts.services import (
    absorb_anomalies,
    acknowledge,
    escalate_incidents,
    resolve,
    send_due_notifications,
)
from alerts.tests.makers import at, make_anomaly, make_channel, open_incident
from alerts.tests.standin import Answer, StandIn

pytestmark = pytest.mark.django_db
BY: Any = {"actor": "ana", "via": "web"}


@pytest.fixture(autouse=True)
def phone(vendor: StandIn) -> Channel:
    """A phone with quiet hours from four past twelve, told of a warning before they began."""
    vendor.usual = Answer(body={"ok": True, "result": {"message_id": 5}})
    found = make_channel(
        "phone",
        "telegram",
        configuration={"api": vendor.url, "token": "1:A", "chat_id": "1"},
        quiet_from=time(12, 4),
        quiet_until=time(20),
    )
    policy = EscalationPolicy.objects.create(
        name="warnings", minimum_level="WARNING", remind_after_minutes=1
    )
    second = make_channel("second", standby=True)
    EscalationStep.objects.create(policy=policy, position=1, after_minutes=60, channel=second)
    open_incident(level="WARNING")
    send_due_notifications(now=at(3.9))
    acknowledge(incident_id=Incident.objects.get().pk, now=at(4.1), **BY)
    return found


def state_of(kind: str) -> str:
    return Notification.objects.get(channel__name="phone", kind=kind).state


def test_an_edit_makes_no_sound_and_waits_for_no_morning() -> None:
    send_due_notifications(now=at(4.5))
    assert state_of("updated") == "sent"


def test_critical_passes_what_waits_for_the_morning() -> None:
    send_due_notifications(now=at(4.5))
    escalate_incidents(now=at(5.2))
    make_anomaly(5)
    absorb_anomalies(now=at(5.5))
    send_due_notifications(now=at(6))
    assert (state_of("reminder"), state_of("escalated")) == ("pending", "sent")


def test_nobody_is_reminded_in_the_morning_of_what_was_over_at_night() -> None:
    send_due_notifications(now=at(4.5))
    escalate_incidents(now=at(5.2))
    make_anomaly(5)
    absorb_anomalies(now=at(5.5))
    send_due_notifications(now=at(6))
    resolve(incident_id=Incident.objects.get().pk, now=at(7), **BY)
    send_due_notifications(now=at(7))
    assert (state_of("resolved"), state_of("reminder")) == ("sent", "suppressed")
