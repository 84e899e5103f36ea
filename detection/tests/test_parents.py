"""A new source begins with what its parent knows, live, late and in a backtest alike."""

import pytest

from detection.models import Anomaly, Band, Baseline
from detection.scoring.inheriting import inherited_days
from detection.scoring.state import State
from detection.services import stored_states
from detection.services.sweep import sweep_closed_minutes
from detection.tests.conftest import Clock
from detection.tests.makers import (
    at,
    make_backtest,
    make_counts,
    make_source,
    mark_late,
    run_now,
    set_count,
)
from detection.tests.test_scoring_inheriting import parent as learned_state
from ingest.models import MinuteCount, Source

pytestmark = pytest.mark.django_db
Picture = tuple[list[tuple[object, ...]], list[tuple[object, ...]], bytes]


def make_parent() -> Source:
    source = make_source("chain")
    newest = int(at(0).timestamp() // 86400) - 1
    state = learned_state(newest=newest)
    state.minutes[:] = 40_000
    through = at(-1)
    state.through[:] = int(through.timestamp() // 60)
    Baseline.objects.create(source=source, state=state.pack()[0], through=through)
    return source


def make_child(minutes: int, parent: Source | None) -> Source:
    source = make_source("shop", parent=parent)
    make_counts(source, range(minutes), rate=30.0)
    return source


def state_of(source: Source) -> State:
    return stored_states.state_of(Baseline.objects.get(source=source))


def picture(source: Source) -> Picture:
    """All that was concluded of a source, apart from when."""
    bands = Band.objects.filter(source=source).order_by("minute")
    found = Anomaly.objects.filter(source=source).order_by("minute", "family")
    return (
        list(bands.values_list("minute", "level", "score", "expected", "digest")),
        list(found.values_list("minute", "family", "level", "score")),
        state_of(source).pack()[0],
    )


def test_it_expects_the_parents_day_from_the_third_hour_on() -> None:
    source = make_child(150, make_parent())
    sweep_closed_minutes(now=at(150.5))
    state = state_of(source)
    assert inherited_days(state).sum() == 7
    assert state.season_days.tolist() == [[5, 2]]
    assert Baseline.objects.get(source=source).inherited is not None


def test_without_a_parent_or_with_one_that_knows_nothing_it_begins_with_nothing() -> None:
    alone = make_child(150, make_source("as new"))
    sweep_closed_minutes(now=at(150.5))
    assert not state_of(alone).season_days.any()
    assert Baseline.objects.get(source=alone).inherited is None


def test_counts_that_come_late_find_it_as_it_was_born_whatever_the_parent_learned_since() -> None:
    chain = make_parent()
    source = make_child(300, chain)
    sweep_closed_minutes(now=at(300.5), seconds=60)
    in_order = picture(source)
    approved = MinuteCount.objects.get(source=source, minute=at(20), status="approved").count
    other = learned_state(newest=int(at(0).timestamp() // 86400) - 1)
    other.season[:] = other.season[:, :, ::-1]
    Baseline.objects.filter(source=chain).update(state=other.pack()[0], version=9)
    for count in (1, approved):
        set_count(source, 20, "approved", "00", count)
        mark_late(source, 20)
        sweep_closed_minutes(now=at(300.5), seconds=60)
        assert (picture(source) == in_order) == (count == approved)


def test_a_backtest_begins_as_the_source_did() -> None:
    source = make_child(400, make_parent())
    for minute in range(300, 330):
        set_count(source, minute, "denied", "51", 25)
    sweep_closed_minutes(now=at(400.5), seconds=60)
    live = run_now(make_backtest()).report["live"]
    mine = Anomaly.objects.filter(source=source).count()
    assert live == {"same": mine, "only_live": 0, "only_backtest": 0}
    assert mine > 10


def test_a_parent_named_late_is_used_as_if_it_had_been_there_from_the_start(clock: Clock) -> None:
    chain = make_parent()
    source = make_child(200, None)
    clock.stand(200.5)
    sweep_closed_minutes()
    assert not state_of(source).season_days.any()
    source.parent = chain
    source.save()
    clock.stand(201.5)
    sweep_closed_minutes(seconds=60)
    state = state_of(source)
    assert inherited_days(state).sum() == 7
    assert state.minutes[0] == 200


def test_a_source_with_days_of_its_own_stays_as_it_is(clock: Clock) -> None:
    chain = make_parent()
    source = make_source("grown")
    state = learned_state(newest=int(at(0).timestamp() // 86400) - 1, volume=50.0)
    Baseline.objects.create(source=source, state=state.pack()[0], through=at(-1), version=3)
    source.parent = chain
    source.save()
    assert Baseline.objects.get(source=source).version == 3


def test_naming_the_parent_again_does_not_begin_again(clock: Clock) -> None:
    source = make_child(150, make_parent())
    clock.stand(150.5)
    sweep_closed_minutes(seconds=60)
    before = Baseline.objects.get(source=source).version
    source.save()
    assert Baseline.objects.get(source=source).version == before
