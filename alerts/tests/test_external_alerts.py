from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from alerts import services
from alerts.messages import brief_of
from alerts.models import Incident, Notification
from alerts.selectors.statistics import period_statistics
from alerts.services import ExternalAlert, reopen, take_external_alerts
from alerts.tests.makers import at, make_source, open_incident
from ingest import steady_clock
from ingest.models import Source

pytestmark = pytest.mark.django_db
BY: Any = {"actor": "ana", "via": "web"}


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


def fire(minute: float, *, firing: bool = True, **values: Any) -> Incident:
    """Alertmanager says so many minutes past noon how the disk is; return its latest incident."""
    facts: dict[str, Any] = {"name": "DiskFull", "summary": "", "started": at(0), **values}
    labels = {"severity": "critical"}
    found = ExternalAlert(**facts, labels=labels, firing=firing, fingerprint="f1")
    take_external_alerts(alerts=[found], now=at(minute))
    return Incident.objects.filter(family="external").latest("id")


def test_a_repeat_of_what_was_merged_belongs_to_the_other() -> None:
    whole, alone = open_incident(), fire(1)
    services.merge(incident_id=alone.pk, into_id=whole.pk, now=at(2), **BY)
    told = Notification.objects.count()
    assert fire(6) == alone
    assert fire(11) == alone
    alone.refresh_from_db()
    assert (alone.state, alone.last_anomaly) == ("merged", at(11))
    assert Notification.objects.count() == told


def test_what_was_merged_and_fires_on_reopens_the_other() -> None:
    whole, alone = open_incident(), fire(1)
    services.merge(incident_id=alone.pk, into_id=whole.pk, now=at(2), **BY)
    services.resolve(incident_id=whole.pk, now=at(3), **BY)
    for minute, state in ((6, "resolved"), (9, "open")):
        assert fire(minute) == alone
        whole.refresh_from_db()
        assert whole.state == state


@pytest.mark.parametrize("label", ["false_positive", "planned"])
def test_a_repeat_of_what_was_closed_is_no_news_until_it_was_over(label: str) -> None:
    incident = fire(1)
    services.close(incident_id=incident.pk, label=label, now=at(2), **BY)
    told = Notification.objects.count()
    assert [fire(minute) for minute in (6, 60, 600)] == [incident] * 3
    assert Notification.objects.count() == told
    for minute in (601, 602):
        fire(minute, firing=False)
    assert incident.events.filter(kind="resolved").count() == 1
    assert fire(610) != incident


def test_an_alert_that_began_after_an_end_that_was_never_sent_is_news() -> None:
    incident = fire(1)
    services.close(incident_id=incident.pk, label="real", now=at(2), **BY)
    assert fire(60, started=at(59)) != incident


def test_what_was_resolved_by_hand_has_five_minutes_to_clear() -> None:
    incident = fire(1)
    services.resolve(incident_id=incident.pk, now=at(2), **BY)
    for minute, state in ((6, "resolved"), (8, "open")):
        fire(minute)
        incident.refresh_from_db()
        assert incident.state == state


def test_it_lasted_until_somebody_ended_it_however_far_apart_it_was_told() -> None:
    incident = fire(1)
    services.resolve(incident_id=incident.pk, now=at(121), **BY)
    incident.refresh_from_db()
    brief = brief_of(incident, kind="resolved", language="en", now=at(121))
    assert brief.lines[0] == "Lasted 2 h 1 min (12:00 to 14:01 UTC)"
    means = period_statistics(now=at(130), since=at(-1)).total
    assert (means.mttr, means.downtime) == (121 * 60, 121 * 60)


def test_how_often_it_was_told_is_no_number_of_minutes() -> None:
    for _ in range(5):
        incident = fire(1)
    incident.refresh_from_db()
    assert incident.anomaly_count == 1
    page = Client().get(f"/incidents/{incident.pk}/").content.decode()
    assert "out of the ordinary" not in page


def test_our_own_alerts_do_not_come_back_as_news() -> None:
    post(body(alert(alertname="TransactionGuardianIncident")))
    assert not Incident.objects.exists()


def test_a_resolved_alert_nobody_knew_is_nothing() -> None:
    post(body(alert("resolved")))
    assert not Incident.objects.exists()


def test_it_stays_open_though_no_minute_of_its_source_is_judged() -> None:
    post(body(alert()))
    services.absorb_anomalies(now=at(60 * 24 * 365))
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
    assert post(body(alert())).status_code == 401
    refused = post(body(alert()), Authorization="Bearer wrong")
    assert (refused.status_code, refused["WWW-Authenticate"][:6]) == (401, "Bearer")
    assert post(body(alert()), Authorization="Bearer t0ken").status_code == 200


def test_where_reports_need_a_key_the_webhook_needs_its_token(settings: Settings) -> None:
    settings.GUARDIAN_REQUIRE_API_KEY = True
    settings.GUARDIAN_WEBHOOK_TOKEN = ""
    assert post(body(alert())).status_code == 401


@pytest.mark.parametrize("began", ["0001-01-01T00:00:00Z", None])
@pytest.mark.parametrize("zone", ["UTC", "America/Sao_Paulo"])
def test_an_alert_that_does_not_know_when_it_began_began_now(
    began: str | None, zone: str, settings: Settings
) -> None:
    settings.TIME_ZONE = zone
    make_source("shop", time_zone="America/Sao_Paulo")
    assert post(body(alert(source="shop") | {"startsAt": began})).status_code == 200
    incident = Incident.objects.get()
    assert steady_clock.now() - incident.onset < timedelta(minutes=1)
    for page in ("", "chart.json"):
        assert Client().get(f"/incidents/{incident.pk}/{page}").status_code == 200
