"""The judgement of one minute, as everybody else reads it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from detection.scoring import alarm, designs
from detection.scoring.baseline import Expectation
from detection.scoring.calibration import z_surprise, z_tail
from detection.scoring.channels import Channels
from detection.scoring.evidence import Running
from detection.scoring.minutes import Counts
from detection.scoring.outlook import LEARNING_MINUTES
from detection.scoring.series import FAMILIES, FIRST_CODE, Bools, Floats, Ints
from detection.scoring.state import State
from detection.scoring.tails import band, stabilised_z

# The seven distances of a minute: six statuses and the total.
DISTANCES = 7
# Half-width of the shown band: about one quiet minute in a thousand lies outside [sd].
BAND = 3.3
# Half-width of a 95 % interval [sd].
SIDE = 1.96
NOT_APPROVED, REFUNDED = 0, 5
VOLUME_LOW, SILENCE = FAMILIES.index("volume_low"), FAMILIES.index("silence")
# Evidence is at most two thresholds: an alarm outranks any of it.
ALARM_FIRST = 10.0


@dataclass(frozen=True)
class Families:
    """The tests reduced to families, every array (S, 7)."""

    level: Ints
    evidence: Floats
    best: Ints
    onset: Ints
    excess: Floats
    spread: Floats


def by_family(running: Running, channels: Channels) -> Families:
    """Let the strongest test speak for each family: the highest alarm, then the most evidence."""
    relative = running.evidence / running.threshold
    rank = relative + ALARM_FIRST * running.alarm
    best = np.where(designs.IN_FAMILY, rank[:, None, :], -1.0).argmax(axis=2)
    rows = np.arange(len(best))[:, None]
    level = running.alarm[rows, best]
    # nothing reported explains nothing counted: one failure has one family
    level[:, VOLUME_LOW] = np.where(level[:, SILENCE] > 0, 0, level[:, VOLUME_LOW])
    evidence = relative[rows, best]
    meant = running.meant[rows, best]
    active = evidence > 0
    width = channels.width.total[rows, designs.CHANNEL[best]]
    return Families(
        level,
        evidence,
        best,
        np.where(active, running.onset[rows, best], -1),
        np.where(active, running.seen[rows, best] - meant, 0.0),
        np.where(active, np.sqrt(meant * width + 1), 0.0),
    )


class Spoken:
    """Which test speaks for each family; worked out when somebody asks, for most minutes nobody."""

    def __init__(self, running: Running, channels: Channels) -> None:
        self._running, self._channels = running, channels

    @cached_property
    def families(self) -> Families:
        """The tests reduced to families."""
        return by_family(self._running, self._channels)

    @property
    def level(self) -> Ints:
        """The level of each family, shape (S, 7)."""
        if self._running.alarm.any():
            return self.families.level
        return np.zeros((len(self._running.alarm), len(FAMILIES)), np.int64)


@dataclass(frozen=True)
class Scores:
    """The judgement of one minute, every field with a leading axis of sources.

    Attributes
    ----------
    level : (S,) int, 0 NORMAL, 1 WARNING, 2 CRITICAL
    family_level : (S, 7) int, the same by family
    rule_level : (S, 7) int, what the evidence alone says
    anomaly_score, ml_score, z_score : (S,) float, 0..1 on one scale; ml_score NaN without a forest
    z : (S,) float, largest signed distance of a status or the total [standard deviations]
    z_total : (S,) float, signed distance of the total [standard deviations]
    zscore : (S, 6) float, signed distance by status [standard deviations]
    expected, lower, upper : (S, 6) float [transactions in this minute]
    total_expected, total_lower, total_upper : (S,) float [transactions in this minute]
    learning : (S,) bool, True while too little is known to raise anything
    spoken : which test speaks for each family
    expectation, channels, running : what the judgement rests on, for learn() and explain()
    """

    level: Ints
    family_level: Ints
    rule_level: Ints
    anomaly_score: Floats
    z: Floats
    z_total: Floats
    z_score: Floats
    ml_score: Floats
    zscore: Floats
    expected: Floats
    lower: Floats
    upper: Floats
    total_expected: Floats
    total_lower: Floats
    total_upper: Floats
    learning: Bools
    expectation: Expectation
    channels: Channels
    running: Running
    spoken: Spoken

    @property
    def evidence(self) -> Floats:
        """Evidence over threshold of each family; 1 raises an alarm, shape (S, 7)."""
        return self.spoken.families.evidence

    @property
    def best_test(self) -> Ints:
        """The test that speaks for each family, shape (S, 7)."""
        return self.spoken.families.best

    @property
    def onset_utc_minute(self) -> Ints:
        """First minute of the deviation of each family, -1 = none, shape (S, 7)."""
        return self.spoken.families.onset

    @property
    def excess(self) -> Floats:
        """Transactions out of place since the onset, shape (S, 7)."""
        return self.spoken.families.excess

    @property
    def excess_low(self) -> Floats:
        """Lower end of a 95 % interval of the excess, shape (S, 7) [transactions]."""
        return self.excess - SIDE * self.spoken.families.spread

    @property
    def excess_high(self) -> Floats:
        """Upper end of a 95 % interval of the excess, shape (S, 7) [transactions]."""
        return self.excess + SIDE * self.spoken.families.spread

    def code_band(self, row: int, slot: int) -> tuple[float, float, float]:
        """Denials of one code slot that are expected in the minute, and their band."""
        channel = designs.FIRST_RATE + FIRST_CODE + slot
        expected = self.channels.meant[row, channel]
        lower, upper = band(expected, self.channels.width.total[row, channel], BAND)
        return float(expected), float(lower), float(upper)

    @property
    def told_score(self) -> Floats:
        """The score as it is told, shape (S,), 0..1: it goes with the level.

        What adds up over many minutes may be little in each of them. Where it raised an alarm, the
        score is at least the part of the evidence that can be: a half at the threshold.
        """
        on = self.family_level > 0
        if not on.any():
            return self.anomaly_score
        sure: Floats = np.where(on, np.minimum(self.evidence / alarm.TOP_FACTOR, 1.0), 0.0)
        told: Floats = np.maximum(self.anomaly_score, np.maximum.reduce(sure, axis=1))
        return told

    @property
    def probability(self) -> Floats:
        """Chance of a quiet minute with a distance this large, shape (S,)."""
        return z_tail(self.z, DISTANCES)


def expected_by_status(channels: Channels, expectation: Expectation, counts: Counts) -> Floats:
    """Transactions expected by status, shape (S, 6).

    All but the approved are expected as shares of what came in the same minute, so that a busy
    minute is no surge of denials; the approved are expected from the level, so that it shows.
    """
    out = np.empty_like(counts.status)
    basis = np.where(counts.reported, channels.basis, expectation.fast)
    out[:, 1:] = channels.share[:, 1:6] * basis[:, None]
    out[:, 0] = expectation.fast * (
        1 - channels.share[:, NOT_APPROVED] - channels.share[:, REFUNDED]
    )
    return np.maximum(out, 0.0)


def judge(
    state: State,
    running: Running,
    expectation: Expectation,
    channels: Channels,
    counts: Counts,
    closed: Bools,
) -> Scores:
    """Put the evidence and the distances of the minute into words others can use.

    That little has come of a minute that is still filling says nothing: there is no distance below.
    """
    spoken = Spoken(running, channels)
    family_level = spoken.level
    expected = np.empty((len(state), DISTANCES))
    expected[:, :6] = expected_by_status(channels, expectation, counts)
    expected[:, 6] = expectation.fast
    seen = np.concatenate([counts.status, channels.seen[:, :1]], axis=1)
    width = channels.width.total.take(designs.CHANNEL_OF_DISTANCE, axis=1)
    z = stabilised_z(seen, expected, width) * counts.reported[:, None]
    z = np.where(closed[:, None], z, np.maximum(z, 0.0))
    # The approved and the total: whether they are too many or too few, the hour says.
    unsure = expectation.closing | expectation.stepping
    z[:, ::6] = np.where(unsure[:, None], 0.0, z[:, ::6])
    largest = z[np.arange(len(z)), np.abs(z).argmax(1)]
    lower, upper = band(expected, width, BAND)
    if unsure.any():
        part, whole = expected[:, ::6], width[:, ::6]
        lower[:, ::6] = band(part * expectation.least[:, None], whole, BAND)[0]
        upper[:, ::6] = band(part * expectation.most[:, None], whole, BAND)[1]
    z_score = z_surprise(largest, DISTANCES)
    return Scores(
        level=family_level.max(1),
        family_level=family_level,
        rule_level=family_level,
        anomaly_score=z_score,
        z=largest,
        z_total=z[:, 6],
        z_score=z_score,
        ml_score=np.full(len(z), np.nan),
        zscore=z[:, :6],
        expected=expected[:, :6],
        lower=lower[:, :6],
        upper=upper[:, :6],
        total_expected=expected[:, 6],
        total_lower=lower[:, 6],
        total_upper=upper[:, 6],
        learning=state.minutes < LEARNING_MINUTES,
        expectation=expectation,
        channels=channels,
        running=running,
        spoken=spoken,
    )
