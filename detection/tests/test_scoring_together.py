"""Failures and what the backend takes back, looked at together."""

from typing import Any

import numpy as np
import pytest

from detection.scoring.designs import DESIGNS, RATE_RISES, TESTS
from detection.scoring.evidence import CAP
from detection.scoring.policy import Policy
from detection.scoring.series import Bools, Floats
from detection.scoring.together import ENOUGH, FAILED, TAKEN_BACK, add_up


def added(parts: dict[int, float], **given: Any) -> tuple[Floats, Bools]:
    """Add up evidence given in parts of a threshold of ten nats, one source."""
    evidence = np.zeros((1, TESTS))
    for test, part in parts.items():
        evidence[0, test] = 10 * part
    threshold, seen = np.full((1, TESTS), 10.0), np.full((1, TESTS), 5.0)
    seen *= given.pop("excess", 1.0)
    policy = given.pop("policy", Policy.defaults(1))
    none = np.zeros((1, TESTS), bool)
    return add_up(evidence, threshold, seen, np.ones((1, TESTS)), none, policy)


def test_half_of_each_is_not_enough_and_most_of_each_is() -> None:
    failed, back = FAILED.stop - 1, TAKEN_BACK.stop - 1
    assert added({failed: 0.6, back: 0.6})[0].max() == 6.0
    evidence, allowed = added({failed: 0.6, back: 0.75})
    assert evidence[0, [failed, back]].tolist() == [6.0, 10.0]
    assert np.flatnonzero(allowed[0]).tolist() == [back]


def test_noise_beside_the_one_does_not_count() -> None:
    failed, back = FAILED.start, TAKEN_BACK.start
    assert added({failed: 0.2, back: 1.2})[0].max() == 12.0
    assert not added({failed: 0.2, back: 1.2})[1].any()


def test_both_together_must_be_as_many_as_the_policy_asks_for() -> None:
    parts = {FAILED.stop - 1: 0.9, TAKEN_BACK.stop - 1: 0.9}
    assert not added(parts, excess=0.25)[1].any()


def test_both_together_must_change_as_much_as_the_policy_asks_for() -> None:
    parts = {FAILED.stop - 1: 0.9, TAKEN_BACK.stop - 1: 0.9}
    four_times = Policy.of([{"minimum_relative_change": 4.0}])
    assert added(parts, policy=four_times)[1].any()
    assert not added(parts, policy=four_times, excess=0.9)[1].any()


def test_a_family_that_is_switched_off_stays_off() -> None:
    policy = Policy.defaults(1)
    policy.families_on[:] = False
    parts = {FAILED.stop - 1: 0.9, TAKEN_BACK.stop - 1: 0.9}
    assert not added(parts, policy=policy)[1].any()


def test_one_minute_alone_pages_in_no_case() -> None:
    assert 2 * CAP < ENOUGH


@pytest.mark.parametrize("nats", [9.3, 10.5, 16.0])
def test_the_sum_is_as_rare_as_one_test_alone(nats: float) -> None:
    """Of two exponential tails: P(sum > x) = (1 + x) exp(-x)."""
    both = ENOUGH * nats
    assert (1 + both) * np.exp(-both) < np.exp(-nats)


def test_the_tests_are_those_of_one_family() -> None:
    tests = [*DESIGNS[FAILED], *DESIGNS[TAKEN_BACK]]
    assert {one.family for one in tests} == {tests[0].family}
    assert [one.rho for one in tests] == [*RATE_RISES, *RATE_RISES]
