"""Evidence of single minutes and its sum against plain loops."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import nbinom, poisson

from detection.scoring import designs
from detection.scoring.alarm import CRITICAL_MINUTES, next_alarm, return_gain, strong_minutes
from detection.scoring.cusum import accumulate, negative_binomial_gain, poisson_gain
from detection.scoring.series import Floats


@given(st.integers(0, 300), st.floats(0.01, 200), st.sampled_from([0.1, 0.4, 1.5, 6.0]))
def test_the_poisson_gain_is_the_ratio_of_likelihoods(seen, meant, rho) -> None:
    expected = poisson.logpmf(seen, rho * meant) - poisson.logpmf(seen, meant)
    found = poisson_gain(np.array(float(seen)), np.array(meant), np.log(rho), rho - 1)
    assert float(found) == pytest.approx(expected, rel=1e-6, abs=1e-6)


@given(st.integers(0, 100), st.floats(0.05, 100), st.floats(1.05, 5))
def test_the_clustered_gain_is_the_ratio_of_likelihoods(seen, meant, scatter) -> None:
    shape = (1, len(designs.CHANNELS))
    gain = negative_binomial_gain(
        np.full(shape, float(seen)), np.full(shape, meant), np.full(shape, scatter)
    )[0]
    size = meant / (scatter - 1)
    for test in (0, 5, designs.TESTS - 2):
        shifted = nbinom.logpmf(seen, size * designs.RHO[test], 1 / scatter)
        expected = shifted - nbinom.logpmf(seen, size, 1 / scatter)
        assert gain[test] == pytest.approx(expected, rel=1e-5, abs=1e-4)


def test_the_sum_is_the_plain_loops() -> None:
    gains = np.random.default_rng(5).normal(size=200)
    plain = 0.0
    total: Floats = np.zeros(1)
    for gain in gains:
        total = accumulate(total, np.array([gain]), np.array([1.5]), np.array([6.0]))
        plain = min(max(plain + min(gain, 1.5), 0.0), 6.0)
        assert total[0] == pytest.approx(plain)


@given(st.lists(st.floats(-50, 50), max_size=50))
def test_evidence_stays_between_nothing_and_its_top(gains) -> None:
    total: Floats = np.zeros(1)
    for gain in gains:
        total = accumulate(total, np.array([gain]), np.array([3.0]), np.array([10.0]))
        assert 0 <= total[0] <= 10


def test_a_normal_count_speaks_for_a_return_and_a_shifted_one_against() -> None:
    ratio = np.array(3.0)
    assert return_gain(np.array(10.0), np.array(10.0), ratio) > 1
    assert return_gain(np.array(30.0), np.array(10.0), ratio) < -1


def level(evidence: float, strong: int, gain: float = 1.0) -> int:
    yes, no = np.array([[True]]), np.array([[False]])
    found = next_alarm(
        np.zeros((1, 1), np.int8),
        np.array([[evidence]]),
        np.array([[10.0]]),
        np.array([[gain]]),
        np.array([[strong >= CRITICAL_MINUTES]]),
        yes,
        no,
    )
    return int(found[0, 0])


def test_two_minutes_are_never_critical() -> None:
    assert [level(9, 5), level(11, 5), level(20, 2), level(20, 3)] == [0, 1, 1, 2]


def test_a_quiet_minute_between_begins_the_count_of_strong_ones_anew() -> None:
    strong, threshold = np.zeros(1, np.int64), np.array([10.0])
    for gain in (6.0, 6.0, 0.5, 6.0):
        strong = strong_minutes(strong, np.array([gain]), threshold)
    assert strong[0] == 1


def test_critical_needs_a_minute_that_still_speaks_for_it() -> None:
    assert level(20, 5, gain=-0.1) == 1
