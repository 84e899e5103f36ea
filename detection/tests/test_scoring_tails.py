"""Exact and stabilised tests against SciPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from detection.scoring.calibration import surprise, z_surprise, z_tail
from detection.scoring.tails import (
    band,
    rule_of_three,
    stabilised_z,
)

counts = st.integers(0, 500)
means = st.floats(0.01, 300)


@given(st.integers(1, 10**6))
def test_the_rule_of_three_leaves_five_per_cent(trials) -> None:
    rate = float(rule_of_three(np.array(float(trials))))
    assert (1 - rate) ** trials == pytest.approx(0.05, rel=1e-3)


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(1, 10))
def test_the_distance_has_the_sign_of_the_difference(seen, expected, dispersion) -> None:
    z = float(stabilised_z(np.array(seen), np.array(expected), dispersion))
    assert np.sign(z) in (0, np.sign(seen - expected))


def test_the_distance_of_poisson_counts_is_standard_normal() -> None:
    draws = np.random.default_rng(3).poisson(40, 200_000).astype(float)
    z = stabilised_z(draws, np.array(40.0))
    assert z.mean() == pytest.approx(0, abs=0.1)
    assert z.std() == pytest.approx(1, abs=0.02)


@given(st.floats(0, 1e5), st.floats(1, 5))
def test_the_edges_of_the_band_lie_at_its_width(expected, dispersion) -> None:
    lower, upper = band(np.array(expected), np.array(dispersion), 3.0)
    assert float(stabilised_z(upper, np.array(expected), dispersion)) == pytest.approx(3.0)
    assert lower == 0 or float(
        stabilised_z(lower, np.array(expected), dispersion)
    ) == pytest.approx(-3.0)


@given(st.floats(-30, 0), st.floats(-30, 0))
def test_rarer_is_never_less_surprising(one, other) -> None:
    rarer, commoner = min(one, other), max(one, other)
    assert float(surprise(np.array(rarer))) >= float(surprise(np.array(commoner)))


@given(st.floats(0, 8))
def test_the_tail_of_the_largest_of_seven_is_bonferronis(z) -> None:
    expected = min(1.0, 14 * norm.sf(z))
    assert float(z_tail(np.array(z), 7)) == pytest.approx(expected, rel=1e-9)
    assert 0 <= float(z_surprise(np.array(z), 7)) <= 1
