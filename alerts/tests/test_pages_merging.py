from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.utils import translation

from alerts import services
from alerts.models import Incident
from alerts.selectors.incident_pages import wholes_to_choose
from alerts.tests.makers import at, make_source, open_incident
from alerts.tests.pages import operator, pressed, shown
from guardian_site.access.models import Team

pytestmark = pytest.mark.django_db


def of(name: str, minute: float = 0, **values: Any) -> Incident:
    return open_incident(source=make_source(name), minute=minute, **values)


def test_it_becomes_part_of_another_and_is_split_off_again() -> None:
    client, whole, part = operator(), of("a"), of("b", 1)
    page = pressed(client, part, "merge", into=whole.pk)
    assert (part.state, part.parent) == ("merged", whole)
    assert "notifications go out for the other incident only" in page
    assert f"Split off from #{whole.pk}</button>" in page
    assert "Includes:" in shown(client, whole)
    assert "is not part of another incident, or no longer of that one" in pressed(
        client, part, "split", whole=99
    )
    page = pressed(client, part, "split", whole=whole.pk)
    assert (part.state, part.parent) == ("open", None)
    assert "it is a separate incident again" in page
    lines = part.events.order_by("id").values_list("kind", "who", "via")
    assert [line for line in lines if line[1]] == [
        ("merged", "ana", "web"),
        ("split", "ana", "web"),
    ]


def test_a_part_is_split_off_on_the_page_of_the_whole() -> None:
    client, whole = operator(), open_incident()
    part = open_incident(family="reversal")
    assert f'<option value="{part.pk}">#{part.pk} · ' in shown(client, whole)
    page = pressed(client, whole, "split", part=part.pk)
    part.refresh_from_db()
    assert part.parent is None
    assert "Split off" in page
    assert 'name="part"' not in page
    with translation.override("pt-br"):
        page = pressed(client, whole, "split", part=part.pk)
    assert f"O incidente #{part.pk} não é parte de outro" in page


def test_what_goes_on_and_is_a_whole_is_offered_the_nearest_first() -> None:
    far, incident, near, after = of("a"), of("b", 20), of("c", 15), of("d", 23)
    over, part = of("e", 20, family="reversal"), of("f", 20, family="reversal")
    services.resolve(incident_id=over.pk, actor="ana", via="web", now=at(21))
    services.merge(incident_id=part.pk, into_id=far.pk, actor="ana", via="web", now=at(21))
    found = [one.pk for one, _title in wholes_to_choose(incident, seen=None)]
    assert found == [after.pk, near.pk, far.pk]
    page = shown(operator(), incident)
    assert f"#{near.pk} · 2026-03-02 12:15 · Denials above normal at c</option>" in page


def test_where_nothing_else_goes_on_it_says_so() -> None:
    page = shown(operator(), open_incident())
    assert "There is no other ongoing incident to merge this one into." in page
    assert 'name="into"' not in page


def test_nothing_chosen_is_refused_in_words() -> None:
    client, _other, incident = operator(), of("a"), of("b")
    for into in ("", "none", "²", "9" * 30):
        assert "must name the incident to merge into" in pressed(
            client, incident, "merge", into=into
        )
    assert incident.state == "open"


def test_of_two_that_merge_crosswise_the_second_is_told() -> None:
    client, one, two = operator(), of("a"), of("b")
    pressed(client, one, "merge", into=two.pk)
    assert "is itself a part" in pressed(client, two, "merge", into=one.pk)
    assert (two.state, two.parent) == ("open", None)


def test_what_has_ended_meanwhile_is_not_merged() -> None:
    client, one, two = operator(), of("a"), of("b")
    services.close(incident_id=one.pk, label="real", actor="bo", via="web", now=at(1))
    assert "An incident that is closed cannot take" in pressed(client, one, "merge", into=two.pk)
    assert one.state == "closed"


def test_nothing_is_merged_into_what_a_colleague_closed_meanwhile() -> None:
    client, whole, part, incident = operator(), of("a"), of("b"), of("c")
    Incident.objects.filter(pk=part.pk).update(parent=whole)
    services.close(incident_id=whole.pk, label="real", actor="bo", via="web", now=at(1))
    for into in (whole, part):
        page = pressed(client, incident, "merge", into=into.pk)
        assert (
            f"Incident #{whole.pk} is closed: reopen it first, or merge into an ongoing one" in page
        )
    with translation.override("pt-br"):
        page = pressed(client, incident, "merge", into=whole.pk)
    assert f"O incidente #{whole.pk} está encerrado: reabra-o antes" in page
    assert (incident.state, incident.parent) == ("open", None)


def test_what_only_others_see_is_neither_offered_nor_taken() -> None:
    client, mine, theirs = operator(), of("mine"), of("theirs")
    team = Team.objects.create(name="ours")
    team.sources.add(mine.source)
    team.members.add(get_user_model().objects.get(username="ana"))
    assert 'name="into"' not in shown(client, mine)
    assert client.post(f"/incidents/{mine.pk}/merge", {"into": theirs.pk}).status_code == 404
    services.merge(incident_id=theirs.pk, into_id=mine.pk, actor="bo", via="web", now=at(1))
    assert 'name="part"' not in shown(client, mine)
    assert client.post(f"/incidents/{mine.pk}/split", {"part": theirs.pk}).status_code == 404
    theirs.refresh_from_db()
    assert theirs.state == "merged"
