"""The promises the Django side builds on."""

from dataclasses import replace

import numpy as np
import pytest

from detection.scoring.detector import explain, forecast, learn, score, tally
from detection.scoring.forest import FEATURES, features, fit_forest
from detection.scoring.minutes import Counts, Moments
from detection.scoring.policy import Policy
from detection.scoring.series import FAMILIES
from detection.scoring.state import State

START = 29_000_000
CLOSED = np.ones(1, bool)


def step(state: State, minute: int, row: list[tuple[str, str, float]] | None):
    moments = Moments.of([START + minute])
    counts = tally(state, [row])
    policy = Policy.defaults(1)
    scores = score(state, policy, moments, counts, closed=CLOSED)
    learn(state, policy, moments, counts, scores)
    return scores, counts


def quiet(minute: int) -> list[tuple[str, str, float]]:
    return [("approved", "00", 115 + minute * 7 % 11), ("denied", "51", 2 + minute % 3)]


def burst(minute: int) -> list[tuple[str, str, float]]:
    return [("approved", "00", 85 + minute % 5), ("denied", "51", 30 + minute % 3)]


def warmed(minutes: int = 200) -> State:
    state = State.new(1)
    for minute in range(minutes):
        step(state, minute, quiet(minute))
    return state


def test_a_burst_of_denials_is_critical_within_four_minutes_and_explained() -> None:
    state = warmed()
    for minute in range(200, 204):
        scores, counts = step(state, minute, burst(minute))
    told = explain(state, scores, counts, 0)
    assert told.level == "CRITICAL"
    assert told.family == "decline"
    assert told.codes[0][0] == "51"
    assert scores.onset_utc_minute[0, 0] == START + 200


def test_the_alarm_of_a_family_that_is_switched_off_ends_at_once() -> None:
    state = warmed()
    for minute in range(200, 206):
        scores, counts = step(state, minute, burst(minute))
    decline = FAMILIES.index("decline")
    assert scores.family_level[0, decline] == 2
    off = Policy.of([{"families_off": ["decline"]}])
    for minute in range(206, 212):
        moments, counts = Moments.of([START + minute]), tally(state, [burst(minute)])
        scores = score(state, off, moments, counts, closed=CLOSED)
        learn(state, off, moments, counts, scores)
        assert scores.family_level[0, decline] == 0
    scores, _ = step(state, 212, burst(212))
    assert scores.family_level[0, decline] > 0


def test_that_little_has_come_of_a_filling_minute_warns_of_nothing() -> None:
    state = warmed()
    state.last_score[:] = 1.0
    moments, counts = Moments.of([START + 200]), tally(state, [[("approved", "00", 3)]])
    ask = (state, Policy.defaults(1), moments, counts)
    filling, closed = score(*ask, closed=~CLOSED), score(*ask, closed=CLOSED)
    assert (filling.level[0], filling.anomaly_score[0], filling.z[0]) == (0, 0.0, 0.0)
    assert closed.level[0] > 0
    assert closed.z[0] < -5


def test_where_nothing_adds_up_the_minute_alone_is_told() -> None:
    state = warmed()
    scores, counts = step(state, 200, quiet(200))
    low = scores.family_level.copy()
    low[0, FAMILIES.index("volume_low")] = 1
    nothing = replace(scores.running, onset=np.full_like(scores.running.onset, -1))
    told = explain(state, replace(scores, family_level=low, running=nothing), counts, 0)
    assert told.reasons[0].startswith(f"{counts.status.sum():.0f} transactions in 1 min")


def test_quiet_traffic_is_normal() -> None:
    state = warmed()
    assert all(step(state, m, quiet(m))[0].level[0] == 0 for m in range(200, 400))


def test_a_packed_state_goes_on_as_if_it_had_never_been_packed() -> None:
    state = warmed()
    copy = State.unpack(state.pack())
    for minute in range(200, 210):
        one, _ = step(state, minute, burst(minute))
        other, _ = step(copy, minute, burst(minute))
        np.testing.assert_array_equal(one.evidence, other.evidence)
    assert len(state.pack()[0]) < 20_000


def test_an_unknown_version_is_refused() -> None:
    with pytest.raises(ValueError, match="version"):
        State.unpack([b"XXXX"])


def test_a_damaged_state_is_refused() -> None:
    blob = State.new(1).pack()[0]
    with pytest.raises(ValueError, match="damaged"):
        State.unpack([blob[: len(blob) // 2]])


@pytest.mark.parametrize("name", ["feature", "left", "right", "roots", "tail", "depth", "norm"])
def test_a_forest_of_something_else_is_refused(name: str) -> None:
    forest = fit_forest(np.random.default_rng(1).normal(size=(50, len(FEATURES))), trees=3)
    other = {
        "tail": forest.tail[:2],
        "norm": np.zeros(1),
        "feature": forest.feature + len(FEATURES),
    }.get(name, getattr(forest, name) + 10_000)
    with pytest.raises(ValueError, match=f"does not fit: .*{name}"):
        type(forest).unpack(replace(forest, **{name: other}).pack())


def test_a_damaged_forest_is_refused() -> None:
    forest = fit_forest(np.random.default_rng(0).normal(size=(50, len(FEATURES))), trees=2)
    blob = forest.pack()
    for part in (blob[:4], blob[: len(blob) // 2], blob[:4] + b"x" * 50):
        with pytest.raises(ValueError, match="damaged"):
            type(forest).unpack(part)


def test_scoring_three_times_gives_the_same_answer() -> None:
    state = warmed()
    before = state.pack()
    counts = tally(state, [burst(0)])
    moments = Moments.of([START + 200])
    answers = [
        score(state, Policy.defaults(1), moments, counts, closed=CLOSED).anomaly_score
        for _ in range(3)
    ]
    assert answers[0] == answers[1] == answers[2]
    assert state.pack() == before


def test_the_forest_scores_as_scikit_learn_does() -> None:
    from sklearn.ensemble import IsolationForest

    rows = np.random.default_rng(1).normal(size=(500, len(FEATURES)))
    forest = fit_forest(rows, trees=20, seed=3)
    model = IsolationForest(n_estimators=20, max_samples=256, random_state=3).fit(rows)
    np.testing.assert_allclose(forest.score(rows), model.score_samples(rows), atol=1e-9)
    again = type(forest).unpack(forest.pack())
    np.testing.assert_array_equal(again.score(rows), forest.score(rows))


def test_the_features_fit_the_forest() -> None:
    state = warmed()
    counts = tally(state, [burst(0)])
    scores = score(state, Policy.defaults(1), Moments.of([START + 200]), counts, closed=CLOSED)
    assert features(state, scores, counts).shape == (1, len(FEATURES))


def test_that_little_has_come_of_a_filling_minute_is_nothing_odd_to_the_forest() -> None:
    state, rows, random = State.new(1), [], np.random.default_rng(3)
    usual = {"approved": 560.0, "denied": 30.0, "reversed": 12.0}
    for minute in range(700):
        row: list[tuple[str, str, float]] = [
            (name, "00", int(random.poisson(rate))) for name, rate in usual.items()
        ]
        before = State.unpack(state.pack())
        scores, counts = step(state, minute, row)
        if minute >= 300:
            rows.append(features(before, scores, counts)[0])
    spread = np.array(rows) + 0.1 * random.standard_normal((400, len(FEATURES)))
    forest = fit_forest(spread, trees=50)
    little = tally(state, [[("approved", "00", 12)]])
    ask = (state, Policy.defaults(1), Moments.of([START + 700]), little)
    filling = score(*ask, closed=~CLOSED, forest=forest)
    assert filling.ml_score[0] < 0.1
    assert filling.anomaly_score[0] < 0.1
    assert score(*ask, closed=CLOSED, forest=forest).ml_score[0] > 0.2
    odd = tally(state, [[("approved", "00", 12), ("failed", "00", 60)]])
    assert score(*ask[:3], odd, closed=~CLOSED, forest=forest).ml_score[0] > 0.2


def test_the_forecast_has_an_interval_around_it() -> None:
    minutes = START + 200 + np.arange(60)[None]
    expected, lower, upper = forecast(warmed(), Policy.defaults(1), minutes, minutes)
    assert (lower < expected).all()
    assert (expected < upper).all()


def test_a_count_that_is_not_a_number_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        Counts(np.full((1, 6), np.nan), np.zeros((1, 8)), CLOSED)


def test_one_minute_beyond_all_measure_is_a_warning_at_once() -> None:
    state = warmed()
    counts = tally(state, [[("approved", "00", 100), ("denied", "51", 300)]])
    filling = np.zeros(1, bool)
    scores = score(state, Policy.defaults(1), Moments.of([START + 200]), counts, closed=filling)
    assert scores.level.tolist() == [1]
    assert explain(state, scores, counts, 0).family == "decline"


def test_the_score_that_is_told_goes_with_the_level() -> None:
    state = warmed()
    for minute in range(200, 260):
        denied: tuple[str, str, float] = ("denied", "51", 5 + minute % 3)
        scores, _ = step(state, minute, [quiet(minute)[0], denied])
        assert scores.anomaly_score[0] <= scores.told_score[0] <= 1.0
        if scores.level[0] > 0:
            assert scores.told_score[0] >= 0.5
    # What came slowly is nothing unusual in any one minute.
    assert (scores.level[0] > 0, scores.anomaly_score[0] < 0.5) == (True, True)
