"""Two sweeps at once do the work once."""

import pytest

from detection.clock import minute_of
from detection.models import Anomaly, Band, Baseline
from detection.services.advancing import Journey, advance_sources, watched_sources
from detection.services.keeping import Stored
from detection.services.sweep import sweep_closed_minutes
from detection.services.watch import watch
from detection.tests.makers import at, make_counts, make_source, set_count

pytestmark = pytest.mark.django_db


def journey_to(source_id: int, minute: int) -> Journey:
    return Journey(
        upto={source_id: minute_of(at(minute))},
        zones={source_id: "UTC"},
        keeper=Stored(at(minute + 1.5)),
    )


def test_the_slower_of_two_writes_nothing() -> None:
    source = make_source()
    make_counts(source, range(120))
    sweep_closed_minutes(now=at(100.5))
    slower = watched_sources([source.pk])
    sweep_closed_minutes(now=at(120.5))
    before = Baseline.objects.values().get()
    journey = journey_to(source.pk, 110)
    assert advance_sources(watched=slower, journey=journey) == []
    assert journey.lost == {source.pk}
    assert Baseline.objects.values().get() == before
    assert Band.objects.count() == 120


def test_the_slower_takes_no_anomaly_away() -> None:
    source = make_source()
    make_counts(source, range(300))
    sweep_closed_minutes(now=at(280.5))
    slower = watched_sources([source.pk])
    for minute in range(285, 300):
        set_count(source, minute, "denied", "51", 50)
    sweep_closed_minutes(now=at(300.5))
    found = Anomaly.objects.count()
    assert found
    for minute in range(285, 300):
        set_count(source, minute, "denied", "51", 3)
    advance_sources(watched=slower, journey=journey_to(source.pk, 299))
    assert Anomaly.objects.count() == found


def test_a_process_that_knew_an_older_state_reads_the_newer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = make_source()
    make_counts(source, range(120))
    sweep_closed_minutes(now=at(100.5))
    [old] = watched_sources([source.pk])
    kept = dict(watch._kept)
    sweep_closed_minutes(now=at(120.5))
    monkeypatch.setattr(watch, "_kept", kept)
    assert watch.get([source.pk], fresh=100)[source.pk] is old
    assert watch.get([source.pk], fresh=0)[source.pk].version > old.version


def test_the_same_sources_in_one_more_process_change_nothing() -> None:
    source = make_source()
    make_counts(source, range(90))
    sweep_closed_minutes(now=at(90.5))
    watch.forget()
    assert sweep_closed_minutes(now=at(90.5)).minutes == 0
