"""Sources whose volume steps up or down within a minute, the same every day."""

import numpy as np
import pytest

from detection.bench.lockstep import unknown, walk
from detection.bench.sharp_steps import SHAPES, Kind, made
from detection.scoring.baseline import expect, follow_level
from detection.scoring.detector import score
from detection.scoring.inheriting import inherit
from detection.scoring.minutes import Counts, Moments
from detection.scoring.policy import Policy
from detection.scoring.recurring import without_doubtful
from detection.scoring.season import fit_season, smooth_circular
from detection.scoring.series import FAMILIES, MINUTES_PER_DAY
from detection.scoring.state import BINS, HISTORY_DAYS, State
from detection.scoring.steps import near_step, steps

# A Monday.
FIRST = 20_514
TWO, BATCH = 8, slice(8, 10)
VOLUME = [FAMILIES.index(name) for name in ("silence", "volume_low", "volume_high")]


def days_of(shape: np.ndarray, days: int = 14) -> tuple[np.ndarray, np.ndarray]:
    rows = np.full((1, HISTORY_DAYS, BINS), np.nan)
    rows[0, :days] = shape
    day = np.where(np.arange(HISTORY_DAYS) < days, FIRST + np.arange(HISTORY_DAYS), -1)
    return rows, day[None]


def nightly(factor: float = 4.0, volume: float = 50.0) -> np.ndarray:
    shape = np.full(BINS, volume)
    shape[BATCH] *= factor
    return shape


def found(rows: np.ndarray) -> list[int]:
    known = np.isfinite(rows)
    seen = np.where(known, rows, 0.0)
    mean = seen.sum(1) / np.maximum(known.sum(1), 1)
    edges = steps(mean, smooth_circular(mean), seen, known.astype(float))
    return np.flatnonzero(edges[0]).tolist()


@pytest.mark.parametrize("factor", [0.02, 0.3, 2.0, 4.0])
def test_nobody_averages_across_a_step(factor: float) -> None:
    rows, day = days_of(nightly(factor))
    assert found(rows) == [TWO - 1, TWO + 1]
    season, _, _ = fit_season(rows, day)
    for kind in season[0]:
        np.testing.assert_allclose(kind, nightly(factor), rtol=0.02)


def test_a_morning_that_rises_elevenfold_in_three_hours_is_no_step() -> None:
    shape = np.full(BINS, 10.0)
    shape[24:36] = 10 * 11 ** (np.arange(1, 13) / 12)
    shape[36:] = 110
    shape[72:] = 110 * 11 ** (-np.arange(1, 25) / 24)
    assert found(days_of(shape)[0]) == []


def test_chance_and_what_happened_once_are_no_steps() -> None:
    random = np.random.default_rng(3)
    rows, _ = days_of(np.full(BINS, 2.0))
    rows[0, :14] = random.poisson(30.0, (14, BINS)) / 15
    assert found(rows) == []
    rows, _ = days_of(nightly(1.0))
    rows[0, 3, BATCH] *= 40
    assert found(rows) == []


def test_a_kind_of_day_has_steps_of_its_own() -> None:
    rows, day = days_of(nightly(1.0))
    rows[0, [5, 6, 12, 13]] = nightly(4.0)
    season, _, _ = fit_season(rows, day)
    assert season[0, 1, TWO] / season[0, 1, TWO - 1] > 2.5
    assert season[0, 0, TWO] / season[0, 0, TWO - 1] == pytest.approx(1, abs=0.2)


def known_by(shape: np.ndarray) -> State:
    state = State.new(1)
    state.season[:], state.weekday_factor[:], state.season_days[:] = fit_season(*days_of(shape))
    state.level_seen[:] = state.level_expected[:] = 1000
    return state


def moment(hour: float) -> Moments:
    return Moments.of([(FIRST + 15) * MINUTES_PER_DAY + round(hour * 60)])


@pytest.mark.parametrize(
    ("hour", "volume", "least", "most"),
    [
        (1.5, 50, 50, 50),
        (1.9, 50, 50, 200),
        (2.1, 200, 50, 200),
        (2.4, 200, 50, 200),
        (3, 50, 50, 50),
    ],
)
def test_about_a_step_either_side_of_it_is_usual(
    hour: float, volume: float, least: float, most: float
) -> None:
    expected = expect(known_by(nightly()), moment(hour))
    assert expected.fast[0] == pytest.approx(volume, rel=0.03)
    below, above, drift = expected.channels[0]
    assert below == drift == pytest.approx(least, rel=0.03)
    assert above == pytest.approx(most, rel=0.03)
    assert bool(expected.stepping[0]) == (least < most)


def test_about_a_step_the_level_stays() -> None:
    state = known_by(nightly())
    level = state.level_seen / state.level_expected
    for hour in (1.9, 2.0, 2.1):
        follow_level(state, expect(state, moment(hour)), np.array([50.0]), np.array([True]))
    np.testing.assert_allclose(state.level_seen / state.level_expected, level)
    follow_level(state, expect(state, moment(3)), np.array([80.0]), np.array([True]))
    assert (state.level_seen / state.level_expected > level).all()


def test_the_band_that_is_shown_reaches_to_both_sides_of_a_step() -> None:
    state, counts = (
        known_by(nightly()),
        Counts(np.zeros((1, 6)), np.zeros((1, 8)), np.array([True])),
    )
    counts.status[0, 0] = 55
    policy, closed = Policy.defaults(1), np.array([True])
    for hour, least, most in ((2.1, 50, 200), (3, 50, 50)):
        scores = score(state, policy, moment(hour), counts, closed=closed)
        assert scores.total_lower[0] < 0.9 * least
        assert scores.total_upper[0] > 1.1 * most
        assert (scores.total_lower[0] > 0.3 * least) & (scores.total_upper[0] < 1.8 * most)
        assert abs(scores.z_total[0]) < 2


def test_five_quarter_hours_say_whether_a_step_is_near() -> None:
    flat = [50.0, 50, 50, 50, 50]
    around = np.array([flat, [50, 50, 50, 30, 30], [60, 60, 50, 42, 42], [20, 20, 50, 50, 50]])
    rows, least, most = near_step(around)
    assert rows.tolist() == [1, 3]
    assert least.tolist() == [30, 20]
    assert most.tolist() == [50, 50]


def test_a_job_may_lie_within_some_minutes_of_its_quarter_hour() -> None:
    around = np.array([[50.0, 50, 60, 50, 50], [50, 50, 50, 100, 50], [50, 40, 50, 50, 50]])
    rows, least, most = near_step(around)
    assert rows.tolist() == [0, 1, 2]
    assert least.tolist() == [50, 50, 0]
    assert most.tolist() == [110, 350, 50]
    far = np.array([[100.0, 50, 50, 50, 50]])
    assert near_step(far)[0].size == 0


@pytest.mark.parametrize("factor", [0.8, 1.25, 3.0])
def test_a_quarter_hour_that_stands_out_alone_keeps_its_volume(factor: float) -> None:
    shape = np.full(BINS, 50.0)
    shape[TWO] *= factor
    rows, day = days_of(shape)
    season, _, _ = fit_season(rows, day)
    for kind in season[0]:
        np.testing.assert_allclose(kind, shape, rtol=0.02)


def doubted(nights: list[int], factor: float = 4.0) -> tuple[np.ndarray, np.ndarray]:
    rows, day = days_of(nightly(1.0))
    for night in nights:
        rows[0, night, BATCH] *= -factor
    return rows, day


def expected_at_two(rows: np.ndarray, day: np.ndarray) -> list[bool]:
    """Whether the batch is expected on weekdays, and at the weekend."""
    season, _, _ = fit_season(rows, day)
    return [bool(kind[TWO] > 2.5 * kind[TWO - 4]) for kind in season[0]]


def test_three_alarms_at_the_same_hour_on_three_days_in_a_row_are_a_habit() -> None:
    assert expected_at_two(*doubted([8, 9])) == [False, False]
    assert expected_at_two(*doubted([7, 9, 11])) == [False, False]
    assert expected_at_two(*doubted([7, 8, 9])) == [True, False]
    # the weekend waits for two of its own days, once the weekdays have it
    assert expected_at_two(*doubted([9, 10, 11, 12])) == [True, False]
    assert expected_at_two(*doubted([9, 10, 11, 12, 13])) == [True, True]
    assert expected_at_two(*doubted([12, 13])) == [False, False]


def test_a_habit_goes_on_when_it_raises_no_alarm_any_more_and_ends_as_it_began() -> None:
    rows, day = doubted([2, 3, 4])
    rows[0, 7:12, BATCH] = 200
    assert expected_at_two(rows, day)[0]
    rows[0, 9:12, BATCH] = -50
    assert not expected_at_two(rows, day)[0]


def test_alarms_that_differ_are_no_habit() -> None:
    rows, day = doubted([7, 8, 9])
    rows[0, 8, BATCH] = -20
    assert not expected_at_two(rows, day)[0]


def weekly(weekday: int, factor: float, weeks: int = 2) -> tuple[np.ndarray, np.ndarray]:
    rows, day = days_of(nightly(1.0))
    rows[0, [weekday + 7 * week for week in range(2 - weeks, 2)], BATCH] *= -factor
    return rows, day


@pytest.mark.parametrize("weekday", [0, 5])
@pytest.mark.parametrize("factor", [0.0, 0.3, 4.0])
def test_what_two_mondays_had_the_third_is_expected_to_have(weekday: int, factor: float) -> None:
    rows, day = weekly(weekday, factor)
    kind = int(weekday >= 5)
    for ahead in range(14, 21):
        season, _, _ = fit_season(rows, day, np.array([FIRST + ahead]))
        wanted = factor if ahead % 7 == weekday else 1.0
        at_two, before = season[0, kind if ahead % 7 == weekday else 0, [TWO, TWO - 4]]
        assert at_two == pytest.approx(wanted * before, rel=0.25, abs=3)


def test_a_habit_of_all_weekdays_holds_on_those_that_did_not_have_it_yet() -> None:
    rows, day = doubted([9, 10, 11])
    for ahead in range(14, 19):
        season, _, _ = fit_season(rows, day, np.array([FIRST + ahead]))
        assert season[0, 0, TWO] > 2.5 * season[0, 0, TWO - 4]


def test_one_monday_is_no_habit_nor_are_two_that_differ() -> None:
    third = np.array([FIRST + 14])
    for rows, day in (weekly(0, 4.0, weeks=1), weekly(0, 4.0)):
        rows[0, 0, BATCH] = 50
        season, _, _ = fit_season(rows, day, third)
        assert season[0, 0, TWO] == pytest.approx(50, rel=0.05)
    rows, day = weekly(0, 4.0)
    rows[0, 0, BATCH] = 80
    season, _, _ = fit_season(rows, day, third)
    assert season[0, 0, TWO] == pytest.approx(50, rel=0.1)


def test_a_loud_monday_is_no_step_in_each_of_its_quarter_hours() -> None:
    rows, day = days_of(nightly(1.0))
    rows[0, [0, 7]] *= 2
    season, factor, _ = fit_season(rows, day, np.array([FIRST + 14]))
    assert factor[0, 0] * season[0, 0].mean() == pytest.approx(100, rel=0.2)
    assert factor[0, 1] * season[0, 0].mean() == pytest.approx(50, rel=0.2)


def test_where_little_is_known_what_is_doubtful_is_known_too() -> None:
    rows, day = days_of(nightly(1.0), days=3)
    rows[0, 2, BATCH] = -200
    volume, known = without_doubtful(rows, day)
    assert known[0, :3].all()
    assert not known[0, 3:].any()
    assert volume[0, 2, TWO] == 200
    rows, day = doubted([3])
    _, known = without_doubtful(rows, day)
    assert np.argwhere(~known[0, :14]).tolist() == [[3, TWO], [3, TWO + 1]]


def test_a_child_doubts_what_its_parent_doubts() -> None:
    parent = known_by(nightly())
    rows, day = doubted([9])
    parent.history[:] = np.copysign(np.log1p(np.abs(rows)), rows)
    parent.history_day[:] = day
    child = inherit(parent, np.array([(FIRST + 20) * MINUTES_PER_DAY]))
    days, quarters = np.nonzero(child.history[0] < 0)
    assert len(set(days)) == 1
    assert quarters.tolist() == [TWO, TWO + 1]


def test_a_batch_of_every_night_calls_nobody_from_the_fourth_on_and_its_loss_does() -> None:
    kind = Kind("batch", 200, SHAPES["four times from 2:07, half an hour"])
    lost = (4, 135, 155, 0.1)
    stretch = made(5, [lost], [kind], days=5)
    levels = np.zeros(len(stretch.reported), int)
    for minute, scores in walk(unknown(1), stretch, range(len(levels))):
        levels[minute] = scores.family_level[0, VOLUME].max()
    loss = slice(4 * MINUTES_PER_DAY + 135, 4 * MINUTES_PER_DAY + 155)
    assert levels[loss].argmax() in range(1, 6)
    nights = levels.reshape(5, MINUTES_PER_DAY)[2:4, 60:240]
    assert (nights.any(1) <= [True, False]).all()
