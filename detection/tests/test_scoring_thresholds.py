"""From budget to thresholds."""

import numpy as np
import pytest

from detection.scoring.designs import DEARNESS, TESTS
from detection.scoring.thresholds import EFFECTIVE_TESTS, FLOOR, START, gumbel_threshold, unlearned


def maxima(days: int, scale: float, location: float) -> np.ndarray:
    drawn = np.random.default_rng(1).gumbel(location, scale, (1, days, TESTS))
    return np.where(np.arange(days)[None, :, None] < days, drawn, np.nan)


def test_quiet_maxima_exceed_the_threshold_as_often_as_the_budget_allows() -> None:
    budget = np.array([7.0])
    found = gumbel_threshold(maxima(2000, 2.0, 15.0), budget)[0] - DEARNESS
    fresh = np.random.default_rng(2).gumbel(15.0, 2.0, 200_000)
    assert (fresh > found.mean()).mean() == pytest.approx(1 / EFFECTIVE_TESTS, rel=0.1)


def test_silent_days_leave_the_floor() -> None:
    found = gumbel_threshold(np.zeros((1, 21, TESTS)), np.array([0.5]))
    assert (found[0] >= FLOOR + DEARNESS - 1e-9).all()


def test_a_larger_budget_lowers_every_threshold() -> None:
    few, many = (gumbel_threshold(maxima(14, 1.5, 6.0), np.array([one])) for one in (0.25, 7.0))
    assert (many < few).all()


def test_one_day_with_an_incident_moves_no_threshold_far() -> None:
    quiet = maxima(14, 1.0, 5.0)
    spoiled = quiet.copy()
    spoiled[0, 3] = 500.0
    budget = np.array([0.5])
    difference = gumbel_threshold(spoiled, budget) - gumbel_threshold(quiet, budget)
    assert difference.max() < 6.0


def test_unknown_days_give_the_threshold_to_start_with() -> None:
    nothing = np.full((1, 21, TESTS), np.nan)
    budget = np.array([0.5])
    np.testing.assert_allclose(gumbel_threshold(nothing, budget), unlearned(budget))
    assert unlearned(budget).min() == START
