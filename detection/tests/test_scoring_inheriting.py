"""A new source begins with its parent's week and ends with its own."""

import numpy as np
import pytest

from detection.scoring.baseline import season_at, seasoned
from detection.scoring.detector import learn, score
from detection.scoring.inheriting import has_season, inherit, inherited_days
from detection.scoring.minutes import Counts, Moments
from detection.scoring.policy import Policy
from detection.scoring.season import fit_season
from detection.scoring.series import CODE_SLOTS, MINUTES_PER_DAY, STATUSES
from detection.scoring.state import BINS, HISTORY_DAYS, State

# a Monday
MONDAY = 20_454
BORN = MONDAY * MINUTES_PER_DAY
DAYS = 28


def daily(minute: np.ndarray) -> np.ndarray:
    """Volume of a day with a busy afternoon, mean 1."""
    return 1 - 0.7 * np.cos(2 * np.pi * (minute % MINUTES_PER_DAY) / MINUTES_PER_DAY)


def parent(volume: float = 600.0, newest: int = MONDAY - 1) -> State:
    """A parent that has learned four weeks, Sundays with half the traffic."""
    state = State.new(1)
    middle = (np.arange(BINS) + 0.5) * MINUTES_PER_DAY / BINS
    for day in range(newest - DAYS + 1, newest + 1):
        part = 0.5 if (day + 3) % 7 == 6 else 1.0
        state.history[0, day % HISTORY_DAYS] = np.log1p(volume * part * daily(middle))
        state.history_day[0, day % HISTORY_DAYS] = day
    history = np.expm1(state.history.astype(float))
    state.season[:], state.weekday_factor[:], state.season_days[:] = fit_season(
        history, state.history_day.astype(np.int64)
    )
    state.share_seen[:], state.share_total[:] = 4_000.0, 80_000.0
    state.codes[0, :2] = ["51", "59"]
    state.code_use[0, :2] = 900.0
    return state


def walk(state: State, minutes: range, volume: float, *, seed: int = 1) -> list[int]:
    """Judge and learn Poisson minutes of a child; the level of each."""
    random, policy, closed = np.random.default_rng(seed), Policy.defaults(1), np.ones(1, bool)
    levels = []
    for minute in minutes:
        status = np.zeros((1, len(STATUSES)))
        total = random.poisson(volume * daily(np.array(minute)))
        status[0, 0] = total
        status[0, 1] = random.binomial(total, 0.05)
        status[0, 0] -= status[0, 1]
        code = np.zeros((1, CODE_SLOTS))
        code[0, 0] = status[0, 1]
        counts = Counts(status, code, np.ones(1, bool), ({},))
        moments = Moments.of([BORN + minute])
        scores = score(state, policy, moments, counts, closed=closed)
        learn(state, policy, moments, counts, scores)
        levels.append(int(scores.level[0]))
    return levels


@pytest.mark.parametrize("newest", [MONDAY - 1, MONDAY - 4, MONDAY - 200, MONDAY + 90])
def test_it_has_the_shape_of_the_parents_days_whenever_those_were(newest: int) -> None:
    old, minutes = parent(newest=newest), BORN + np.arange(0, 7 * MINUTES_PER_DAY, 97)
    child = inherit(old, np.array([BORN]))
    seen = np.array([season_at(child, np.array([minute]))[0] for minute in minutes])
    meant = np.array([season_at(old, np.array([minute]))[0] for minute in minutes])
    np.testing.assert_allclose(seen / seen.mean(), meant / meant.mean(), rtol=1e-3)
    weekdays = (child.history_day[0][child.history_day[0] >= 0] + 3) % 7
    assert sorted(weekdays.tolist()) == list(range(7))
    assert child.history_day.max() < MONDAY


def test_it_is_scaled_to_its_own_traffic_once_that_is_known() -> None:
    child = inherit(parent(), np.array([BORN]))
    walk(child, range(600, 721), 12.0)
    now = np.array([BORN + 721])
    assert season_at(child, now)[0] == pytest.approx(12 * daily(np.array(721)), rel=0.1)
    assert seasoned(child, Moments.of([BORN + 721]))[0]
    later = np.array([BORN + 1000])
    assert season_at(child, later)[0] == pytest.approx(12 * daily(np.array(1000)), rel=0.1)


def test_an_outage_on_the_first_morning_is_noticed_only_by_a_source_with_a_parent() -> None:
    raised = {}
    for name, state in (("child", inherit(parent(), np.array([BORN]))), ("alone", State.new(1))):
        assert not any(walk(state, range(400), 30.0))
        raised[name] = any(walk(state, range(400, 430), 9.0))
    assert raised == {"child": True, "alone": False}


def test_a_morning_that_rises_as_the_parents_is_no_surge() -> None:
    child = inherit(parent(), np.array([BORN]))
    assert not any(walk(child, range(0, MINUTES_PER_DAY), 30.0))


def test_each_day_of_its_own_takes_a_days_weight_and_after_four_weeks_nothing_is_left() -> None:
    child = inherit(parent(), np.array([BORN]))
    walk(child, range(MINUTES_PER_DAY + 1), 20.0)
    assert inherited_days(child).sum() == 7
    assert child.season_days.sum() == 8
    # the noon of each day that follows
    walk(child, range(MINUTES_PER_DAY * 3 // 2, MINUTES_PER_DAY * 17, MINUTES_PER_DAY), 20.0)
    assert 0 < inherited_days(child).sum() < 7
    walk(child, range(MINUTES_PER_DAY * 35 // 2, MINUTES_PER_DAY * 28, MINUTES_PER_DAY), 20.0)
    assert not inherited_days(child).any()


def test_shares_and_codes_come_along_but_weigh_little() -> None:
    child = inherit(parent(), np.array([BORN]))
    assert child.share_total.max() == pytest.approx(300)
    assert (child.share_seen / child.share_total).ravel() == pytest.approx(0.05)
    assert child.codes[0, :2].tolist() == ["51", "59"]


def test_a_parent_that_knows_no_day_gives_none() -> None:
    assert not has_season(State.new(2)).any()
    child = inherit(State.new(1), np.array([BORN]))
    assert not has_season(child)[0]
    assert not inherited_days(child).any()
    assert child.season.tolist() == State.new(1).season.tolist()


def test_a_source_without_a_parent_has_no_inherited_days() -> None:
    state = State.new(1)
    walk(state, range(200), 12.0)
    assert not inherited_days(state).any()


def test_a_child_without_traffic_keeps_a_season() -> None:
    child = inherit(parent(), np.array([BORN]))
    walk(child, range(MINUTES_PER_DAY + 10), 0.0)
    assert np.isfinite(child.season).all()
    assert (child.season > 0).all()
