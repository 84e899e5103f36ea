"""Who asks for the version of one source asks along for those that are asked about all the time."""

from collections.abc import Sequence

import pytest
from pytest_django import DjangoAssertNumQueries

from detection.models import Baseline
from detection.scoring.state import State
from detection.selectors import baselines
from detection.services import watch as module
from detection.services.watch import Watch
from ingest.models import Source

pytestmark = pytest.mark.django_db


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(module, "time", made)
    return made


def learned(name: str) -> int:
    source = Source.objects.create(name=name)
    Baseline.objects.create(source=source, state=State.new(1).pack()[0], version=1)
    return source.pk


def test_one_question_serves_all_that_are_asked_about(
    clock: Clock, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    watch, ids = Watch(), [learned(name) for name in "abc"]
    for one in ids:
        watch.get([one])
    clock.now += 3
    with django_assert_num_queries(1):
        for one in ids:
            assert watch.get([one])[one].version == 1


def test_what_changed_is_read_when_it_is_asked_about(
    clock: Clock, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    watch, (a, b) = Watch(), [learned(name) for name in "ab"]
    watch.get([a, b])
    Baseline.objects.filter(source=b).update(version=2)
    clock.now += 3
    with django_assert_num_queries(1):
        watch.get([a])
    with django_assert_num_queries(2):  # its version, then its state
        assert watch.get([b])[b].version == 2


def test_of_a_source_without_a_baseline_it_is_told_when_it_has_one(clock: Clock) -> None:
    watch, a = Watch(), learned("a")
    b = Source.objects.create(name="b").pk
    watch.get([a, b])
    Baseline.objects.create(source_id=b, state=State.new(1).pack()[0], version=5)
    clock.now += 3
    watch.get([a])
    assert watch.get([b])[b].version == 5


def test_it_is_not_asked_along_for_what_nobody_asks_about_any_more(
    clock: Clock, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    watch, (a, b) = Watch(), [learned(name) for name in "ab"]
    watch.get([a, b])
    clock.now += 11
    watch.get([a])
    with django_assert_num_queries(1):
        watch.get([b])


def test_of_too_many_none_is_asked_along_for(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    monkeypatch.setattr(module, "MOST_ALONG", 2)
    watch, ids = Watch(), [learned(name) for name in "abc"]
    watch.get(ids)
    clock.now += 3
    watch.get(ids[:1])
    with django_assert_num_queries(1):
        watch.get(ids[1:])


def test_it_is_asked_along_once_a_second(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[set[int]] = []

    def versions(source_ids: Sequence[int]) -> dict[int, int]:
        asked.append(set(source_ids))
        return {}

    monkeypatch.setattr(baselines, "versions", versions)
    watch = Watch()
    watch.get([1, 2])
    for source_id, pause in ((1, 3.0), (3, 0.5), (4, 0.5)):
        clock.now += pause
        watch.get([source_id])
    assert asked == [{1, 2}, {1, 2}, {3}, {1, 2, 3, 4}]
