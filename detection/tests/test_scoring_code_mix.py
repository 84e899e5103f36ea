"""The G-test against SciPy's, and what must hold whatever comes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import power_divergence

from detection.scoring.code_mix import g_statistic, g_tail

SHARE = np.array([[0.4, 0.3, 0.2, 0.1]])
counts = st.lists(st.integers(0, 200), min_size=4, max_size=4)


@given(counts.filter(lambda seen: sum(seen) >= 10))
@settings(max_examples=60, deadline=None)
def test_it_is_what_scipy_says(seen: list[int]) -> None:
    row = np.array([seen], float)
    with np.errstate(divide="ignore", invalid="ignore"):
        slow = power_divergence(row[0], row.sum() * SHARE[0], lambda_="log-likelihood")
    assert g_statistic(row, SHARE)[0] == pytest.approx(slow.statistic, abs=1e-6)
    assert g_tail(row, SHARE)[0] == pytest.approx(slow.pvalue, abs=1e-9)


@given(counts, st.integers(2, 5))
@settings(max_examples=60, deadline=None)
def test_more_of_the_same_mix_is_never_less_surprising(seen: list[int], times: int) -> None:
    row = np.array([seen], float)
    assert g_statistic(row * times, SHARE)[0] >= g_statistic(row, SHARE)[0] - 1e-9


@given(counts)
@settings(max_examples=60, deadline=None)
def test_the_order_of_the_codes_means_nothing(seen: list[int]) -> None:
    row, other = np.array([seen], float), np.array([seen[::-1]], float)
    assert g_tail(row, SHARE)[0] == pytest.approx(g_tail(other, SHARE[:, ::-1])[0], abs=1e-9)


def test_the_usual_mix_is_rare_as_often_as_it_says() -> None:
    seen = np.random.default_rng(3).multinomial(400, SHARE[0], 4000).astype(float)
    tail = g_tail(seen, np.repeat(SHARE, len(seen), axis=0))
    assert (tail < 0.01).mean() == pytest.approx(0.01, abs=0.006)


def test_no_denials_and_a_single_code_say_nothing() -> None:
    assert g_tail(np.zeros((1, 4)), SHARE).tolist() == [1.0]
    assert g_tail(np.array([[7.0]]), np.array([[1.0]])).tolist() == [1.0]


def test_a_code_down_while_another_is_up_is_found_though_the_sum_is_the_same() -> None:
    assert g_tail(np.array([[16.0, 0.0, 20.0, 4.0]]), SHARE)[0] < 1e-4
    assert g_tail(np.array([[16.0, 12.0, 8.0, 4.0]]), SHARE)[0] > 0.99
