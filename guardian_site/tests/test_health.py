from datetime import timedelta

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from guardian_site import health
from guardian_site.models import Heartbeat
from guardian_site.pulse import forget_parts, record_heartbeat

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
