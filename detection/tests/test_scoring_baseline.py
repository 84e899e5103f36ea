"""Season, level, shares, dispersion and clock against traffic whose truth is known."""

import numpy as np
import pytest

from detection.scoring.baseline import expect, season_at
from detection.scoring.dispersion import dispersion, learn_dispersion
from detection.scoring.minutes import Moments
from detection.scoring.phase import LIKELY, NEEDED, weigh_phases
from detection.scoring.season import fit_season, smooth_circular
from detection.scoring.shares import adopt_codes, hour_factor, learn_shares, shares
from detection.scoring.silence import habits, miss_probability
from detection.scoring.state import BINS, HISTORY_DAYS, State

MONDAY = 20_094
SHAPE = 50 + 40 * np.sin(2 * np.pi * np.arange(BINS) / BINS)


def history(days: int = 14) -> tuple[np.ndarray, np.ndarray]:
    rows = np.full((1, HISTORY_DAYS, BINS), np.nan)
    rows[0, :days] = SHAPE
    day = np.where(np.arange(HISTORY_DAYS) < days, MONDAY + np.arange(HISTORY_DAYS), -1)
    return rows, day[None]


def test_the_season_is_the_shape_of_the_days() -> None:
    season, factor, days = fit_season(*history())
    np.testing.assert_allclose(season[0, 0], smooth_circular(SHAPE), rtol=0.02)
    np.testing.assert_allclose(factor, 1, rtol=0.01)
    assert days.tolist() == [[10, 4]]


def test_one_day_of_outage_does_not_move_the_season() -> None:
    rows, day = history()
    rows[0, 2, 40:60] = 0
    season, _, _ = fit_season(rows, day)
    np.testing.assert_allclose(season[0, 0], smooth_circular(SHAPE), rtol=0.06)


def test_weekends_have_a_shape_of_their_own() -> None:
    rows, day = history()
    weekend = (day[0] + 3) % 7 >= 5
    rows[0, weekend & (day[0] >= 0)] = np.roll(SHAPE, 8)
    season, _, _ = fit_season(rows, day)
    np.testing.assert_allclose(season[0, 1], smooth_circular(np.roll(SHAPE, 8)), rtol=0.1)


def test_a_quiet_weekday_is_expected_to_be_quiet() -> None:
    rows, day = history()
    rows[0, ((day[0] + 3) % 7 == 2) & (day[0] >= 0)] *= 0.5
    _, factor, _ = fit_season(rows, day)
    assert 0.45 < factor[0, 2] / factor[0, 1] < 0.62


def test_nothing_known_is_flat() -> None:
    state = State.new(1)
    assert season_at(state, np.array([MONDAY * 1440 + 600])).tolist() == [1.0]


def learned_shares(minutes: int, denied: float) -> State:
    state = State.new(1)
    rates = np.zeros((1, 14))
    rates[0, 1] = denied
    total, live = np.array([100.0]), np.array([[True]])
    for _ in range(minutes):
        learn_shares(state, np.array([600]), rates, total, total, live)
    return state


def test_a_share_is_what_was_seen() -> None:
    state = learned_shares(600, 7.0)
    found = shares(state)[0, 1] * hour_factor(state, np.array([600]))[0]
    assert found == pytest.approx(0.07, rel=0.03)


def test_an_hour_with_more_denials_is_expected_to_have_them() -> None:
    state, random = State.new(1), np.random.default_rng(1)
    total, live = np.array([600.0]), np.array([[True]])
    for minute in range(7 * 1440):
        time = np.array([minute % 1440])
        wave = 1 + 0.15 * np.sin(2 * np.pi * time / 1440)
        rates = np.zeros((1, 14))
        rates[0, 1] = random.poisson(42 * wave[0])
        learn_shares(state, time, rates, total, total, live)
    ratio = hour_factor(state, np.array([360])) / hour_factor(state, np.array([1080]))
    assert ratio[0] == pytest.approx(1.15 / 0.85, rel=0.08)


@pytest.mark.parametrize("first", [1.0, 1_000.0])
def test_the_first_minutes_of_a_source_say_nothing_of_their_hour(first: float) -> None:
    state, live = State.new(1), np.array([[True]])
    for minute in range(60):
        total = np.array([first if minute == 0 else 1_000.0])
        rates = np.zeros((1, 14))
        rates[0, 1] = 0.04 * total[0]
        learn_shares(state, np.array([minute]), rates, total, total, live)
    assert hour_factor(state, np.array([30]))[0] == pytest.approx(1, abs=0.03)


def test_a_status_never_seen_is_rare_but_not_impossible() -> None:
    share = shares(learned_shares(600, 7.0))[0, 2]
    assert 0 < share < 1 / 50_000


def test_codes_get_slots_until_there_are_none_and_stale_ones_are_given_away() -> None:
    state = State.new(1)
    for number in range(9):
        adopt_codes(state, np.zeros((1, 8)), [{f"{number:02d}": 5.0}])
    assert "00" in state.codes[0].tolist()
    state.code_use[0, 2] = 0.1
    adopt_codes(state, np.zeros((1, 8)), [{"77": 5.0}])
    assert state.codes[0, 2] == "77"


def test_the_scatter_of_clustered_counts_is_found() -> None:
    random = np.random.default_rng(4)
    state, live = State.new(1), np.array([[True]])
    channels = state.residual.shape[1]
    meant = np.full((1, channels), 20.0)
    for _ in range(4000):
        seen = random.negative_binomial(20.0, 0.5, (1, channels)).astype(float)
        learn_dispersion(state, seen, meant, live)
    width = dispersion(state, meant)
    assert width.scatter.mean() == pytest.approx(2.0, rel=0.1)
    assert width.swing.mean() == pytest.approx(1.0, rel=0.15)


def test_a_drifting_level_is_swing_and_not_scatter() -> None:
    random = np.random.default_rng(4)
    state, live = State.new(1), np.array([[True]])
    channels = state.residual.shape[1]
    meant = np.full((1, channels), 100.0)
    for minute in range(4000):
        drift = 1 + 0.2 * np.sin(minute / 20)
        learn_dispersion(state, random.poisson(meant * drift).astype(float), meant, live)
    assert dispersion(state, meant).swing.mean() > 3


def test_a_source_that_never_misses_makes_silence_loud() -> None:
    state = State.new(1)
    state.minutes[:] = 5000
    width = dispersion(state, np.full((1, state.residual.shape[1]), 50.0))
    assert miss_probability(habits(state), np.array([50.0]), width)[0] < 1e-3


def test_a_clock_an_hour_off_is_noticed_within_a_day() -> None:
    state = State.new(1)
    seasons = {shift: np.roll(SHAPE, -shift // 15) for shift in (-60, 0, 60)}
    for quarter in range(BINS):
        now = np.array([[seasons[-60][quarter], seasons[0][quarter], seasons[60][quarter]]])
        mean = np.array([seasons[60][quarter]])
        weigh_phases(state, now, mean, 15.0, np.ones(1), np.array([True]))
        if state.phase[0]:
            break
    assert state.phase[0] == 60
    assert quarter > NEEDED / 2


def test_volume_is_judged_by_the_likelier_reading_of_the_clock_too() -> None:
    state = State.new(1)
    state.season[:] = 100 + 50 * np.sin(2 * np.pi * np.arange(BINS) / BINS)
    state.season_days[:] = 5
    morning = Moments(np.array([180]), np.array([180]))
    told = expect(state, morning)
    assert (told.least[0], told.most[0]) == (1.0, 1.0)
    state.phase_evidence[0, 0] = (LIKELY, 0, 0)
    late = expect(state, morning)
    hour_ago = expect(state, Moments(np.array([120]), np.array([120]))).fast[0]
    assert late.channels[0, 0] == pytest.approx(hour_ago)
    assert late.channels[0, 1] == pytest.approx(told.channels[0, 1])


def test_quarter_hours_never_seen_are_expected_to_be_like_the_others() -> None:
    rows, day = history(1)
    rows[0, 0, :40] = np.nan
    season, _, _ = fit_season(rows, day)
    assert season[0, 0, 10] == pytest.approx(SHAPE[40:].mean(), rel=0.1)
