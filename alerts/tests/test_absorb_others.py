"""What goes wrong at one source stops the others neither from being told nor from being kept."""

import pytest
from django.db import DatabaseError

from alerts.models import Canary, Incident
from alerts.policy import direction_of
from alerts.services import absorb_anomalies, absorption
from alerts.tests.makers import at, judge, make_anomaly, make_source
from detection.models import Anomaly
from ingest.models import Source

pytestmark = pytest.mark.django_db


def test_one_source_that_cannot_be_absorbed_does_not_stop_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken = make_source("broken")
    make_anomaly(source=broken)
    make_anomaly()
    real = absorption._absorb_source

    def fail(source: int, now: object, *, watched: bool) -> list[int]:
        if source == broken.pk:
            raise DatabaseError("disk full")
        return real(source, at(1))

    monkeypatch.setattr(absorption, "_absorb_source", fail)
    assert len(absorb_anomalies(now=at(1))) == 1
    assert Anomaly.objects.filter(absorbed=None).count() == 1


def test_nor_does_a_fault_of_ours_at_one_source_and_yet_it_is_not_passed_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_anomaly(source=make_source("broken"), family="reversal")
    make_anomaly()
    Canary.objects.create(minute=at(0), reported=at(0))
    judge(0, make_source(Source.CANARY))

    def fail(family: str, excess_high: float | None) -> str:
        if family == "reversal":
            raise KeyError("new")
        return direction_of(family, excess_high)

    monkeypatch.setattr(absorption, "direction_of", fail)
    with pytest.raises(KeyError, match="new"):
        absorb_anomalies(now=at(1))
    assert Incident.objects.get().family == "decline"
    assert Anomaly.objects.get(absorbed=None).family == "reversal"
    assert Canary.objects.get().queued == at(1)
