import pytest
from django.core.exceptions import ValidationError

from alerts import tasks
from alerts.models import Channel, EscalationPolicy, EscalationStep, Incident, Notification
from alerts.selectors.outbox import oldest_pending_age
from alerts.services import (
    absorb_anomalies,
    acknowledge,
    escalate_incidents,
    hand_over_stuck,
    send_due_notifications,
)
from alerts.tests.makers import at, judge, make_channel, open_incident
from alerts.tests.standin import Answer, StandIn

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def main(vendor: StandIn) -> Channel:
    """A channel with a backup that has a critical message to tell."""
    backup = make_channel("backup", standby=True)
    configuration = {"api": vendor.url, "token": "1:A", "chat_id": "1"}
    found = make_channel("main", "telegram", configuration=configuration, backup=backup)
    open_incident()
    return found


def live(until: int, since: int = 1) -> list[str]:
    """Live through minutes as the beat would; return what the backup was told."""
    for minute in range(since, until + 1):
        send_due_notifications(now=at(minute))
        hand_over_stuck(now=at(minute))
    told = Notification.objects.filter(channel__name="backup", state="sent")
    return list(told.order_by("id").values_list("kind", flat=True))


def test_a_vendor_that_asks_to_wait_keeps_nothing_from_the_backup(vendor: StandIn) -> None:
    refusal = {"ok": False, "error_code": 429, "parameters": {"retry_after": 1800}}
    vendor.usual = Answer(429, refusal)
    assert live(3) == []
    assert live(20) == ["opened"]


def test_nor_does_who_switches_the_channel_off(main: Channel) -> None:
    Channel.objects.filter(pk=main.pk).update(enabled=False)
    assert live(20) == ["opened"]
    assert Notification.objects.get(channel__name="backup").reason == (
        "stuck in main: not sent by now"
    )


def test_the_beat_looks_for_what_is_stuck(main: Channel) -> None:
    Channel.objects.filter(pk=main.pk).update(enabled=False)
    tasks.send_due_notifications()
    assert Notification.objects.filter(channel__name="backup").exists()


def test_nobody_waits_for_what_is_switched_off(main: Channel) -> None:
    send_due_notifications(now=at(1))
    Channel.objects.filter(pk=main.pk).update(enabled=False)
    Notification.objects.filter(channel=main).update(state="pending")
    assert oldest_pending_age(at(60)) is None


def test_an_end_is_told_to_the_backup_once(vendor: StandIn) -> None:
    vendor.usual = Answer(500)
    for minute in range(12):
        judge(minute)
        absorb_anomalies(now=at(minute + 0.6))
        told = live(minute + 1, since=minute + 1)
    assert told == ["opened", "resolved"]
    assert Incident.objects.get().state == "resolved"


def test_so_is_a_reminder(main: Channel) -> None:
    Channel.objects.filter(pk=main.pk).update(paused_until=at(90))
    policy = EscalationPolicy.objects.create(name="all", remind_after_minutes=10)
    second = make_channel("second", standby=True)
    EscalationStep.objects.create(policy=policy, position=1, after_minutes=60, channel=second)
    live(5)
    incident = Incident.objects.get()
    Notification.objects.filter(channel=main).update(state="sent")
    acknowledge(incident_id=incident.pk, actor="ana", via="web", now=at(5))
    escalate_incidents(now=at(15))
    assert live(20, since=15) == ["opened", "reminder"]


def test_two_that_back_each_other_up_are_asked_once_each(main: Channel, vendor: StandIn) -> None:
    Channel.objects.filter(pk=main.pk).update(paused_until=at(60))
    other = main.backup
    assert other is not None
    Channel.objects.filter(pk=other.pk).update(backup=main, paused_until=at(60))
    live(20)
    assert Notification.objects.filter(channel__name__in=("main", "backup")).count() == 2


def test_a_warning_waits_for_its_own_channel(main: Channel) -> None:
    Incident.objects.all().delete()
    Channel.objects.filter(pk=main.pk).update(paused_until=at(60))
    open_incident(family="reversal", level="WARNING")
    assert live(20) == []


def test_a_channel_that_may_send_nothing_is_refused(main: Channel) -> None:
    main.per_minute = 0
    with pytest.raises(ValidationError, match="per_minute"):
        main.full_clean()
