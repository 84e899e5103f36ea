from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from alerts.models import Incident, Notification
from alerts.services import reopen
from alerts.tests.makers import make_source
from ingest import steady_clock
from ingest.models import Source

pytestmark = pytest.mark.django_db


def alert(status: str = "firing", **labels: str) -> dict[str, Any]:
    return {
        "status": status,
        "labels": {"alertname": "DiskFull", "severity": "critical", **labels},
        "annotations": {"summary": "Disk is full", "runbook_url": "https://wiki.example/disk"},
        "startsAt": "2026-03-02T12:00:00.123456789Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus:9090/graph",
        "fingerprint": labels.get("host", "f1"),
    }


def body(*alerts: dict[str, Any]) -> dict[str, Any]:
    return {
        "version": "4",
        "groupKey": '{}:{alertname="DiskFull"}',
        "status": "firing",
        "receiver": "guardian",
        "groupLabels": {},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager:9093",
        "alerts": list(alerts),
    }


def post(content: Any, **headers: str) -> Any:
    return Client().post(
        "/webhook/alert", content, content_type="application/json", headers=headers
    )


def test_a_firing_alert_opens_an_incident_and_tells() -> None:
    answer = post(body(alert()))
    assert (answer.status_code, answer.json()["received"]) == (200, 1)
    incident = Incident.objects.get()
    assert (incident.family, incident.title, incident.level) == ("external", "DiskFull", "CRITICAL")
    assert incident.source.name == "alertmanager"
    assert not incident.source.enabled
    assert Notification.objects.get().kind == "opened"


def test_repeats_change_nothing_and_the_end_resolves() -> None:
    for _ in range(3):
        post(body(alert()))
    assert Incident.objects.count() == Notification.objects.count() == 1
    post(body(alert("resolved")))
    assert Incident.objects.get().state == "resolved"


def test_alerts_are_told_apart_by_their_fingerprint() -> None:
    post(body(alert(host="a"), alert(host="b")))
    assert Incident.objects.count() == 2


def test_a_known_source_is_taken_from_the_label() -> None:
    make_source("acquirer-1")
    post(body(alert(source="acquirer-1")))
    assert Incident.objects.get().source.name == "acquirer-1"
    assert not Source.objects.filter(name="alertmanager").exists()


def test_an_alert_that_fires_on_joins_an_older_one_that_was_reopened_by_hand() -> None:
    for _ in range(2):
        post(body(alert()))
        post(body(alert("resolved")))
        Incident.objects.update(resolved=steady_clock.now() - timedelta(days=1))
    older = Incident.objects.earliest("id")
    reopen(incident_id=older.pk, actor="ana", via="web", now=steady_clock.now())
    assert post(body(alert())).status_code == 200
    assert list(Incident.objects.filter(state="open")) == [older]


def test_an_alert_that_fires_again_soon_reopens_its_incident() -> None:
    for status in ("firing", "resolved", "firing"):
        post(body(alert(status)))
    incident = Incident.objects.get()
    assert (incident.state, incident.reopened) == ("open", 1)


def test_our_own_alerts_do_not_come_back_as_news() -> None:
    post(body(alert(alertname="TransactionGuardianIncident")))
    assert not Incident.objects.exists()


def test_a_resolved_alert_nobody_knew_is_nothing() -> None:
    post(body(alert("resolved")))
    assert not Incident.objects.exists()


def test_it_stays_open_though_no_minute_of_its_source_is_judged() -> None:
    from alerts.services import absorb_anomalies
    from alerts.tests.makers import at

    post(body(alert()))
    absorb_anomalies(now=at(60 * 24 * 365))
    assert Incident.objects.get().state == "open"


@pytest.mark.parametrize(
    "content",
    [
        {},
        [],
        {"alerts": []},
        {"alerts": "x"},
        {"alerts": [{}]},
        {"alerts": [{"status": "odd", "labels": {}}]},
        {"alerts": [{"status": "firing", "labels": {"a": {"b": 1}}}]},
        {"alerts": [{"status": "firing", "labels": {}, "startsAt": "yesterday"}]},
        {"alerts": [alert()] * 501},
    ],
)
def test_bad_bodies_are_refused_and_nothing_is_stored(content: Any) -> None:
    assert post(content).status_code == 400
    assert not Incident.objects.exists()


def test_with_a_token_only_its_holder_comes_in(settings: Settings) -> None:
    settings.GUARDIAN_WEBHOOK_TOKEN = "t0ken"
    assert post(body(alert())).status_code in (401, 403)
    assert post(body(alert()), Authorization="Bearer wrong").status_code in (401, 403)
    assert post(body(alert()), Authorization="Bearer t0ken").status_code == 200


def test_where_reports_need_a_key_the_webhook_needs_its_token(settings: Settings) -> None:
    settings.GUARDIAN_REQUIRE_API_KEY = True
    settings.GUARDIAN_WEBHOOK_TOKEN = ""
    assert post(body(alert())).status_code in (401, 403)


@pytest.mark.parametrize("began", ["0001-01-01T00:00:00Z", None])
def test_an_alert_that_does_not_know_when_it_began_began_now(began: str | None) -> None:
    make_source("shop", time_zone="America/Sao_Paulo")
    assert post(body(alert(source="shop") | {"startsAt": began})).status_code == 200
    incident = Incident.objects.get()
    assert steady_clock.now() - incident.onset < timedelta(minutes=1)
    for page in ("", "chart.json"):
        assert Client().get(f"/incidents/{incident.pk}/{page}").status_code == 200
