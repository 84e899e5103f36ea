"""Who is given an incident hears so, in the channels that are theirs alone."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from alerts import services
from alerts.channels.base import Outgoing
from alerts.messages.stored import cause_told
from alerts.models import Channel, Incident, Notification
from alerts.services.sending import outgoing
from alerts.tests.makers import at, make_channel, open_incident
from alerts.tests.pages import operator, shown, signed_in
from alerts.tests.test_assigning import BY, person
from alerts.tests.test_slack_room import Room, room

pytestmark = pytest.mark.django_db
__all__ = ["room"]


def phone_of(name: str, **values: Any) -> Channel:
    owner = User.objects.get(username=name)
    return make_channel(f"phone of {name}", owner=owner, **values)


def give(incident: Incident, to: str, **values: Any) -> None:
    services.assign(incident_id=incident.pk, to=to, **{**BY, **values})


def told(channel: Channel) -> list[tuple[str, str]]:
    rows = Notification.objects.filter(channel=channel).order_by("id")
    return list(rows.values_list("kind", "state"))


def message(channel: Channel) -> Outgoing:
    return outgoing(row=Notification.objects.filter(channel=channel).latest("id"), now=at(3))


def test_whom_it_is_given_to_hears_so_and_from_whom() -> None:
    person("bo")
    phone, incident = phone_of("bo"), open_incident()
    give(incident, "bo")
    row = Notification.objects.get(channel=phone)
    assert (row.kind, row.state, row.reason) == ("assigned", "pending", "assigned by ana")
    assert cause_told(row.reason, "pt-br") == "atribuído por ana"
    brief = message(phone).brief
    assert brief is not None
    assert (brief.banner, brief.lines[0]) == ("Assigned to you", "Assigned by ana")
    assert "Assigned to: bo" not in brief.lines


def test_who_takes_it_is_not_told_what_they_just_did() -> None:
    person("ana")
    phone = phone_of("ana")
    give(open_incident(), "ana")
    assert told(phone) == []


def test_nobody_else_hears_more_than_before() -> None:
    person("bo")
    person("cy")
    others, incident = phone_of("cy"), open_incident()
    before = Notification.objects.count()
    give(incident, "bo")
    assert (told(others), Notification.objects.count()) == ([], before)


def test_a_milder_incident_than_the_channel_is_for_is_told_when_it_is_given() -> None:
    person("bo")
    phone, incident = phone_of("bo", minimum_level="CRITICAL"), open_incident(level="WARNING")
    give(incident, "bo")
    assert told(phone) == [("assigned", "pending")]


def test_a_warning_given_at_night_waits_until_the_morning() -> None:
    person("bo")
    quiet = {"quiet_from": "11:00", "quiet_until": "14:00"}
    phone, incident = phone_of("bo", **quiet), open_incident(level="WARNING")
    give(incident, "bo")
    row = Notification.objects.get(channel=phone)
    assert row.due == at(120)


def test_who_was_not_told_yet_hears_nothing_once_it_is_anothers() -> None:
    person("bo")
    person("cy")
    quiet = {"quiet_from": "11:00", "quiet_until": "14:00"}
    first, incident = phone_of("bo", **quiet), open_incident(level="WARNING")
    second = phone_of("cy")
    give(incident, "bo")
    give(incident, "cy")
    assert told(first) == [("assigned", "suppressed")]
    assert told(second) == [("assigned", "pending")]
    give(incident, "bo", now=at(3) + timedelta(seconds=1))
    assert told(first)[1:] == [("assigned", "pending")]


def test_who_has_it_hears_that_it_is_over() -> None:
    person("bo")
    phone, incident = phone_of("bo"), open_incident()
    give(incident, "bo")
    Notification.objects.update(state="sent")
    services.resolve(incident_id=incident.pk, actor="ana", via="web", now=at(9))
    assert told(phone) == [("assigned", "sent"), ("resolved", "pending")]


def test_what_nobody_heard_of_yet_is_still_opened_for_all() -> None:
    person("bo")
    phone_of("bo")
    services.create_silence(
        family="decline", starts=at(-1), ends=at(4), reason="", actor="ana", now=at(-1)
    )
    incident = open_incident()
    give(incident, "bo")
    assert not Notification.objects.filter(channel__owner=None, state="pending").exists()
    services.settle_incidents(now=at(5))
    row = Notification.objects.get(channel__owner=None, state="pending")
    assert (row.kind, row.channel.name) == ("opened", "console")


def test_in_slack_it_makes_a_sound_where_the_incident_is_shown_already(room: Room) -> None:
    person("bo")
    Channel.objects.filter(kind="slack_bot").update(owner=User.objects.get(username="bo"))
    phone, incident = Channel.objects.get(kind="slack_bot"), open_incident()
    incident.notifications.create(
        channel=phone, kind="escalated", occasion="call:0", state="sent", reference="1.0"
    )
    give(incident, "bo")
    services.send_due_notifications(now=at(3), channel=phone.pk)
    assert room.replies == ["Assigned to you"]


def test_the_page_says_whom_no_channel_reaches() -> None:
    client, incident = operator(), open_incident()
    signed_in("operator", "bo")
    signed_in("operator", "cy")
    phone_of("bo")
    page = shown(client, incident)
    assert '<option value="bo">bo</option>' in page
    assert '<option value="cy">cy (no channel: notify them yourself)</option>' in page
    assert '<option value="ana">ana</option>' in page
