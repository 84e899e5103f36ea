"""Silence, vanished codes, minutes still filling, declared days: what is said and learned there."""

from collections.abc import Callable, Iterable
from copy import deepcopy

import numpy as np
import pytest

from detection.scoring.baseline import expect
from detection.scoring.detector import explain, forecast, learn, score, tally
from detection.scoring.explain import Explanation
from detection.scoring.learning import undeclared
from detection.scoring.minutes import Moments
from detection.scoring.policy import Policy
from detection.scoring.scores import Scores
from detection.scoring.series import FAMILIES, MINUTES_PER_DAY
from detection.scoring.state import State

# A Thursday, midnight.
START = 20_832 * MINUTES_PER_DAY
SILENCE, LOW = FAMILIES.index("silence"), FAMILIES.index("volume_low")
HOURS = 400
Row = list[tuple[str, str, float]]
MIX = {("approved", "00"): 0.87, ("denied", "51"): 0.06, ("denied", "59"): 0.04}
MIX |= {("denied", "05"): 0.03}


class Life:
    """One source, minute by minute."""

    def __init__(self, policy: Policy | None = None, seed: int = 1) -> None:
        self.state, self.policy = State.new(1), policy or Policy.defaults(1)
        self.random, self.minute = np.random.default_rng(seed), 0

    def counts(self, rate: float, **missing: float) -> Row:
        return [
            (status, code, int(self.random.poisson(rate * part * missing.get(f"code_{code}", 1.0))))
            for (status, code), part in MIX.items()
        ]

    def judge(self, row: Row | None, *, closed: bool = True, factor: float = 1.0) -> Scores:
        """Judge the next minute; it is learned if it is complete."""
        utc = np.array([START + self.minute])
        moments = Moments(utc, utc, None if factor == 1.0 else np.array([factor]))
        self.seen = tally(self.state, [row])
        scores = score(self.state, self.policy, moments, self.seen, closed=np.array([closed]))
        self.before = scores
        if closed:
            self.said = explain(self.state, scores, self.seen, 0, int(utc[0]))
            learn(self.state, self.policy, moments, self.seen, scores)
            self.minute += 1
        return scores

    def explained(self) -> Explanation:
        return self.said

    def live(self, minutes: int, rate: float | Callable[[int], float]) -> "Life":
        for _ in range(minutes):
            now = rate(self.minute) if callable(rate) else rate
            self.judge(self.counts(now))
        return self


def silent(life: Life, minutes: int) -> Iterable[Scores]:
    return [life.judge(None) for _ in range(minutes)]


def test_silence_says_how_much_is_missing() -> None:
    life = Life().live(HOURS, 100)
    *_, last = silent(life, 30)
    assert last.family_level[0, SILENCE] == 2
    assert last.excess[0, SILENCE] == pytest.approx(-3000, rel=0.1)
    assert "Nothing reported for 30 min" in life.explained().reasons[0]


def test_a_silence_of_hours_is_no_new_level() -> None:
    life = Life().live(4 * MINUTES_PER_DAY, 100)
    silent(life, 6 * 60)
    back = life.judge(life.counts(100))
    assert back.total_expected[0] == pytest.approx(100, rel=0.1)
    lower = [life.judge(life.counts(40)) for _ in range(60)]
    assert all(one.family_level[0, LOW] > 0 for one in lower[10:])


def test_a_code_that_vanishes_is_the_one_that_is_named() -> None:
    life = Life().live(HOURS, 300)
    named = []
    for _ in range(40):
        if life.judge(life.counts(300, code_59=0.0)).level[0]:
            said = life.explained()
            named.append((said.subjects[0].code, said.subjects[0].codes[0][0], said.owner))
    assert len(named) > 30
    assert set(named) == {("59", "59", "fraud control")}


@pytest.mark.parametrize("rate", [30, 1000, 3000])
def test_denials_that_come_before_the_rest_of_their_minute_prove_nothing(rate: int) -> None:
    life = Life().live(HOURS, rate)
    for _ in range(20):
        whole = life.counts(rate)
        first = [one for one in whole if one[0] == "denied"]
        assert life.judge(first, closed=False).level[0] == 0
        assert life.judge(whole).level[0] == 0


def test_denials_beyond_a_whole_minute_are_told_before_it_is_over() -> None:
    life = Life().live(HOURS, 100)
    assert life.judge([("denied", "51", 80)], closed=False).level[0] > 0


def test_a_change_that_is_too_small_for_the_policy_is_not_told_by_the_score_either() -> None:
    extra = ("denied", "51", 120.0)
    quiet = Life(Policy.of([{"minimum_excess": 1000.0}])).live(HOURS, 100)
    loud = Life().live(HOURS, 100)
    for _ in range(5):
        assert quiet.judge([*quiet.counts(100), extra]).level[0] == 0
        assert loud.judge([*loud.counts(100), extra]).level[0] > 0


def test_of_a_planned_stop_nothing_is_learned() -> None:
    moments = Moments(np.arange(3), np.arange(3), np.array([2.0, 0.01, 1.0]))
    plain, usable = undeclared(moments, np.array([120.0, 4.0, 50.0]))
    assert plain.tolist() == [60.0, 4.0, 50.0]
    assert usable.tolist() == [True, False, True]


def test_a_declared_day_is_not_what_its_weekday_is_like() -> None:
    """A week, its Tuesday declared; then what is expected of the next Tuesday."""
    life = Life()
    for minute in range(7 * MINUTES_PER_DAY):
        declared = 3.0 if minute // MINUTES_PER_DAY == 1 else 1.0
        life.judge(life.counts(60 * declared), factor=declared)
    noon = np.array([[START + 8 * MINUTES_PER_DAY + 720]])
    expected, lower, upper = forecast(life.state, life.policy, noon, noon)
    assert expected[0, 0] == pytest.approx(60, rel=0.12)
    assert lower[0, 0] < 60 < upper[0, 0]


@pytest.fixture(scope="module")
def known() -> Life:
    """A source of 150 a minute that knows what its weekdays are like."""
    return Life().live(5 * MINUTES_PER_DAY, 150.0)


@pytest.fixture
def settled(known: Life) -> Life:
    """The same, free to go on."""
    return deepcopy(known)


def lows(life: Life, minutes: int, rate: Callable[[int], float]) -> int:
    """Minutes of an alarm for low volume."""
    first = life.minute
    said = [life.judge(life.counts(rate(life.minute - first))) for _ in range(minutes)]
    return sum(int(scores.family_level[0, LOW] > 0) for scores in said)


@pytest.mark.parametrize("slope", [1 / 30, 1 / 45])
def test_the_end_of_a_surge_is_no_loss_of_volume(settled: Life, slope: float) -> None:
    assert lows(settled, 60, lambda minute: 150.0 * (1 + slope * minute)) == 0
    assert lows(settled, 240, lambda _: 150.0) <= 15
    assert lows(settled, 15, lambda _: 60.0) > 5, "a loss that follows it is found all the same"


@pytest.mark.parametrize("minutes", [60, 90])
def test_the_end_of_a_surge_is_no_loss_once_it_was_the_level(settled: Life, minutes: int) -> None:
    lows(settled, minutes, lambda _: 260.0)
    assert lows(settled, 180, lambda _: 150.0) <= 5


def test_a_source_that_grows_for_good_is_held_to_its_new_size_within_a_day() -> None:
    life = Life().live(180, 2.0).live(6 * 60, 200.0)
    assert slow_level(life) > 60.0
    assert slow_level(life.live(12 * 60, 200.0)) > 120.0


def slow_level(life: Life) -> float:
    """What the slow level expects of the next minute."""
    utc = np.array([START + life.minute])
    return float(expect(life.state, Moments(utc, utc)).slow[0])


@pytest.mark.parametrize("rate", [105.0, 90.0, 70.0])
def test_a_loss_that_lasts_is_one_alarm_of_an_hour(settled: Life, rate: float) -> None:
    said = [int(settled.judge(settled.counts(rate)).level[0] > 0) for _ in range(200)]
    assert sum(said) in range(50, 70)
    assert sum(np.diff(said) == 1) == 1, "it begins once"


def test_what_fails_every_other_minute_fails(settled: Life) -> None:
    assert lows(settled, 20, lambda minute: 60.0 if minute % 2 else 150.0) > 5


def test_what_fails_is_not_learned_in_its_first_minute(settled: Life) -> None:
    settled.judge([("denied", "05", 150)])
    before, after = settled.before, settled.judge(settled.counts(150.0))
    slot = settled.state.slots_of(0)["05"]
    bands = [scores.code_band(0, slot)[0] for scores in (before, after)]
    assert bands[1] < 1.12 * bands[0]


def test_a_rate_that_stays_what_it_became_is_learned_though_nobody_watches_it() -> None:
    life = Life(Policy.of([{"families_on": ["silence"]}])).live(MINUTES_PER_DAY, 150.0)
    for _ in range(400):
        life.judge([*life.counts(150.0), ("refunded", "00", 30)])
    assert life.before.expected[0, 5] > 2


def test_what_fails_begins_after_an_ordinary_minute(settled: Life) -> None:
    for rate in (75.0, 150.0):
        settled.judge(settled.counts(rate))
    begins = settled.minute
    for _ in range(4):
        scores = settled.judge(settled.counts(105.0))
    assert scores.family_level[0, LOW] > 0
    assert scores.onset_utc_minute[0, LOW] == START + begins
