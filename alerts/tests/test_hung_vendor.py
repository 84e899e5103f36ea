"""A vendor that takes a message and answers nothing keeps one worker waiting, and not for long."""

from datetime import timedelta

import pytest

from alerts import conf
from alerts.channels import base
from alerts.models import Channel, Notification
from alerts.services import queue_test, send_due_notifications
from alerts.services.sending import lease_next
from alerts.tests.makers import at, make_channel
from alerts.tests.standin import Answer, StandIn

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


@pytest.fixture
def room(vendor: StandIn) -> Channel:
    """Give a channel in which three messages wait."""
    target = {"url": f"{vendor.url}/", "secret": "s3cret", "allow_private": True}
    channel = make_channel("partner", "webhook", configuration=target)
    for _ in range(3):
        queue_test(channel=channel, actor="ana", now=at(1))
    return channel


def waiting() -> int:
    return Notification.objects.filter(state="pending", channel__name="partner").count()


def test_a_vendor_that_hangs_is_asked_once_and_then_left_alone_for_a_moment(
    room: Channel, vendor: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "REQUEST_SECONDS", 0.3)
    monkeypatch.setattr(conf, "HANGS_AFTER_SECONDS", 0.2)
    vendor.answers = [Answer(hang=True)]
    send_due_notifications(now=at(1))
    send_due_notifications(now=at(1) + 10 * SECOND)
    assert (len(vendor.asked), waiting()) == (1, 3)
    send_due_notifications(now=at(1) + 40 * SECOND)
    assert waiting() == 0


def test_a_vendor_that_refuses_at_once_is_asked_for_each(room: Channel, vendor: StandIn) -> None:
    vendor.usual = Answer(500, "oops")
    send_due_notifications(now=at(1))
    assert len(vendor.asked) == 3


def test_while_one_sends_no_other_worker_waits_for_the_same_vendor(room: Channel) -> None:
    assert lease_next(channel=room.pk, now=at(1)) is not None
    assert lease_next(channel=room.pk, now=at(1) + 3 * SECOND) is None
    # The one who sends has died.
    assert lease_next(channel=room.pk, now=at(1) + 16 * SECOND) is not None
