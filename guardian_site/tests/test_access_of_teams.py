"""Who is in a team sees the sources of their teams; keys of one source see that one."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from alerts.models import Incident
from alerts.selectors.suppression import active_silences
from alerts.services import absorb_anomalies, create_silence
from alerts.tests.makers import make_anomaly
from guardian_site.access.models import Team
from guardian_site.tests.people import token_client
from ingest.models import Report, Source
from ingest.services.keys import issue_key

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def two_sources(settings: Settings) -> None:
    settings.GUARDIAN_PUBLIC_READ = False
    for name in ("ours", "theirs"):
        make_anomaly(source=Source.objects.create(name=name))


def member(role: str = "viewer") -> Client:
    client = token_client(role)
    team = Team.objects.create(name="acquiring")
    team.members.add(User.objects.get())
    team.sources.add(Source.objects.get(name="ours"))
    return client


def names(answer: Any) -> list[str]:
    return sorted(one["source"] for one in answer.json()["anomalies"])


def test_who_is_in_no_team_sees_every_source() -> None:
    assert names(token_client("viewer").get("/anomalies")) == ["ours", "theirs"]


@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_a_member_sees_the_sources_of_the_team(role: str) -> None:
    answer = member(role).get("/anomalies")
    assert names(answer) == ["ours"]
    assert answer.json()["total"] == 1


def test_an_administrator_sees_every_source_whatever_the_teams() -> None:
    assert names(member("admin").get("/anomalies")) == ["ours", "theirs"]


def test_a_source_that_is_hidden_sounds_like_one_that_is_not() -> None:
    client = member()
    hidden, made_up = client.get("/anomalies?source=theirs"), client.get("/anomalies?source=none")
    assert hidden.status_code == made_up.status_code == 400
    assert hidden.content == made_up.content


def test_the_figures_are_of_the_sources_one_sees() -> None:
    assert member().get("/stats").json()["total_anomalies"] == 1


def asked(client: Client, path: str, **body: Any) -> Any:
    return client.post(path, body, content_type="application/json")


def report(source: str) -> dict[str, Any]:
    return {"status": "approved", "count": 5, "source": source}


@pytest.mark.parametrize("keys_required", [True, False])
def test_a_member_reports_for_the_sources_of_the_team_only(
    keys_required: bool, settings: Settings
) -> None:
    settings.GUARDIAN_REQUIRE_API_KEY = keys_required
    client = member("operator")
    assert asked(client, "/transaction", **report("ours")).status_code == 200
    hidden, made_up = (asked(client, "/transaction", **report(one)) for one in ("theirs", "none"))
    both = asked(client, "/transactions/batch", transactions=[report("ours"), report("theirs")])
    unnamed = asked(client, "/transaction", status="approved")
    assert {one.status_code for one in (hidden, made_up, both, unnamed)} == {400}
    assert hidden.content == made_up.content
    assert both.json()["errors"][0]["field"] == "transactions[1].source"
    assert set(Report.objects.values_list("source__name", flat=True)) == {"ours"}


def test_a_member_closes_no_minute_of_another_team() -> None:
    client, minute = member("operator"), f"{timezone.now():%Y-%m-%dT%H:%M:00Z}"
    asked(Client(), "/transaction", **report("theirs"))
    hidden, made_up = (
        asked(client, "/minutes/close", source=one, timestamp=minute) for one in ("theirs", "none")
    )
    assert (hidden.status_code, hidden.json()) == (200, made_up.json())


@pytest.mark.parametrize("path", ["/metrics", "/metrics/json"])
def test_the_metrics_of_all_sources_are_for_those_who_see_all(
    path: str, settings: Settings
) -> None:
    limited = member()
    _key, secret = issue_key(name="k", scopes=["read"], source=Source.objects.get(name="ours"))
    settings.GUARDIAN_PUBLIC_METRICS = False
    assert limited.get(path).status_code == 403
    assert Client().get(path, headers={"X-API-Key": secret}).status_code == 403
    assert token_client("viewer", "of-none").get(path).status_code == 200
    settings.GUARDIAN_PUBLIC_METRICS = True
    assert limited.get(path).status_code == 200


def test_a_member_silences_the_sources_of_the_team_only() -> None:
    client, ends = member("operator"), (timezone.now() + timedelta(hours=1)).isoformat()
    assert asked(client, "/api/silences", source="ours", ends=ends).status_code == 201
    hidden = asked(client, "/api/silences", source="theirs", ends=ends)
    made_up = asked(client, "/api/silences", source="none", ends=ends)
    everything = asked(client, "/api/silences", ends=ends, reason="all quiet")
    assert {one.status_code for one in (hidden, made_up, everything)} == {400}
    assert hidden.content.replace(b"theirs", b"none") == made_up.content


def test_a_member_ends_no_silence_of_another_team() -> None:
    now = timezone.now()
    theirs = create_silence(
        source=Source.objects.get(name="theirs"), ends=now + timedelta(hours=1), actor="bo", now=now
    )
    assert member("operator").delete(f"/api/silences/{theirs.pk}").status_code == 404
    assert active_silences(now=timezone.now()) == [theirs]


@pytest.mark.parametrize("into", ["theirs", "none", "huge"])
def test_a_member_merges_into_no_incident_of_another_team(into: str) -> None:
    absorb_anomalies(now=timezone.now())
    Incident.objects.update(state="open", historical=False)
    numbers = {one.source.name: one.pk for one in Incident.objects.select_related("source")}
    number = {"none": 999_999, "huge": 10**19}.get(into) or numbers[into]
    answer = asked(member("operator"), f"/api/incidents/{numbers['ours']}/merge", into=number)
    assert answer.status_code in (400, 404)
    assert not Incident.objects.filter(state="merged").exists()


def test_no_forecast_is_given_of_a_hidden_source() -> None:
    assert member().get("/forecast?source=theirs").status_code == 400


def test_the_key_of_a_source_reads_of_that_one_alone() -> None:
    _key, secret = issue_key(name="k", scopes=["read"], source=Source.objects.get(name="theirs"))
    answer = Client().get("/anomalies", headers={"X-API-Key": secret})
    assert names(answer) == ["theirs"]


@pytest.mark.parametrize("path", ["/backtests", "/admin/", "/admin/alerts/incident/"])
def test_what_is_not_told_apart_by_source_is_for_those_who_see_all(path: str) -> None:
    assert member("operator").get(path).status_code == 403
    _key, secret = issue_key(name="k", scopes=["read"], source=Source.objects.get(name="ours"))
    assert Client().get(path, headers={"X-API-Key": secret}).status_code == 403


def test_the_page_of_a_hidden_source_does_not_exist() -> None:
    client = member()
    assert client.get("/sources/ours/").status_code == 200
    assert client.get("/sources/theirs/").status_code == 404
    assert b"theirs" not in client.get("/sources/").content
    assert client.get("/live.json?source=theirs").status_code == 404


def test_a_member_gives_an_incident_only_to_who_sees_it() -> None:
    absorb_anomalies(now=timezone.now())
    client = member("operator")
    User.objects.create_superuser("root")
    outsider = User.objects.create_user("sam")
    outsider.groups.set(User.objects.earliest("pk").groups.all())
    Team.objects.create(name="shops").members.add(outsider)
    number = Incident.objects.get(source__name="ours").pk
    refused = asked(client, f"/api/incidents/{number}/assign", to="sam")
    assert refused.status_code == 400
    given = asked(client, f"/api/incidents/{number}/assign", to="root")
    assert given.json()["assigned_to"] == "root"
