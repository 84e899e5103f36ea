"""What an analyst calls the new level is what is expected from the next minute on."""

from collections.abc import Mapping
from copy import deepcopy

import numpy as np
import pytest

from detection.scoring.detector import learn, score, tally
from detection.scoring.minutes import Moments
from detection.scoring.policy import Policy
from detection.scoring.scores import Scores
from detection.scoring.series import FAMILIES, RATE_SERIES
from detection.scoring.state import State
from detection.services.adopting import adopt_level

# A Monday, midnight.
START = 20_836 * 1440
USUAL = {"approved": 93.0, "denied": 5.0, "reversed": 2.0}
POLICY = Policy.defaults(1)


class Stream:
    """One source, minute by minute."""

    def __init__(self) -> None:
        self.state, self.minute = State.new(1), START
        self.random = np.random.default_rng(3)

    def live(self, minutes: int, rates: Mapping[str, float]) -> list[Scores]:
        told = []
        for _ in range(minutes):
            row = [(name, "00", int(self.random.poisson(rate))) for name, rate in rates.items()]
            counts, moments = tally(self.state, [row]), Moments.of([self.minute])
            scores = score(self.state, POLICY, moments, counts, closed=np.array([True]))
            learn(self.state, POLICY, moments, counts, scores)
            told.append(scores)
            self.minute += 1
        return told


@pytest.fixture(scope="module")
def of_old() -> Stream:
    """A source that is known for some days."""
    stream = Stream()
    stream.live(3 * 1440 + 600, USUAL)
    return stream


@pytest.fixture
def stream(of_old: Stream) -> Stream:
    return deepcopy(of_old)


def times(factor: float) -> dict[str, float]:
    return {name: factor * rate for name, rate in USUAL.items()}


def alarms(told: list[Scores], family: str) -> list[int]:
    return [int(one.family_level[0, FAMILIES.index(family)]) for one in told]


@pytest.mark.parametrize(
    ("family", "before", "after"),
    [
        ("volume_low", 1.0, 0.5),
        ("volume_low", 0.5, 0.25),
        ("volume_low", 0.5, 0.05),
        ("volume_high", 1.0, 3.0),
    ],
)
def test_a_new_volume_is_expected_from_the_next_minute_on(
    family: str, before: float, after: float, stream: Stream
) -> None:
    stream.live(360, times(before))
    assert alarms(stream.live(12, times(after)), family)[-1] > 0
    adopt_level(stream.state, 0, family)
    told = stream.live(30, times(after))
    assert told[0].total_expected[0] == pytest.approx(100 * after, rel=0.2)
    assert not any(alarms(told, family))


def test_on_its_first_day_a_source_has_a_new_level_too() -> None:
    stream = Stream()
    stream.live(600, USUAL)
    assert alarms(stream.live(12, times(0.05)), "volume_low")[-1] > 0
    adopt_level(stream.state, 0, "volume_low")
    told = stream.live(30, times(0.05))
    assert told[0].total_expected[0] == pytest.approx(5.0, rel=0.2)
    assert not any(alarms(told, "volume_low"))


@pytest.mark.parametrize("failed", [1.0, 3.0, 10.0])
def test_failures_that_never_were_before_are_expected_once_they_are_the_new_level(
    failed: float, stream: Stream
) -> None:
    rates = {**USUAL, "failed": failed}
    assert alarms(stream.live(30, rates), "technical_failure")[-1] > 0
    adopt_level(stream.state, 0, "technical_failure")
    told = stream.live(30, rates)
    share = told[0].channels.share[0, RATE_SERIES.index("failed")]
    assert share == pytest.approx(failed / (100 + failed), rel=0.2)
    assert not any(alarms(told, "technical_failure"))
