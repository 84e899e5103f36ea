"""What must hold whatever comes: order, size, purity, no future, edges."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detection.scoring.detector import learn, score
from detection.scoring.minutes import Counts, Moments
from detection.scoring.policy import Policy
from detection.scoring.series import FAMILIES
from detection.scoring.state import State

START = 29_000_000
SIZE = 3


def minute_counts(random: np.random.Generator, size: int = SIZE) -> Counts:
    status = random.poisson([90.0, 6, 0.1, 1, 0.1, 1], (size, 6)).astype(float)
    code = np.zeros((size, 8))
    code[:, 0] = status[:, 1]
    return Counts(status, code, np.ones(size, bool))


def take(counts: Counts, row: int) -> Counts:
    part = slice(row, row + 1)
    return Counts(counts.status[part], counts.code[part], counts.reported[part])


def step(state: State, minute: int, counts: Counts):
    size = len(state)
    now = np.full(size, START + minute)
    moments, policy = Moments(now, now), Policy.defaults(size)
    scores = score(state, policy, moments, counts, closed=np.ones(size, bool))
    learn(state, policy, moments, counts, scores)
    return scores


def test_many_sources_at_once_are_the_same_as_one_by_one() -> None:
    random = np.random.default_rng(2)
    together = State.new(SIZE)
    alone = [State.new(1) for _ in range(SIZE)]
    for minute in range(300):
        counts = minute_counts(random)
        scores = step(together, minute, counts)
        for row in range(SIZE):
            one = step(alone[row], minute, take(counts, row))
            np.testing.assert_allclose(one.evidence[0], scores.evidence[row], rtol=1e-5, atol=1e-6)
            assert one.level[0] == scores.level[row]


def test_rows_taken_and_put_back_are_the_same() -> None:
    state = State.new(SIZE)
    step(state, 0, minute_counts(np.random.default_rng(1)))
    before = state.pack()
    state.put([1], state.take([1]))
    assert state.pack() == before


def test_what_is_said_at_a_minute_does_not_depend_on_later_ones() -> None:
    random = np.random.default_rng(6)
    minutes = [minute_counts(random) for _ in range(200)]
    first, second = State.new(SIZE), State.new(SIZE)
    one = [step(first, minute, counts).evidence for minute, counts in enumerate(minutes[:150])]
    two = [step(second, minute, counts).evidence for minute, counts in enumerate(minutes)]
    np.testing.assert_array_equal(one, two[:150])


def ready(minutes: int = 400) -> State:
    state, random = State.new(1), np.random.default_rng(9)
    for minute in range(minutes):
        step(state, minute, minute_counts(random, 1))
    return state


def judged(state: State, status: list[float], *, closed: bool = True, past: bool = False):
    now = np.array([START + 400])
    row = np.array([status], float)
    code = np.zeros((1, 8))
    code[0, 0] = row[0, 1]
    return score(
        state,
        Policy.defaults(1),
        Moments(now, now),
        Counts(row, code, np.ones(1, bool)),
        closed=np.array([closed]),
        past=np.array([past]),
    )


def test_a_minute_still_filling_proves_no_loss() -> None:
    state = ready()
    scores = judged(state, [1, 0, 0, 0, 0, 0], closed=False)
    assert (
        scores.evidence[0, FAMILIES.index("volume_low")]
        <= judged(state, [1, 0, 0, 0, 0, 0]).evidence[0, FAMILIES.index("volume_low")]
    )
    assert scores.level[0] == 0


def test_a_past_minute_is_judged_alone_and_may_be_critical() -> None:
    assert judged(ready(), [50, 60, 20, 0, 20, 0], past=True).level[0] == 2
    assert judged(ready(), [90, 6, 0, 1, 0, 1], past=True).level[0] == 0


def test_a_single_terrible_minute_is_never_critical() -> None:
    assert judged(ready(), [50, 60, 20, 0, 20, 0]).level[0] < 2


def test_an_hour_of_nothing_reported_is_silence_and_its_end_is_no_surge() -> None:
    state, random = ready(), np.random.default_rng(3)
    nothing = Counts(np.zeros((1, 6)), np.zeros((1, 8)), np.zeros(1, bool))
    for minute in range(400, 460):
        scores = step(state, minute, nothing)
    assert scores.family_level[0].tolist() == [0, 0, 0, 0, 0, 2, 0]
    after = [step(state, minute, minute_counts(random, 1)).level[0] for minute in range(460, 500)]
    assert max(after) == 0


def test_a_source_without_any_transaction_is_normal() -> None:
    state, zero = State.new(1), np.zeros((1, 6))
    for minute in range(300):
        scores = step(state, minute, Counts(zero, np.zeros((1, 8)), np.ones(1, bool)))
        assert scores.level[0] == 0
    assert np.isfinite(scores.evidence).all()


@settings(max_examples=20, deadline=None)
@given(st.lists(st.lists(st.integers(0, 10**6), min_size=6, max_size=6), min_size=1, max_size=30))
def test_whatever_is_counted_scores_stay_finite_and_on_their_scale(rows) -> None:
    state = State.new(1)
    for minute, row in enumerate(rows):
        code = np.zeros((1, 8))
        code[0, 7] = row[1]
        scores = step(state, minute, Counts(np.array([row], float), code, np.ones(1, bool)))
        assert 0 <= scores.anomaly_score[0] <= 1
        assert np.isfinite(scores.evidence).all()
        assert (scores.lower <= scores.upper).all()
    copy = State.unpack(state.pack())
    assert copy.pack() == state.pack()


def test_a_family_switched_off_raises_nothing() -> None:
    state = ready()
    now = np.array([START + 400])
    counts = Counts(np.array([[50.0, 60, 0, 0, 0, 0]]), np.zeros((1, 8)), np.ones(1, bool))
    policy = Policy.of([{"families_off": list(FAMILIES)}])
    scores = score(
        state,
        policy,
        Moments(now, now),
        counts,
        closed=np.ones(1, bool),
        past=np.ones(1, bool),
    )
    assert scores.rule_level.max() == 0


def test_negative_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="pages_per_week"):
        Policy.of([{"pages_per_week": -1}])
    with pytest.raises(ValueError, match="unknown families"):
        Policy.of([{"families_off": ["nonsense"]}])
