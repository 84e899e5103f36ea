"""What is alike is one line of a timeline: several channels told at a time, many parts."""

import pytest

from alerts.messages.stored import line_told
from alerts.models import Incident, IncidentEvent
from alerts.selectors.incidents import incident_detail
from alerts.services import absorb_anomalies
from alerts.services.timeline import note
from alerts.tests.makers import at, judge, make_anomaly, make_source, open_incident
from alerts.tests.pages import operator, shown

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


def linked(incident: Incident, language: str = "en") -> list[str]:
    lines = incident_detail(incident.pk).timeline
    return [line_told(one, language) for one in lines if one.kind == IncidentEvent.Kind.LINKED]


def a_wave(sources: int) -> Incident:
    for number in range(sources):
        source = make_source(f"shop-{number}")
        make_anomaly(source=source)
        for minute in range(8):
            judge(minute, source)
    absorb_anomalies(now=at(1))
    return Incident.objects.order_by("id")[0]


def test_many_parts_are_told_in_one_line_and_so_is_their_end() -> None:
    root = a_wave(15)
    numbers = list(root.children.order_by("id").values_list("pk", flat=True))
    span = f"14 parts, #{numbers[0]} to #{numbers[-1]}"
    assert linked(root)[0] == f"{span}: began together at many sources"
    assert linked(root)[-1] == f"{span}, are over"
    assert linked(root, "pt-br")[0].startswith("14 partes, #")
    assert linked(root, "pt-br")[0].endswith(": começaram juntos em muitas origens")


def test_a_page_names_some_parts_and_has_the_others_behind_a_click() -> None:
    page = shown(operator(), a_wave(15))
    first, rest = page.split("4 more parts")
    assert "at shop-10</a>" in first
    assert "at shop-11</a>" in rest
