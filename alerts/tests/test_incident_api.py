from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from alerts import services
from alerts.models import Silence
from alerts.tests.makers import at, live, make_channel, make_source, open_incident

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("ana"))
    return client


def get(client: Client, path: str, **query: Any) -> Any:
    return client.get(path, query)


def post(client: Client, path: str, body: Any = None) -> Any:
    return client.post(path, body or {}, content_type="application/json")


def test_incidents_are_listed_newest_first(admin: Client) -> None:
    first = open_incident()
    second = open_incident(minute=40, source=make_source("other"), level="WARNING")
    found = get(admin, "/api/incidents").json()
    assert found["total"] == 2
    assert [one["id"] for one in found["incidents"]] == [second.pk, first.pk]
    assert found["incidents"][0]["source"] == "other"


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ({"level": "CRITICAL"}, 1),
        ({"state": "open"}, 2),
        ({"state": "resolved"}, 0),
        ({"ongoing": "true"}, 2),
        ({"source": "other"}, 1),
        ({"family": "reversal"}, 0),
        ({"since": "2026-03-02T12:30:00Z"}, 1),
        ({"until": "2026-03-02T12:30:00Z"}, 1),
    ],
)
def test_filters(admin: Client, query: dict[str, str], number: int) -> None:
    open_incident()
    open_incident(minute=40, source=make_source("other"), level="WARNING")
    assert get(admin, "/api/incidents", **query).json()["total"] == number


@pytest.mark.parametrize(
    "query",
    [
        {"level": "HIGH"},
        {"state": "x"},
        {"family": "x"},
        {"since": "soon"},
        {"limit": "0"},
        {"limit": "x"},
        {"limit": "501"},
        {"ongoing": "perhaps"},
    ],
)
def test_odd_filters_are_refused_by_name(admin: Client, query: dict[str, str]) -> None:
    answer = get(admin, "/api/incidents", **query)
    assert answer.status_code == 400
    assert next(iter(query)) in str(answer.json())


def test_one_incident_has_its_timeline_and_messages(admin: Client) -> None:
    incident = open_incident()
    found = get(admin, f"/api/incidents/{incident.pk}").json()
    assert found["timeline"][0]["kind"] == "opened"
    assert found["notifications"][0]["channel"] == "console"
    assert "acknowledge" in found["permitted"]


def test_an_incident_that_is_not_there(admin: Client) -> None:
    assert get(admin, "/api/incidents/99").status_code == 404
    assert post(admin, "/api/incidents/99/resolve").status_code == 404


@pytest.mark.parametrize(
    ("action", "body", "state"),
    [
        ("acknowledge", {"why": "mine"}, "acknowledged"),
        ("mitigate", {}, "mitigated"),
        ("resolve", {}, "resolved"),
        ("false-positive", {}, "closed"),
        ("close", {"label": "planned"}, "closed"),
        ("comment", {"text": "called them"}, "open"),
        ("silence", {"minutes": 30}, "open"),
        ("assign", {"to": "ana"}, "open"),
    ],
)
def test_acts(admin: Client, action: str, body: dict[str, Any], state: str) -> None:
    incident = open_incident()
    answer = post(admin, f"/api/incidents/{incident.pk}/{action}", body)
    assert (answer.status_code, answer.json()["state"]) == (200, state)
    event = incident.events.latest("id")
    assert (event.who, event.via) == ("ana", "api")


@pytest.mark.parametrize(
    ("action", "body", "status"),
    [
        ("reopen", {}, 409),
        ("dance", {}, 400),
        ("close", {}, 400),
        ("close", {"label": "odd"}, 400),
        ("merge", {}, 400),
        ("split", {}, 409),
        ("assign", {}, 400),
        ("assign", {"to": "nobody-known"}, 400),
        ("assign", {"to": "ana", "was": "bo"}, 409),
        ("assign", {"to": ""}, 409),
        ("comment", {}, 400),
        ("silence", {"minutes": 0}, 400),
        ("resolve", {"why": "x" * 501}, 400),
    ],
)
def test_refused_acts_change_nothing(
    admin: Client, action: str, body: dict[str, Any], status: int
) -> None:
    incident = open_incident()
    events = incident.events.count()
    answer = post(admin, f"/api/incidents/{incident.pk}/{action}", body)
    assert answer.status_code == status
    assert incident.events.count() == events


def test_a_part_is_split_off_its_whole(admin: Client) -> None:
    whole = open_incident()
    part = open_incident(source=make_source("other"))
    assert post(admin, f"/api/incidents/{part.pk}/merge", {"into": whole.pk}).status_code == 200
    merged = get(admin, f"/api/incidents/{part.pk}").json()
    assert (merged["state"], merged["permitted"]) == ("merged", ["split"])
    alone = post(admin, f"/api/incidents/{part.pk}/split", {"why": "two causes"}).json()
    assert (alone["state"], alone["parent"], alone["assigned_to"]) == ("open", None, "")


def test_nothing_is_merged_into_what_is_closed(admin: Client) -> None:
    whole, incident = open_incident(), open_incident(source=make_source("other"))
    services.close(incident_id=whole.pk, label="real", actor="bo", via="web", now=at(1))
    answer = post(admin, f"/api/incidents/{incident.pk}/merge", {"into": whole.pk})
    told = f"Incident #{whole.pk} is closed: reopen it first, or merge into an ongoing one."
    assert (answer.status_code, answer.json()["detail"]) == (409, told)
    incident.refresh_from_db()
    assert incident.state == "open"


def test_a_stranger_may_not_act() -> None:
    incident = open_incident()
    assert post(Client(), f"/api/incidents/{incident.pk}/resolve").status_code in (401, 403)
    incident.refresh_from_db()
    assert incident.state == "open"


def test_silences_are_made_listed_and_ended(admin: Client) -> None:
    make_source("shop")
    body = {"source": "shop", "family": "decline", "ends": "2099-01-01T00:00:00Z", "reason": "x"}
    assert post(admin, "/api/silences", body).status_code == 400
    body["starts"] = "2098-12-31T00:00:00Z"
    made = post(admin, "/api/silences", body)
    assert (made.status_code, made.json()["created_by"]) == (201, "ana")
    ended = admin.delete(f"/api/silences/{made.json()['id']}")
    assert (ended.status_code, Silence.objects.get().created_by) == (200, "ana")
    assert get(admin, "/api/silences").json() == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"ends": "soon"},
        {"ends": "2020-01-01T00:00:00Z", "reason": "x"},
        {"ends": "2099-01-01T00:00:00Z", "source": "nobody", "reason": "x"},
        {"ends": "2099-01-01T00:00:00Z", "family": "odd"},
        {"ends": "2099-01-01T00:00:00Z", "level": "odd"},
        {"starts": "2026-03-02T12:00:00Z", "ends": "2026-06-02T12:00:00Z", "reason": "x"},
        {"starts": "2026-03-02T12:00:00Z", "ends": "2026-03-02T13:00:00Z", "reason": "x"},
    ],
)
def test_bad_silences_are_refused(admin: Client, body: dict[str, Any]) -> None:
    assert post(admin, "/api/silences", body).status_code == 400
    assert not Silence.objects.exists()


def test_a_silence_may_lie_at_the_end_of_the_calendar(admin: Client) -> None:
    body = {"source": "default", "starts": "9999-12-01T00:00Z", "ends": "9999-12-31T00:00Z"}
    make_source("default")
    assert post(admin, "/api/silences", body).status_code == 201


@pytest.mark.parametrize("zone", ["America/Sao_Paulo", "Asia/Tokyo"])
@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00", "9999-12-31T23:59:59"])
def test_a_moment_beyond_the_calendar_is_refused_or_means_what_it_says(
    admin: Client, moment: str, zone: str, settings: Settings
) -> None:
    settings.TIME_ZONE = zone
    body = {"starts": moment, "ends": moment, "reason": "x"}
    assert post(admin, "/api/silences", body).status_code == 400
    for name in ("since", "until"):
        assert get(admin, "/api/incidents", **{name: moment}).status_code in (200, 400)


def test_statistics_come_from_the_timeline(admin: Client) -> None:
    incident = open_incident()
    services.acknowledge(incident_id=incident.pk, actor="ana", via="web", now=at(4.5))
    live(12, bad={1, 2, 3}, first=1)
    found = get(admin, "/api/statistics", since="2026-03-01T00:00:00Z").json()
    total = found["total"]
    assert (total["incidents"], total["mtta"], total["mttr"]) == (1, 240, 240)
    assert set(found["by_family"]) == {"decline"}
    assert set(found["by_source"]) == {"default"}


def test_statistics_and_list_mean_the_same_day(admin: Client, settings: Settings) -> None:
    settings.TIME_ZONE = "Pacific/Tongatapu"
    open_incident()
    for since, number in (("2026-03-03T01:00", 1), ("2026-03-03T01:01", 0)):
        assert get(admin, "/api/incidents", since=since).json()["total"] == number
        found = get(admin, "/api/statistics", since=since, until="2026-03-04").json()
        assert found["total"]["incidents"] == number


@pytest.mark.parametrize(
    ("since", "begins"),
    [("2026-09-06", "04:00"), ("2026-04-04T23:30", "02:30"), ("2026-04-04T23:30-04:00", "03:30")],
)
def test_a_moment_at_which_the_clock_changes_is_taken(
    since: str, begins: str, admin: Client, settings: Settings
) -> None:
    settings.TIME_ZONE = "America/Santiago"
    assert get(admin, "/api/incidents", since=since).status_code == 200
    told = get(admin, "/api/statistics", since=since).json()["since"]
    assert datetime.fromisoformat(told).astimezone(UTC).strftime("%H:%M") == begins


@pytest.mark.parametrize("path", ["/api/incidents", "/api/statistics", "/reports/handover"])
def test_a_plus_that_was_not_escaped_is_taken(path: str, admin: Client) -> None:
    assert admin.get(f"{path}?since=2026-03-02T12:00:00+01:00").status_code == 200


def test_statistics_of_a_family_that_is_none_are_not_zero(admin: Client) -> None:
    answer = get(admin, "/api/statistics", family="declines")
    [error] = answer.json()["errors"]
    assert (answer.status_code, error["field"]) == (400, "family")
    assert "decline, " in error["message"]


@pytest.mark.parametrize("path", ["/api/statistics", "/api/incidents"])
def test_incidents_of_a_source_that_is_none_are_not_none(admin: Client, path: str) -> None:
    answer = get(admin, path, source="shopp")
    error = {"field": "source", "message": "There is no source “shopp”."}
    assert (answer.status_code, answer.json()["errors"]) == (400, [error])


def test_the_handover_tells_what_is_open_and_what_was_noted(admin: Client) -> None:
    incident = open_incident()
    services.comment(
        incident_id=incident.pk, text="issuer knows", actor="ana", via="web", now=at(1)
    )
    found = get(admin, "/reports/handover", since="2026-03-01T00:00:00Z").json()
    assert [one["id"] for one in found["still_open"]] == [incident.pk]
    assert "issuer knows" in found["text"]
    spoken = get(admin, "/reports/handover", since="2026-03-01T00:00:00Z", language="pt-br")
    assert "Passagem de turno" in spoken.json()["text"]


def test_a_language_that_is_not_spoken_is_refused(admin: Client) -> None:
    answer = get(admin, "/reports/handover", language="fr")
    assert answer.status_code == 400
    assert answer.json()["errors"] == [{"field": "language", "message": "Write en or pt-br."}]


def test_an_act_that_is_none_is_named(admin: Client) -> None:
    answer = post(admin, f"/api/incidents/{open_incident().pk}/frob")
    [error] = answer.json()["errors"]
    assert (answer.status_code, error["field"]) == (400, "action")
    assert "acknowledge" in error["message"]


def test_a_refusal_of_the_rules_names_no_field_of_its_own(admin: Client) -> None:
    answer = post(admin, f"/api/incidents/{open_incident().pk}/merge")
    [error] = answer.json()["errors"]
    assert (error["field"], "into" in error["message"]) == ("body", True)


def test_a_refused_silence_is_described_as_it_is_told(admin: Client) -> None:
    described = get(admin, "/openapi.json").json()
    told = described["paths"]["/api/silences"]["post"]["responses"]["400"]["content"]
    name = told["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
    refused = post(admin, "/api/silences").json()
    assert set(refused) == set(described["components"]["schemas"][name]["properties"])


def test_a_moment_that_is_none_is_refused(admin: Client) -> None:
    assert get(admin, "/api/statistics", since="yesterday").status_code == 400


def test_the_whole_api_is_described(admin: Client) -> None:
    paths = get(admin, "/openapi.json").json()["paths"]
    for path in ("/api/incidents", "/api/incidents/{id}", "/api/silences", "/webhook/alert"):
        assert path in paths or path.replace("{id}", "{pk}") in paths


def test_one_incident_is_read_at_once_however_many_messages_it_has(
    admin: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    incident = open_incident()
    for number in range(12):
        channel = make_channel(f"phone-{number}")
        incident.notifications.create(channel=channel, kind="reminder", occasion=str(number))
    with django_assert_max_num_queries(14):
        found = get(admin, f"/api/incidents/{incident.pk}").json()
    assert len(found["notifications"]) == 13
    assert [line["kind"] for line in found["timeline"]] == ["opened"]
