"""Sources that tell a minute in pieces, minutes after it: within the grace nothing is late."""

import pytest
from django.test import Client
from pytest_django import Settings

from detection.models import Anomaly
from detection.services.sweep import sweep_closed_minutes
from detection.tests.conftest import Clock
from detection.tests.makers import at, make_counts, make_source
from ingest import steady_clock

pytestmark = pytest.mark.django_db
FIRST = 700
SURGE = range(FIRST + 15, FIRST + 25)


def tell(client: Client, minute: int, status: str, code: str, count: int) -> None:
    sent = {"timestamp": at(minute).isoformat(), "status": status, "auth_code": code}
    answer = client.post("/transaction", {**sent, "count": count}, "application/json")
    assert answer.status_code == 200


def test_a_minute_that_fills_within_a_long_grace_is_judged_when_it_is_full(
    clock: Clock, settings: Settings, monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    """Approvals four minutes late, denials five: judged sooner, every minute lacks denials."""
    settings.GUARDIAN_GRACE_SECONDS, settings.GUARDIAN_CACHE_SECONDS = 300, 0
    monkeypatch.setattr(steady_clock, "latest", lambda: clock.now)
    make_counts(make_source(), range(FIRST))
    clock.stand(FIRST + 12)
    sweep_closed_minutes(now=clock.now)
    Anomaly.objects.all().delete()
    for minute in range(FIRST + 5, FIRST + 45):
        clock.stand(minute + 0.1)
        if minute - 4 >= FIRST:
            tell(client, minute - 4, "approved", "00", 92)
        told = minute - 5
        if told >= FIRST:
            tell(client, told, "denied", "51", 45 if told in SURGE else 3)
            tell(client, told, "denied", "59", 2)
        sweep_closed_minutes(now=clock.now)
    found = Anomaly.objects.filter(level="CRITICAL", provisional=False)
    minutes = sorted({(one.minute - at(0)).seconds // 60 for one in found})
    assert minutes
    assert SURGE[0] <= minutes[0] <= SURGE[0] + 3
    # An alarm ends on evidence, a few minutes after the failure.
    assert minutes[-1] <= SURGE[-1] + 5
    assert not found.filter(past=True).exists()
