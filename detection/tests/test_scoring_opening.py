"""Sources that close: nobody is called at every closing, and outages are found as before."""

import numpy as np
import pytest

from detection.bench.lockstep import unknown, walk
from detection.bench.opening_hours import CLOSED_SUNDAY, MONDAY, Kind, made, with_outages
from detection.scoring.baseline import season_at
from detection.scoring.opening import closings, idle_days, once_empty, shut_hours
from detection.scoring.season import fit_season, smooth_circular
from detection.scoring.series import FAMILIES, MINUTES_PER_DAY
from detection.scoring.state import BINS, HISTORY_DAYS, State

OPEN = slice(8 * 4, 20 * 4)
CALM_FROM, OUTAGE_DAY, DAYS = 2, 9, 10
NOON = 12 * 60
VOLUME = [FAMILIES.index(name) for name in ("silence", "volume_low", "volume_high")]


def shop(volume: float = 20.0, days: int = 14) -> tuple[np.ndarray, np.ndarray]:
    rows = np.full((1, HISTORY_DAYS, BINS), np.nan)
    rows[0, :days] = 0.0
    rows[0, :days, OPEN] = volume
    day = np.where(np.arange(HISTORY_DAYS) < days, MONDAY + np.arange(HISTORY_DAYS), -1)
    return rows, day[None]


def test_the_season_of_a_shop_has_sharp_edges() -> None:
    season, _, _ = fit_season(*shop())
    assert season[0, 0, 8 * 4] == pytest.approx(20, rel=0.05)
    assert season[0, 0, 20 * 4 - 1] == pytest.approx(20, rel=0.05)
    assert season[0, 0, 20 * 4] < 0.01


def test_an_edge_needs_proof() -> None:
    shape = shop(volume=0.05)[0][0, 0][None]
    assert not closings(shape, np.full(shape.shape, 14.0)).any()
    shape = shop()[0][0, 0][None]
    edges = closings(shape, np.full(shape.shape, 14.0))
    assert np.flatnonzero(edges[0]).tolist() == [8 * 4 - 1, 20 * 4 - 1]
    np.testing.assert_allclose(smooth_circular(shape, edges), shape, atol=1e-9)


def test_an_outage_is_no_closing_and_a_closing_no_outage() -> None:
    rows, day = shop()
    rows[0, 3, 40:44] = 0
    assert np.argwhere(once_empty(rows, np.isfinite(rows), day)[0]).tolist() == [
        [3, quarter] for quarter in range(40, 44)
    ]


def test_a_quarter_hour_that_is_empty_by_chance_is_a_quarter_hour() -> None:
    rows, day = shop(volume=0.2)
    rows[0, 3, 40:44] = 0
    assert not once_empty(rows, np.isfinite(rows), day).any()


def test_sundays_off_are_known_from_a_day_of_outage() -> None:
    rows, day = shop()
    rows[0, [6, 13]] = 0
    rows[0, 2] = 0
    idle, stopped = idle_days(rows, day >= 0, day)
    assert np.flatnonzero(idle[0]).tolist() == [6, 13]
    assert np.flatnonzero(stopped[0]).tolist() == [2]
    season, factor, days = fit_season(rows, day)
    assert season[0, 0, 48] == pytest.approx(20, rel=0.05)
    assert factor[0, 6] < 0.001
    assert factor[0, :6] == pytest.approx(np.ones(6), rel=0.01)
    assert days.tolist() == [[9, 4]]


def known_by(rows: np.ndarray, day: np.ndarray) -> State:
    """A source whose past days these are, at the end of them."""
    state = State.new(1)
    state.history[:] = np.log1p(rows)
    state.history_day[:] = day
    state.season[:], state.weekday_factor[:], state.season_days[:] = fit_season(rows, day)
    return state


def expected(state: State, weekday: int, hour: float) -> float:
    minute = (MONDAY + 2 * 7 + weekday) * MINUTES_PER_DAY + int(hour * 60)
    return float(season_at(state, np.array([minute]))[0])


def test_a_late_thursday_is_expected_on_thursdays_only() -> None:
    rows, day = shop()
    rows[0, [3, 10], 20 * 4 : 22 * 4] = 20
    state = known_by(rows, day)
    assert expected(state, weekday=3, hour=21) == pytest.approx(20, rel=0.05)
    assert expected(state, weekday=3, hour=12) == pytest.approx(20, rel=0.05)
    assert expected(state, weekday=3, hour=22.5) < 0.1
    assert expected(state, weekday=0, hour=21) < 0.1
    assert expected(state, weekday=0, hour=12) == pytest.approx(20, rel=0.05)


def test_a_half_wednesday_has_a_whole_morning_and_no_afternoon() -> None:
    rows, day = shop()
    rows[0, [2, 9], 13 * 4 :] = 0
    state = known_by(rows, day)
    assert expected(state, weekday=2, hour=11) == pytest.approx(20, rel=0.05)
    assert expected(state, weekday=2, hour=15) < 0.1
    assert expected(state, weekday=1, hour=15) == pytest.approx(20, rel=0.05)


def test_a_day_off_begins_and_ends_at_midnight() -> None:
    rows, day = shop()
    rows[0, :14] = 20
    rows[0, [6, 13]] = 0
    state = known_by(rows, day)
    assert expected(state, weekday=5, hour=23.9) == pytest.approx(20, rel=0.05)
    assert expected(state, weekday=6, hour=0.1) < 0.1
    assert expected(state, weekday=7, hour=0.1) == pytest.approx(20, rel=0.05)


def test_hours_of_a_weekday_need_two_days_and_a_source_that_rests() -> None:
    rows, day = shop()
    none = np.zeros(1, bool)
    rows[0, 2, 13 * 4 : 20 * 4] = 0
    assert not shut_hours(rows, np.isfinite(rows), day, none).any()
    rows[0, 9, 13 * 4 : 20 * 4] = 0
    shut = shut_hours(rows, np.isfinite(rows), day, none)
    assert sorted(set(np.argwhere(shut)[:, 1].tolist())) == [2, 9]
    assert np.flatnonzero(shut[0, 2]).tolist() == list(range(13 * 4, 20 * 4))
    rows[0, :14] = np.where(rows[0, :14] == 0, 5, rows[0, :14])
    rows[0, [2, 9], 13 * 4 : 20 * 4] = 0
    assert not shut_hours(rows, np.isfinite(rows), day, none).any()
    assert shut_hours(rows, np.isfinite(rows), day, ~none).any()


def test_a_silent_sunday_is_remembered_though_nothing_tells_how_the_source_says_none() -> None:
    kinds = (Kind("never empty", 20, zeros=False, week=CLOSED_SUNDAY),)
    state = unknown(1)
    until_monday = range(5 * MINUTES_PER_DAY, 7 * MINUTES_PER_DAY + 1)
    for _ in walk(state, made(seed=3, kinds=kinds, days=8), until_monday):
        pass
    of_day = dict(zip(state.history_day[0].tolist(), state.history[0], strict=True))
    assert (of_day[MONDAY + 6] == 0).all()
    assert (of_day[MONDAY + 5] > 0).all()


def test_a_shop_that_reports_zeros_is_learned_from_its_first_transaction_on() -> None:
    kinds = (Kind("zeros", 20, zeros=True),)
    state = unknown(1)
    morning = range(8 * 60)
    for _ in walk(state, made(seed=3, kinds=kinds, days=1), morning):
        pass
    assert state.minutes.tolist() == [0]
    for _ in walk(state, made(seed=3, kinds=kinds, days=1), range(8 * 60, 9 * 60)):
        pass
    assert state.minutes.tolist() == [60]


def test_after_its_first_night_a_shop_expects_what_came_the_day_before() -> None:
    kinds = (Kind("mute", 20, zeros=False), Kind("zeros", 20, zeros=True))
    minutes = walk(unknown(2), made(seed=3, kinds=kinds, days=2), range(33 * 60))
    found = [(scores.level, scores.expectation.channels) for _, scores in minutes]
    level, channels = (np.array(part) for part in zip(*found, strict=True))
    noon, second_morning = slice(10 * 60, 20 * 60), slice(32 * 60 + 15, 33 * 60)
    assert not level[noon].any()
    assert not level[second_morning].any()
    np.testing.assert_allclose(channels[second_morning], 20, rtol=0.25)


def test_a_day_of_zeros_is_one_alarm_and_moves_nothing() -> None:
    kinds = (Kind("zeros", 20, zeros=True, week=CLOSED_SUNDAY),)
    from_friday = range(4 * MINUTES_PER_DAY, 7 * MINUTES_PER_DAY + 60)
    minutes = walk(unknown(1), made(seed=3, kinds=kinds, days=8), from_friday)
    level = np.array([scores.level[0] for _, scores in minutes])
    sunday = slice(2 * MINUTES_PER_DAY, 3 * MINUTES_PER_DAY)
    assert not level[: sunday.start].any()
    assert level[sunday][5:].all()
    assert not level[sunday.stop + 5 :].any()


@pytest.fixture(scope="module")
def levels() -> np.ndarray:
    """What is said of the volume of two shops in ten days, one of which reports its zeros.

    At the last noon there is an outage.
    """
    shops = (Kind("mute", 20, zeros=False), Kind("zeros", 20, zeros=True))
    quiet = made(seed=3, kinds=shops, days=DAYS)
    stretch = with_outages(quiet, shops, [(OUTAGE_DAY, NOON, NOON + 60)])
    minutes = walk(unknown(len(shops)), stretch, range(DAYS * MINUTES_PER_DAY))
    found = [scores.family_level[:, VOLUME].max(1) for _, scores in minutes]
    return np.array(found).reshape(DAYS, MINUTES_PER_DAY, len(shops))


def test_who_closes_every_night_calls_nobody(levels: np.ndarray) -> None:
    assert not levels[CALM_FROM:OUTAGE_DAY].any()
    assert not levels[OUTAGE_DAY, :NOON].any()


def test_an_outage_of_a_shop_is_found_at_once_and_is_over_with_it(levels: np.ndarray) -> None:
    at_noon = levels[OUTAGE_DAY, NOON : NOON + 60] > 0
    assert (at_noon.argmax(0) <= 3).all()
    assert at_noon.any(0).all()
    assert not levels[OUTAGE_DAY, NOON + 75 :].any()
