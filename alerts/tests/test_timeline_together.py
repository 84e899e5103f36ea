"""What several channels were told at the same time is one line of a timeline."""

import pytest

from alerts.models import Incident, IncidentEvent
from alerts.selectors.incidents import incident_detail
from alerts.services.timeline import note
from alerts.tests.makers import at, open_incident

pytestmark = pytest.mark.django_db
SENT = IncidentEvent.Kind.SENT


def told(incident: Incident) -> list[str]:
    return [one.why for one in incident_detail(incident.pk).timeline if one.kind == SENT]


def sent(incident: Incident, minute: float, why: str) -> None:
    note(incident=incident, kind=SENT, at=at(minute), why=why)


def test_channels_that_hear_the_same_share_a_line() -> None:
    incident = open_incident()
    for place, channel in enumerate(("slack", "telegram", "phone")):
        sent(incident, 3 + place / 60, f"opened to {channel}: first WARNING of its kind")
    assert told(incident) == ["opened to slack, telegram, phone: first WARNING of its kind"]


@pytest.mark.parametrize(
    ("minute", "why"),
    [
        (5, "opened to phone: first WARNING of its kind"),
        (3.1, "updated to phone: first WARNING of its kind"),
        (3.1, "opened to phone: goes on"),
    ],
)
def test_what_differs_has_its_own(minute: float, why: str) -> None:
    incident = open_incident()
    first = "opened to slack: first WARNING of its kind"
    sent(incident, 3, first)
    sent(incident, minute, why)
    assert told(incident) == [first, why]


def test_nothing_of_it_is_stored() -> None:
    incident = open_incident()
    sent(incident, 3, "opened to slack: goes on")
    sent(incident, 3, "opened to phone: goes on")
    incident_detail(incident.pk)
    stored = IncidentEvent.objects.filter(incident=incident, kind=SENT).order_by("id")
    assert [one.why for one in stored] == ["opened to slack: goes on", "opened to phone: goes on"]
