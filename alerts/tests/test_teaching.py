"""What an incident was closed as is a label that detection learns from."""

import pytest

from alerts import services
from alerts.models import Incident
from alerts.tests.makers import at, open_incident
from detection.models import Label, Proposal, Recheck

pytestmark = pytest.mark.django_db
BY = {"actor": "ana", "via": "web"}


def closed(label: str, **values: object) -> Incident:
    incident = open_incident(**values)
    return services.close(incident_id=incident.pk, label=label, now=at(3.5), **BY)


@pytest.mark.parametrize(
    ("label", "kind"),
    [
        ("real", "incident"),
        ("false_positive", "noise"),
        ("planned", "expected"),
        ("new_level", "new_level"),
    ],
)
def test_what_it_was_closed_as_is_said_of_its_source_and_family(label: str, kind: str) -> None:
    incident = closed(label, onset=at(-2))
    said = Label.objects.get()
    assert (said.kind, said.source, said.family) == (kind, incident.source, "decline")
    assert (said.starts, said.ends, said.incident) == (at(-2), at(3.5), incident.pk)
    assert said.note == f"#{incident.pk} closed by ana: {label}"


def test_of_one_that_is_over_only_its_bad_minutes_are_meant() -> None:
    incident = open_incident()
    services.resolve(incident_id=incident.pk, now=at(9), **BY)
    services.close(incident_id=incident.pk, label="real", now=at(60), **BY)
    said = Label.objects.get()
    assert (said.starts, said.ends) == (at(0), at(0))


def test_reopening_takes_back_what_closing_said() -> None:
    incident = closed("new_level")
    assert Recheck.objects.filter(forced=True).count() == 1
    services.reopen(incident_id=incident.pk, now=at(5), **BY)
    assert Label.objects.get().revoked == at(5)
    services.close(incident_id=incident.pk, label="false_positive", now=at(6), **BY)
    assert Label.objects.get(revoked=None).kind == "noise"
    assert Proposal.objects.get().label.incident == incident.pk


@pytest.mark.parametrize(("label", "family"), [("duplicate", "decline"), ("real", "external")])
def test_of_a_duplicate_and_of_what_others_found_nothing_is_learned(
    label: str, family: str
) -> None:
    incident = open_incident()
    Incident.objects.filter(pk=incident.pk).update(family=family)
    services.close(incident_id=incident.pk, label=label, now=at(3), **BY)
    assert not Label.objects.exists()


def test_the_parts_that_end_with_it_are_said_too() -> None:
    root = open_incident(family="technical_failure")
    open_incident(family="reversal")
    services.close(incident_id=root.pk, label="planned", now=at(2), **BY)
    assert set(Label.objects.values_list("family", flat=True)) == {"technical_failure", "reversal"}


def test_the_parts_that_were_over_before_it_was_closed_are_said_too() -> None:
    root = open_incident(family="technical_failure")
    open_incident(family="reversal")
    services.resolve(incident_id=root.pk, now=at(2), **BY)
    services.close(incident_id=root.pk, label="planned", now=at(60), **BY)
    assert set(Incident.objects.values_list("state", "label")) == {("closed", "planned")}
    assert set(Label.objects.values_list("family", "kind")) == {
        ("technical_failure", "expected"),
        ("reversal", "expected"),
    }


def test_of_what_was_merged_into_it_the_same_is_said_until_it_is_reopened() -> None:
    root, part = open_incident(family="technical_failure"), open_incident(family="volume_high")
    services.merge(incident_id=part.pk, into_id=root.pk, now=at(1), **BY)
    services.close(incident_id=root.pk, label="real", now=at(2), **BY)
    assert Label.objects.get(family="volume_high").kind == "incident"
    assert Incident.objects.get(pk=part.pk).state == "merged"
    services.reopen(incident_id=root.pk, now=at(3), **BY)
    assert not Label.objects.filter(revoked=None).exists()
