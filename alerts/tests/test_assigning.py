from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group

from alerts import services
from alerts.lifecycle import IllegalTransition
from alerts.messages.stored import line_told, refusal_told
from alerts.models import Channel, Notification
from alerts.selectors.people import people_who_may_act
from alerts.tests.makers import at, make_source, open_incident
from guardian_site.access.models import Team

pytestmark = pytest.mark.django_db
BY: dict[str, Any] = {"actor": "ana", "via": "web", "now": at(2)}


def person(name: str, role: str = "operator", team: str = "", **values: Any) -> None:
    user = get_user_model().objects.create_user(name, **values)
    if role:
        user.groups.add(Group.objects.get_or_create(name=role)[0])
    if team:
        Team.objects.get_or_create(name=team)[0].members.add(user)


def test_an_incident_is_given_to_somebody_who_may_act() -> None:
    person("bo")
    incident = services.assign(incident_id=open_incident().pk, to="bo", **BY)
    incident.refresh_from_db()
    line = incident.events.latest("id")
    assert (incident.assigned_to, incident.state, incident.holder) == ("bo", "open", "bo")
    assert (line.kind, line.who, line.via, line.why) == ("assigned", "ana", "web", "to bo")
    assert line_told(line, "pt-br") == "a bo"


def test_a_message_that_can_be_changed_shows_whose_it_is() -> None:
    person("bo")
    incident = open_incident()
    Channel.objects.update(kind="slack_bot")
    Notification.objects.update(state="sent")
    services.assign(incident_id=incident.pk, to="bo", **BY)
    told = Notification.objects.get(state="pending")
    assert (told.kind, told.reason) == ("updated", "assigned to bo")
    Notification.objects.update(state="sent")
    services.assign(incident_id=incident.pk, to="", **BY)
    assert Notification.objects.get(state="pending").reason == "no longer assigned to bo"


def test_it_escalates_as_before() -> None:
    person("bo")
    incident = open_incident()
    before = incident.step_due
    services.assign(incident_id=incident.pk, to="bo", **BY)
    incident.refresh_from_db()
    assert (incident.state, incident.step_due) == ("open", before)


def test_it_becomes_nobodys_again() -> None:
    person("bo")
    incident = open_incident()
    services.assign(incident_id=incident.pk, to="bo", **BY)
    services.assign(incident_id=incident.pk, to="", **BY)
    incident.refresh_from_db()
    assert incident.assigned_to == ""
    assert incident.events.latest("id").why == "no longer to bo"


def test_who_may_act_is_who_has_the_role_and_sees_the_source() -> None:
    incident = open_incident(source=make_source("ours"))
    person("everywhere")
    person("viewer", "viewer")
    person("nothing", "")
    person("gone", is_active=False)
    person("ours", team="ours")
    person("theirs", team="theirs")
    person("admin", "admin", team="theirs")
    Team.objects.get(name="ours").sources.add(incident.source)
    get_user_model().objects.create_superuser("root")
    names = [one.get_username() for one in people_who_may_act(incident)]
    assert names == ["admin", "everywhere", "ours", "root"]


def test_nobody_is_given_what_they_may_not_act_on() -> None:
    person("eve", "viewer")
    incident = open_incident()
    with pytest.raises(ValueError, match="may not act") as refused:
        services.assign(incident_id=incident.pk, to="eve", **BY)
    told = refusal_told(refused.value, "pt-br")
    assert told == "“eve” não pode agir em incidentes desta origem."
    incident.refresh_from_db()
    assert incident.assigned_to == ""


def test_who_was_slower_does_not_take_it_from_the_other() -> None:
    person("ana")
    person("bo")
    incident = open_incident()
    services.assign(incident_id=incident.pk, to="bo", was="", **BY)
    with pytest.raises(IllegalTransition, match="Meanwhile it was assigned to bo"):
        services.assign(incident_id=incident.pk, to="ana", was="", **BY)
    with pytest.raises(IllegalTransition, match="to bo already"):
        services.assign(incident_id=incident.pk, to="bo", was="", **BY)
    incident.refresh_from_db()
    assert incident.assigned_to == "bo"


@pytest.mark.parametrize("state", ["resolved", "closed", "merged"])
def test_what_is_over_is_given_to_nobody(state: str) -> None:
    person("bo")
    incident = open_incident()
    incident.state = state
    incident.save()
    with pytest.raises(IllegalTransition, match="cannot be assigned") as refused:
        services.assign(incident_id=incident.pk, to="bo", **BY)
    assert refusal_told(refused.value, "pt-br").startswith("Um incidente ")
