"""Several workers share one sweep: each source falls to one of them."""

from collections.abc import Sequence

import pytest
from prometheus_client import REGISTRY
from pytest_django import Settings

from detection import conf, tasks
from detection.models import Band, Baseline
from detection.parts import Part
from detection.selectors.baselines import frontiers
from detection.services import sweep
from detection.services.advancing import watched_sources
from detection.services.sweep import sweep_closed_minutes
from detection.services.watched import Watched
from detection.tests.conftest import Clock
from detection.tests.makers import at, make_counts, make_source, mark_late, set_count

pytestmark = pytest.mark.django_db


def test_a_part_judges_its_own_sources_and_no_others() -> None:
    sources = [make_source(f"shop-{number}") for number in range(5)]
    for source in sources:
        make_counts(source, range(30))
    sweep_closed_minutes(now=at(30.5), part=Part(1, of=2))
    mine = {source.pk for source in sources if source.pk % 2}
    assert set(Baseline.objects.values_list("source_id", flat=True)) == mine


def test_sources_that_are_done_are_not_looked_at_again() -> None:
    done, new, ahead = (make_source(name) for name in ("done", "new", "ahead"))
    for source in (done, ahead):
        make_counts(source, range(30))
    sweep_closed_minutes(now=at(30.5))
    make_counts(ahead, range(30, 32))
    Baseline.objects.filter(source=ahead).update(through=at(31))
    make_counts(new, range(30))
    everyone = {done.pk, new.pk, ahead.pk}
    assert {one.source_id for one in frontiers(at(30.5))} == everyone
    left = frontiers(at(30.5), done=at(29))
    assert {one.source_id for one in left} == everyone - {done.pk}


def test_all_parts_together_do_what_one_sweep_does(clock: Clock, settings: Settings) -> None:
    settings.GUARDIAN_SWEEP_PARTS = 3
    for number in range(5):
        make_counts(make_source(f"shop-{number}"), range(30))
    clock.stand(30.5)
    tasks.sweep_closed_minutes.delay()
    assert Band.objects.count() == 150
    tasks.sweep_closed_minutes.delay()
    assert Band.objects.count() == 150


def test_late_hours_are_looked_at_by_the_part_of_their_source() -> None:
    source = make_source()
    make_counts(source, range(90))
    sweep_closed_minutes(now=at(90.5))
    set_count(source, 40, "denied", "51", 60)
    mark_late(source, 40)
    other, own = ((source.pk + step) % 2 for step in (1, 0))
    assert sweep_closed_minutes(now=at(91.5), part=Part(other, of=2)).rechecked == 0
    assert sweep_closed_minutes(now=at(91.5), part=Part(own, of=2)).rechecked == 1


def test_a_sweep_of_very_many_sources_reads_some_of_them_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(conf, "SWEPT_TOGETHER", 2)
    read = []

    def watched(source_ids: Sequence[int]) -> list[Watched]:
        read.append(len(source_ids))
        return watched_sources(source_ids)

    monkeypatch.setattr(sweep, "watched_sources", watched)
    for number in range(5):
        make_counts(make_source(f"shop-{number}"), range(10))
    sweep_closed_minutes(now=at(10.5))
    assert read == [2, 2, 1]
    assert Band.objects.count() == 50


def lag(part: int = 0) -> float | None:
    return REGISTRY.get_sample_value("guardian_detection_lag_seconds", {"part": str(part)})


def test_sources_that_no_time_is_left_for_are_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conf, "SWEPT_TOGETHER", 1)
    for number in range(4):
        make_counts(make_source(f"shop-{number}"), range(200), rate=20, seed=number)
    sweep_closed_minutes(now=at(150.6))
    assert lag() == 0
    sweep_closed_minutes(now=at(180.6), seconds=0)
    assert lag() == 1800
    sweep_closed_minutes(now=at(180.6))
    assert lag() == 0


def test_each_part_tells_how_far_it_is_behind_itself() -> None:
    for number in range(2):
        make_counts(make_source(f"shop-{number}"), range(200), rate=20, seed=number)
    for part in (Part(0, of=2), Part(1, of=2)):
        sweep_closed_minutes(now=at(150.6), part=part)
    sweep_closed_minutes(now=at(180.6), part=Part(0, of=2), seconds=0)
    sweep_closed_minutes(now=at(180.6), part=Part(1, of=2))
    assert (lag(0), lag(1)) == (1800, 0)
