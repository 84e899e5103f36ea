"""A source whose time zone is corrected is judged as if it always had been in that one."""

from datetime import timedelta

import pytest

from detection.models import Baseline
from detection.services.sweep import sweep_closed_minutes
from detection.tests.conftest import Clock
from detection.tests.makers import at, make_counts, make_source
from ingest.models import Source

pytestmark = pytest.mark.django_db
MINUTES = 150


def learned(name: str, clock: Clock, **values: object) -> Source:
    source = make_source(name, **values)
    make_counts(source, range(MINUTES), rate=30.0)
    clock.stand(MINUTES + 0.5)
    sweep_closed_minutes(seconds=60)
    return source


def move(source: Source, zone: str) -> Baseline:
    source.time_zone = zone
    source.save()
    return Baseline.objects.get(source=source)


def test_it_is_learned_anew_by_the_clock_that_is_right(clock: Clock) -> None:
    right = learned("right", clock, time_zone="America/Sao_Paulo")
    moved = learned("moved", clock)
    before = Baseline.objects.get(source=moved)
    assert move(moved, "America/Sao_Paulo").through is None
    clock.stand(MINUTES + 0.5)
    sweep_closed_minutes(seconds=60)
    after, twin = (Baseline.objects.get(source=one) for one in (moved, right))
    assert bytes(after.state) == bytes(twin.state) != bytes(before.state)
    assert (after.through, after.live) == (twin.through, twin.live)


def test_of_a_long_history_the_last_four_weeks(clock: Clock) -> None:
    source = learned("shop", clock)
    make_counts(source, [-60 * 24 * 40])
    assert move(source, "Asia/Kathmandu").through == at(MINUTES) - timedelta(days=28)


def test_another_title_changes_nothing_of_it(clock: Clock) -> None:
    source = learned("shop", clock)
    before = Baseline.objects.get(source=source).version
    source.title = "The shop"
    assert move(source, source.time_zone).version == before
