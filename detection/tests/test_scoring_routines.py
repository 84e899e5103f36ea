"""Shares that rise at the same time every night call nobody; failures do, however often."""

import zlib

import numpy as np
import pytest

from detection.bench.lockstep import unknown, walk
from detection.bench.opening_hours import MONDAY, from_monday
from detection.bench.routines import DENIED, FAILED, Run, mean, with_share
from detection.scoring.inheriting import inherit
from detection.scoring.minutes import Moments
from detection.scoring.routines import learn_routines, routine_factor
from detection.scoring.series import CODE_SLOTS, FAMILIES, FIRST_CODE, MINUTES_PER_DAY, RATE_SERIES
from detection.scoring.shares import adopt_codes
from detection.scoring.state import FIRST_PART, LATER_LAYOUT, State

DENIALS = RATE_SERIES.index("denied")
REVERSALS = RATE_SERIES.index("reversed")
FAILURES = RATE_SERIES.index("failed")
HALF_PAST_TWO = np.array([150])


def night(state: State, day: int, series: int, times: float, last: int = 30) -> None:
    """Minutes from half past two on in which so many times the share of a series came."""
    for minute in range(150, 150 + last):
        meant = np.full((1, len(RATE_SERIES)), 10.0)
        rates = meant.copy()
        rates[0, series] *= times
        moments = Moments.of([(MONDAY + day) * MINUTES_PER_DAY + minute])
        learn_routines(state, moments, rates, meant, np.full(meant.shape, 1.5), np.array([True]))


def known(state: State, series: int = DENIALS, at: np.ndarray = HALF_PAST_TWO) -> float:
    return round(float(routine_factor(state, at)[0, series]), 1)


def after(nights: dict[int, float], series: int = DENIALS, days: int = 0) -> State:
    state = State.new(1)
    for day in range(max(days, max(nights) + 1)):
        night(state, day, series, nights.get(day, 1.0))
    return state


@pytest.mark.parametrize("series", [DENIALS, REVERSALS, FIRST_CODE])
def test_what_rises_on_three_days_in_a_row_is_a_routine(series: int) -> None:
    assert known(after({0: 3.0, 1: 3.0}, series), series) == 1.0
    state = after({0: 3.0, 1: 2.5, 2: 3.5}, series)
    assert known(state, series) == pytest.approx(3, abs=0.3)
    assert known(state, FAILURES) == 1.0


def test_failures_never_become_one() -> None:
    assert known(after(dict.fromkeys(range(20), 5.0), FAILURES), FAILURES) == 1.0


def test_what_rises_every_week_is_one_from_the_fifth_on() -> None:
    mondays = {7 * week: 3.0 for week in range(4)}
    assert known(after(dict(list(mondays.items())[:3]), days=21)) == 1.0
    assert known(after(mondays, days=28)) == pytest.approx(3, abs=0.3)


def test_what_differs_or_hardly_rises_is_none() -> None:
    assert known(after({0: 2.0, 1: 9.0, 2: 2.0, 3: 9.0})) == 1.0
    assert known(after(dict.fromkeys(range(20), 1.3))) == 1.0


def test_a_routine_outlives_a_weekend_and_not_a_month() -> None:
    daily = dict.fromkeys(range(5), 3.0)
    assert known(after(daily, days=7)) > 2
    assert known(after(daily, days=40)) == 1.0


def test_it_may_be_a_quarter_of_an_hour_early_or_late() -> None:
    state = after(dict.fromkeys(range(3), 3.0))
    found = [known(state, at=np.array([minute])) > 1 for minute in (134, 135, 149, 180, 194, 195)]
    assert found == [False, True, True, True, True, False]


def test_what_fills_no_second_quarter_hour_may_have_been_a_few_minutes() -> None:
    state = State.new(1)
    for day in range(3):
        night(state, day, REVERSALS, 2.0, last=15)
    assert known(state, REVERSALS) == pytest.approx(7, abs=0.5)


def test_a_child_takes_over_the_routines_of_its_parent() -> None:
    parent = after(dict.fromkeys(range(3), 3.0))
    assert known(inherit(parent, np.array([(MONDAY + 9) * MINUTES_PER_DAY]))) > 2


def test_another_code_in_the_slot_has_no_routine() -> None:
    state = after(dict.fromkeys(range(3), 3.0), FIRST_CODE)
    adopt_codes(state, np.zeros((1, CODE_SLOTS)), [{"77": 5.0}])
    assert state.codes[0, 0] == "77"
    assert known(state, FIRST_CODE) == 1.0


def test_a_state_of_the_release_before_has_none_and_that_release_reads_those_of_this() -> None:
    state = after(dict.fromkeys(range(3), 3.0))
    (blob,) = state.pack()
    assert known(State.unpack([blob])) == known(state)
    # what it reads: one stream behind the header, whatever follows
    first = zlib.decompress(blob[4:])
    assert FIRST_PART.read(first).keys().isdisjoint(LATER_LAYOUT)
    whole = blob[:4] + zlib.compress(first)
    old = State.unpack([whole])
    assert known(old) == 1.0
    assert old.history.shape == state.history.shape
    for damaged in (blob[:-5], blob[:-20] + b"x" * 20, whole[:-1], whole[:-50]):
        with pytest.raises(ValueError, match="packed state"):
            State.unpack([damaged])


def test_a_nightly_run_calls_nobody_and_a_failure_in_it_does() -> None:
    nights, hours = 8, 240
    day, minute = np.divmod(np.arange(nights * MINUTES_PER_DAY), MINUTES_PER_DAY)
    rates = mean(Run(DENIED, 0.18, 120, 30), 200, day, minute)
    failing = slice(7 * MINUTES_PER_DAY + 130, 7 * MINUTES_PER_DAY + 145)
    rates[failing] = with_share(rates[failing], FAILED, 0.25)
    status = np.random.default_rng(2).poisson(rates)[:, None].astype(float)
    stretch = from_monday(status, np.ones((len(status), 1), bool))
    level = np.zeros((len(status), len(FAMILIES)), int)
    for number, scores in walk(unknown(1), stretch, np.flatnonzero(minute < hours)):
        level[number] = scores.family_level[0]
    by_night = level.reshape(nights, MINUTES_PER_DAY, -1)[:, :hours].max((1, 2))
    # nights 0 to 2 are too early to be known by, 3 to 5 tell
    assert by_night[3:6].all()
    assert by_night[6] == 0
    told = level[failing, FAMILIES.index("technical_failure")]
    assert told.argmax() in range(1, 5)
