from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client, RequestFactory
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from alerts.collector import AlertsCollector
from detection.services.labels import label_deviation
from detection.services.sweep import sweep_closed_minutes
from detection.tests.conftest import Clock, _forgetful  # noqa: F401
from detection.tests.makers import at, make_counts, make_source
from guardian_site import health
from guardian_site.models import Heartbeat
from guardian_site.pulse import forget_parts, kind_of_worker, record_heartbeat
from guardian_site.telemetry.collectors import LiveForest, Sources
from guardian_site.telemetry.exposition import exposition
from guardian_site.views import ready_view
from ingest.tests.conftest import default_database, postgresql_config  # noqa: F401

pytestmark = pytest.mark.django_db


def test_a_system_without_workers_says_so(client: Client) -> None:
    body = client.get("/health").json()
    assert body["status"] == "degraded"
    assert body["components"]["worker"] == "down"
    assert body["components"]["database"] == "ok"


def test_a_worker_that_beats_is_well(client: Client) -> None:
    for kind in ("worker", "beat", "tasks"):
        record_heartbeat(part=f"{kind}@here", kind=kind, now=timezone.now())
    body = client.get("/health").json()
    assert body["status"] == "healthy"
    assert body["parts"]["worker"]["detail"] == "1 alive"


@pytest.mark.parametrize(("seconds", "state"), [(5, "ok"), (30, "degraded"), (120, "down")])
def test_a_silent_worker_is_told_by_its_age(seconds: int, state: str, client: Client) -> None:
    seen = timezone.now() - timedelta(seconds=seconds)
    record_heartbeat(part="worker@here", kind="worker", now=seen)
    body = client.get("/health").json()
    assert body["components"]["worker"] == state
    assert body["parts"]["worker"]["age_seconds"] == pytest.approx(seconds, abs=2)


def test_without_a_database_it_is_unhealthy(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone() -> health.PartHealth:
        raise OperationalError("the server closed the connection")

    monkeypatch.setitem(health.PARTS, "database", gone)
    response = client.get("/health")
    assert response.status_code == 503
    assert response.json()["parts"]["database"]["detail"] == "database: OperationalError"


def test_probes_ask_for_less(client: Client) -> None:
    assert client.get("/health/live").json() == {"status": "alive"}
    assert client.get("/health/ready").json() == {"status": "ready"}
    assert client.post("/health").status_code == 405


def test_parts_that_stopped_long_ago_are_forgotten() -> None:
    now = timezone.now()
    record_heartbeat(part="worker@old", kind="worker", now=now - timedelta(days=2))
    record_heartbeat(part="worker@new", kind="worker", now=now)
    forget_parts(seen_before=now - timedelta(days=1))
    assert list(Heartbeat.objects.values_list("part", flat=True)) == ["worker@new"]


def test_only_the_database_is_asked_while_it_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> health.PartHealth:
        raise OperationalError("no connection within two seconds")

    def asked() -> health.PartHealth:
        raise AssertionError("each would wait for the database in its turn")

    monkeypatch.setitem(health.PARTS, "database", gone)
    for name in set(health.PARTS) - {"database", "cache"}:
        monkeypatch.setitem(health.PARTS, name, asked)
    for collector in (Sources, LiveForest, AlertsCollector):
        monkeypatch.setattr(collector, "collect", asked)
    parts = health.health(timezone.now())["parts"]
    assert parts["outbox"]["detail"] == "unknown while the database is down"
    told = exposition().decode()
    assert 'guardian_site_part_state{part="database",state="down"} 1.0' in told
    assert "transaction_guardian_total" in told


@pytest.mark.postgres
def test_a_database_that_takes_no_writes_is_down_and_not_ready(
    postgresql_config: dict[str, Any],  # noqa: F811
    django_db_blocker: DjangoDbBlocker,
) -> None:
    with django_db_blocker.unblock(), default_database(postgresql_config):
        assert health.database_health().state == "ok"
        assert ready_view(RequestFactory().get("/health/ready")).status_code == 200
        with connection.cursor() as cursor:
            cursor.execute("SET default_transaction_read_only = on")
        found = health.database_health()
        ready = ready_view(RequestFactory().get("/health/ready"))
    assert (found.state, found.detail[:9]) == ("down", "read-only")
    assert ready.status_code == 503


@pytest.mark.parametrize(
    ("workers", "state", "detail"),
    [
        ([["notify", "detect", "train"]], "ok", "1 alive"),
        ([["notify"], ["detect"]], "ok", "1 alive"),
        ([["train"]], "down", "notify: never seen"),
        ([["detect"], ["train"]], "down", "notify: never seen"),
        ([["notify"], ["train"]], "down", "detect: never seen"),
    ],
)
def test_workers_are_well_where_both_urgent_queues_are_worked_on(
    workers: list[list[str]], state: str, detail: str
) -> None:
    for queues in workers:
        kind = kind_of_worker(queues)
        record_heartbeat(part=f"{kind}@here", kind=kind, now=timezone.now())
    found = health.PARTS["worker"]()
    assert found.state == state
    assert found.detail.startswith(detail)


@pytest.mark.parametrize("hours", [12, 26])
def test_a_source_that_fell_silent_keeps_nobody_behind(
    hours: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    for name, minutes in (("gone", 200), ("goes on", 200 + 60 * hours)):
        make_counts(make_source(name), range(minutes), rate=5)
    for minute in (200, 200 + 60 * hours):
        clock.stand(minute + 0.6)
        sweep_closed_minutes(now=at(minute + 0.6), seconds=60)
    assert health.detection_health().state == "ok"


def test_it_is_behind_once_a_source_that_fell_silent_reports_and_is_not_judged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock(monkeypatch)
    source = make_source()
    make_counts(source, range(200))
    clock.stand(200.6)
    sweep_closed_minutes(now=at(200.6), seconds=60)
    make_counts(source, [3000])
    clock.stand(3001)
    assert health.detection_health().state == "ok"
    clock.stand(3011)
    assert health.detection_health().state == "down"


def test_counts_that_are_declared_wrong_keep_nobody_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock(monkeypatch)
    source = make_source()
    make_counts(source, range(300))
    sweep_closed_minutes(now=at(250.6), seconds=60)
    label_deviation(source=source, kind="data_problem", starts=at(245), ends=at(290), now=at(250.7))
    for minute in range(251, 285):
        clock.stand(minute + 0.6)
        sweep_closed_minutes(now=at(minute + 0.6), seconds=60)
    assert health.detection_health().state == "ok"
