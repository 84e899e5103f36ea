from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone, translation

from alerts import services
from alerts.lifecycle import Action
from alerts.models import Incident, Silence
from alerts.tests.makers import open_incident
from alerts.tests.pages import PAGE, operator, pressed, signed_in
from alerts.views.actions import buttons

pytestmark = pytest.mark.django_db


def act(client: Client, incident: Incident, action: str, **form: str) -> Incident:
    answer = client.post(f"/incidents/{incident.pk}/{action}", form)
    assert answer.status_code == 302
    incident.refresh_from_db()
    return incident


@pytest.mark.parametrize(
    ("action", "state"),
    [
        ("acknowledge", "acknowledged"),
        ("mitigate", "mitigated"),
        ("resolve", "resolved"),
        ("false-positive", "closed"),
    ],
)
def test_an_operator_acts(action: str, state: str) -> None:
    incident = act(operator(), open_incident(), action)
    assert incident.state == state
    line = incident.events.latest("id")
    assert (line.who, line.via) == ("ana", "web")


def test_it_is_silenced_for_an_hour_as_in_slack() -> None:
    incident = act(operator(), open_incident(), "silence")
    silence = Silence.objects.get()
    assert (silence.source, silence.family) == (incident.source, "decline")
    assert silence.ends - silence.starts == timedelta(hours=1)
    assert (silence.created_by, incident.state) == ("ana", "open")


def test_a_silence_is_shown_where_one_looks_and_can_be_ended_there() -> None:
    client, incident = operator(), open_incident(level="WARNING")
    act(client, incident, "silence")
    page, live = client.get(f"/incidents/{incident.pk}/"), client.get("/live.json").json()
    assert "nobody is notified about default · denials" in page.content.decode()
    assert "End the silence" in page.content.decode()
    assert "Silenced until" in live["incidents"][0]["held"]
    assert live["quiet"] == []
    act(client, incident, "resolve")
    assert "Silenced until" in client.get("/live.json").json()["quiet"][0]["words"]
    act(client, incident, "reopen")
    act(client, incident, "end-silence")
    assert "Silenced until" not in client.get(f"/incidents/{incident.pk}/").content.decode()
    assert client.get("/live.json").json()["quiet"] == []


def test_a_silence_of_a_part_is_shown_and_ended_where_it_was_made() -> None:
    client, root = operator(), open_incident()
    part = open_incident(family="reversal")
    assert part.parent == root
    act(client, part, "silence")
    page = client.get(f"/incidents/{part.pk}/").content.decode()
    assert "nobody is notified about default · reversals" in page
    assert "End the silence" in page
    assert "Silenced until" not in client.get(f"/incidents/{root.pk}/").content.decode()


def test_a_silence_for_everything_is_not_ended_from_one_incident() -> None:
    client, incident = operator(), open_incident()
    now = timezone.now()
    services.create_silence(ends=now + timedelta(hours=1), actor="bo", now=now, reason="move")
    page = client.get(f"/incidents/{incident.pk}/").content.decode()
    assert "nobody is notified about anything" in page
    assert "End the silence" not in page
    act(client, incident, "end-silence")
    assert Silence.objects.filter(ends__gt=timezone.now()).exists()


def test_what_was_resolved_is_opened_again() -> None:
    client = operator()
    incident = act(client, open_incident(), "resolve")
    assert act(client, incident, "reopen").state == "open"


def test_an_incident_is_closed_as_what_it_was() -> None:
    assert act(operator(), open_incident(), "close", label="planned").label == "planned"


def test_a_comment_of_many_lines_is_kept_whole() -> None:
    """Its field takes five hundred letters, each end of a line one of them."""
    typed = "\n".join(["x" * 9] * 50) + "!"
    sent = typed.replace("\n", "\r\n")
    incident = act(operator(), open_incident(), "comment", text=sent)
    assert incident.events.latest("id").why == typed


def test_a_comment_joins_the_timeline() -> None:
    incident = act(operator(), open_incident(), "comment", text="The issuer is called.")
    assert incident.events.latest("id").why == "The issuer is called."


def test_what_a_form_holds_can_be_kept_by_every_database() -> None:
    incident = act(operator(), open_incident(), "comment", text="a\0b")
    assert incident.events.latest("id").why == "a�b"


@pytest.mark.parametrize(
    ("action", "form"), [("reopen", {}), ("close", {"label": "gone"}), ("comment", {"text": " "})]
)
def test_what_cannot_be_done_is_refused_in_words(action: str, form: dict[str, str]) -> None:
    incident = open_incident()
    answer = operator().post(f"/incidents/{incident.pk}/{action}", form, follow=True)
    assert answer.status_code == 200
    assert 'data-level="CRITICAL">' in answer.content.decode()
    incident.refresh_from_db()
    assert incident.state == "open"


def test_only_what_the_state_allows_is_offered() -> None:
    client = operator()
    incident = act(client, open_incident(), "resolve")
    text = client.get(f"/incidents/{incident.pk}/", headers=PAGE).content.decode()
    assert "Reopen</button>" in text
    assert "Acknowledge</button>" not in text


def test_the_help_explains_every_button(client: Client) -> None:
    page = client.get("/help/").content.decode()
    titles = [str(button.title) for button in buttons(Action.values)]
    for title in [*titles, "Assign to me", "Merge into another incident", "Split off"]:
        assert f"<dt><b>{title}</b></dt>" in page


def test_an_act_that_does_not_exist_is_not_found() -> None:
    incident = open_incident()
    assert operator().post(f"/incidents/{incident.pk}/delete").status_code == 404


def test_reading_an_act_changes_nothing() -> None:
    incident = open_incident()
    assert operator().get(f"/incidents/{incident.pk}/resolve").status_code == 405


@pytest.mark.parametrize("role", [None, "", "viewer"])
def test_who_may_not_act_is_refused_and_offered_nothing(role: str | None) -> None:
    client = Client() if role is None else signed_in(role)
    incident = open_incident()
    assert client.post(f"/incidents/{incident.pk}/resolve").status_code in (401, 403)
    incident.refresh_from_db()
    assert incident.state == "open"
    text = client.get(f"/incidents/{incident.pk}/", headers=PAGE).content.decode()
    assert "Resolve</button>" not in text


def test_who_was_signed_out_meanwhile_signs_in_and_is_led_back() -> None:
    incident = open_incident()
    page = f"/incidents/{incident.pk}/"
    click = {**PAGE, "Referer": f"http://testserver{page}?from=mail"}
    answer = Client().post(f"{page}resolve", headers=click)
    assert answer["Location"] == f"/login?next={page}%3Ffrom%3Dmail"
    elsewhere = {**PAGE, "Referer": "https://evil.example/"}
    assert Client().post(f"{page}resolve", headers=elsewhere)["Location"] == "/login?next=/"


def test_a_click_that_one_may_not_make_is_refused_on_a_page() -> None:
    answer = signed_in("viewer").post(f"/incidents/{open_incident().pk}/resolve", headers=PAGE)
    assert answer.status_code == 403
    assert "You do not have permission to do that" in answer.content.decode()


def test_a_form_without_its_token_is_refused() -> None:
    incident = open_incident()
    client = operator()
    client.handler.enforce_csrf_checks = True
    assert client.post(f"/incidents/{incident.pk}/resolve").status_code == 403


def test_the_way_back_never_leaves_the_site() -> None:
    incident = open_incident()
    answer = operator().post(
        f"/incidents/{incident.pk}/acknowledge", {"next": "https://evil.example/"}
    )
    assert answer["Location"] == f"/incidents/{incident.pk}/"


def test_who_was_slower_is_told_who_was_faster() -> None:
    incident = open_incident()
    pressed(operator(), incident, "acknowledge")
    slower = signed_in("operator", "bo")
    assert "It is acknowledged already, by ana." in pressed(slower, incident, "acknowledge")
    pressed(slower, incident, "resolve")
    assert "It is resolved already, by bo." in pressed(slower, incident, "resolve")
    with translation.override("pt-br"):
        assert "Já está resolvido, por bo." in pressed(slower, incident, "resolve")


def test_nobody_is_named_for_what_came_of_itself() -> None:
    incident = open_incident()
    page = pressed(operator(), incident, "reopen")
    assert "It is open already." in page


def test_a_page_that_stays_is_answered_and_the_next_one_says_nothing_late() -> None:
    client, incident = operator(), open_incident()
    path, only = f"/incidents/{incident.pk}/acknowledge", {"Accept": "application/json"}
    first, second = client.post(path, headers=only), client.post(path, headers=only)
    assert (first.status_code, first.json()) == (200, {"detail": "Acknowledged: it is yours."})
    told = {"detail": "It is acknowledged already, by ana."}
    assert (second.status_code, second.json()) == (409, told)
    page = client.get("/incidents/").content.decode()
    assert 'class="messages"' not in page
