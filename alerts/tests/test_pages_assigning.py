import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import translation

from alerts import services
from alerts.tests.makers import at, make_source, open_incident
from alerts.tests.pages import PAGE, operator, pressed, shown, signed_in
from guardian_site.access.models import Team

pytestmark = pytest.mark.django_db


def test_one_press_makes_it_mine() -> None:
    client, incident = operator(), open_incident()
    assert "Assign to me</button>" in shown(client, incident)
    page = pressed(client, incident, "take", was="")
    assert "Assigned to you." in page
    assert "<dt>Assigned to</dt><dd>ana</dd>" in page
    assert "Assign to me</button>" not in page
    assert (incident.assigned_to, incident.events.latest("id").why) == ("ana", "to ana")


def test_it_is_given_to_another_and_to_nobody() -> None:
    client, incident = operator(), open_incident()
    signed_in("operator", "bo")
    assert '<option value="bo">bo ' in shown(client, incident)
    assert "<dd>bo</dd>" in pressed(client, incident, "assign", was="", to="bo")
    page = shown(client, incident)
    assert '<option value="bo">' not in page
    assert "Assign to nobody</button>" in page
    pressed(client, incident, "assign", was="bo", to="")
    assert incident.assigned_to == ""


def test_only_who_may_act_there_is_offered() -> None:
    client, incident = operator(), open_incident()
    signed_in("viewer", "eve")
    signed_in("operator", "sam")
    Team.objects.create(name="theirs").members.add(get_user_model().objects.get(username="sam"))
    page = shown(client, incident)
    assert '<option value="ana">' in page
    assert '<option value="eve">' not in page
    assert '<option value="sam">' not in page
    assert "may not act on incidents" in pressed(client, incident, "assign", was="", to="sam")
    assert incident.assigned_to == ""


def test_of_two_at_once_the_second_is_told_who_has_it() -> None:
    ana, bo, incident = operator(), signed_in("operator", "bo"), open_incident()
    pressed(ana, incident, "take", was="")
    with translation.override("pt-br"):
        assert "Enquanto isso, foi atribuído a ana." in pressed(bo, incident, "take", was="")
    assert incident.assigned_to == "ana"
    pressed(bo, incident, "take", was="ana")
    assert incident.assigned_to == "bo"


def test_what_is_over_is_offered_to_nobody() -> None:
    client, incident = operator(), open_incident()
    services.resolve(incident_id=incident.pk, actor="bo", via="web", now=at(1))
    page = shown(client, incident)
    assert "Assign to me" not in page
    assert 'name="to"' not in page
    assert "cannot be assigned" in pressed(client, incident, "take", was="")


@pytest.mark.parametrize("action", ["take", "assign", "merge", "split"])
@pytest.mark.parametrize("role", [None, "", "viewer"])
def test_who_may_not_act_is_refused_and_offered_nothing(role: str | None, action: str) -> None:
    client = Client() if role is None else signed_in(role)
    whole = open_incident()
    part = open_incident(family="reversal")
    form = {"to": "ana", "was": "", "into": str(whole.pk)}
    assert client.post(f"/incidents/{part.pk}/{action}", form).status_code in (401, 403)
    part.refresh_from_db()
    assert (part.assigned_to, part.parent, part.state) == ("", whole, "open")
    for incident in (whole, part):
        assert "More</summary>" not in shown(client, incident)


def test_the_list_says_whose_it_is_and_finds_mine_and_nobodys() -> None:
    client = operator()
    first, second, third = (open_incident(source=make_source(name)) for name in ("a", "b", "c"))
    services.assign(incident_id=first.pk, to="ana", actor="bo", via="web", now=at(1))
    services.acknowledge(incident_id=second.pk, actor="ana", via="web", now=at(1))

    def found(whose: str) -> set[int]:
        page = client.get("/incidents/", {"whose": whose}, headers=PAGE).content.decode()
        assert '<select name="whose"' in page
        each = (first, second, third)
        return {one.pk for one in each if f'href="/incidents/{one.pk}"' in page.replace('/"', '"')}

    assert found("") == {first.pk, second.pk, third.pk}
    assert found("mine") == {first.pk, second.pk}
    assert found("nobody") == {third.pk}
    signed_in("operator", "cy")
    services.assign(incident_id=second.pk, to="cy", actor="bo", via="web", now=at(2))
    assert found("mine") == {first.pk}
    assert '<span class="muted small">cy</span>' in client.get("/incidents/").content.decode()


def test_nobody_is_asked_whose_who_is_not_signed_in(client: Client) -> None:
    open_incident()
    page = client.get("/incidents/", {"whose": "mine"}, headers=PAGE).content.decode()
    assert 'name="whose"' not in page
    assert "1 incident<" in page
