"""One message in Slack for each incident, whatever dies or is refused on the way."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from alerts import conf
from alerts.channels import adapter_of
from alerts.models import Channel, Incident, Notification
from alerts.services import (
    absorb_anomalies,
    acknowledge,
    mitigate,
    resolve,
    send_due_notifications,
)
from alerts.services.sending import lease_next, outgoing
from alerts.tests.makers import at, judge, make_anomaly, make_channel, make_source
from alerts.tests.standin import Answer, Asked, StandIn

pytestmark = pytest.mark.django_db


class Room:
    """Slack's channel as people see it: messages in their order, and what was said in threads."""

    def __init__(self, vendor: StandIn) -> None:
        self.messages: dict[str, dict[str, Any]] = {}
        self.replies: list[str] = []
        self.asked = 0
        self.refusal: Answer | None = None
        vendor.usual = self.answer

    def answer(self, asked: Asked) -> Answer:
        self.asked += 1
        if self.refusal is not None:
            return self.refusal
        if asked.path.startswith("/conversations."):
            return Answer(body={"ok": True, "messages": list(self.messages.values())[::-1]})
        body = asked.json
        if "thread_ts" in body:
            self.replies.append(body["text"].split(":")[0])
            return Answer(body={"ok": True, "ts": "r"})
        stamp = body.get("ts") or f"{len(self.messages) + 1}.0"
        self.messages[stamp] = {**self.messages.get(stamp, {}), **body, "ts": stamp}
        return Answer(body={"ok": True, "ts": stamp})

    @property
    def shown(self) -> list[str]:
        return [message["text"] for message in self.messages.values()]


@pytest.fixture
def room(vendor: StandIn) -> Room:
    configuration = {"api": vendor.url, "token": "xoxb-1", "channel": "C1"}
    make_channel("room", "slack_bot", configuration=configuration)
    return Room(vendor)


def channel() -> Channel:
    return Channel.objects.get(name="room")


def open_and_resolve() -> Iterator[None]:
    """Open an incident; resolve it when asked to go on."""
    make_anomaly()
    absorb_anomalies(now=at(1))
    yield
    resolve(incident_id=Incident.objects.get().pk, actor="ana", via="web", now=at(2))
    yield


def test_a_sender_that_died_after_slack_took_it_leaves_one_message(room: Room) -> None:
    life = open_and_resolve()
    next(life)
    leased = lease_next(channel=channel().pk, now=at(1))
    assert leased is not None
    message = outgoing(row=leased, now=at(1))
    # Slack has it, and nobody lived to write that down.
    adapter_of(channel()).send(channel(), message)
    next(life)
    send_due_notifications(now=at(1) + conf.LEASE + timedelta(seconds=1))
    send_due_notifications(now=at(5))
    assert [text.split(":")[0] for text in room.shown] == ["✅ *Resolved"]
    assert room.replies == ["Resolved"]


def test_an_answer_that_was_lost_leaves_one_message(room: Room, vendor: StandIn) -> None:
    life = open_and_resolve()
    next(life)
    taken = room.answer

    def take_and_cut(asked: Asked) -> Answer:
        taken(asked)
        return Answer(cut=True)

    vendor.usual = take_and_cut
    send_due_notifications(now=at(1), channel=channel().pk)
    assert Notification.objects.get(channel=channel()).state == "pending"
    vendor.usual = taken
    next(life)
    send_due_notifications(now=at(3))
    assert [text.split(":")[0] for text in room.shown] == ["✅ *Resolved"]


def test_an_app_that_may_write_and_not_read_tries_again(room: Room, vendor: StandIn) -> None:
    def without_history(asked: Asked) -> Answer:
        if asked.path.startswith("/conversations."):
            return Answer(body={"ok": False, "error": "missing_scope"})
        return room.answer(asked)

    vendor.usual = without_history
    life = open_and_resolve()
    next(life)
    vendor.answers = [Answer(503, "busy")]
    send_due_notifications(now=at(1), channel=channel().pk)
    send_due_notifications(now=at(1.5), channel=channel().pk)
    next(life)
    vendor.answers = [Answer(body={"ok": True, "ts": "1.0"}), Answer(503, "busy")]
    send_due_notifications(now=at(2), channel=channel().pk)
    send_due_notifications(now=at(2.5), channel=channel().pk)
    states = Notification.objects.filter(channel=channel()).values_list("kind", "state")
    assert list(states.order_by("id")) == [("opened", "sent"), ("resolved", "sent")]
    assert (room.replies, channel().disabled) == (["Resolved"], None)


def test_ten_minutes_of_429_delay_nothing_else_and_end_in_order(room: Room) -> None:
    first, second = make_source("first"), make_source("second")
    make_anomaly(0, source=first)
    absorb_anomalies(now=at(1))
    send_due_notifications(now=at(1))
    room.refusal = Answer(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": "30"})
    for minute in range(1, 11):
        for source, bad in ((first, {1, 2}), (second, {3, 4, 5, 6, 7, 8, 9, 10})):
            if minute in bad:
                make_anomaly(minute, source=source)
            judge(minute, source)
        before = room.asked
        absorb_anomalies(now=at(minute + 1))
        assert room.asked == before, "taking anomalies in must not wait for Slack"
        send_due_notifications(now=at(minute + 1))
    other = Notification.objects.get(incident__source=second, channel__name="console")
    assert (other.incident.opened, other.sent) == (at(4), at(4))  # type: ignore[union-attr]
    room.refusal = None
    for minute in (12, 13):
        send_due_notifications(now=at(minute))
    assert room.shown == [
        "✅ *Resolved: Denials above normal at first*",
        "🔴 *CRITICAL: Denials above normal at second*",
    ]
    assert room.replies == ["Resolved"]


def test_updates_that_wait_are_one(room: Room) -> None:
    make_anomaly(0)
    absorb_anomalies(now=at(1))
    send_due_notifications(now=at(1))
    incident = Incident.objects.get().pk
    acknowledge(incident_id=incident, actor="ana", via="web", now=at(1.5))
    mitigate(incident_id=incident, actor="ana", via="web", now=at(1.6))
    waiting = Notification.objects.filter(channel=channel(), state="pending")
    assert waiting.count() == 1
    before = room.asked
    send_due_notifications(now=at(2))
    assert room.asked == before + 1
    # It shows the incident as it is when it is sent, not as it was when it was written.
    assert "Acknowledged" not in str(room.messages)
