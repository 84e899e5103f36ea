"""When nothing is reported at all: how surprising is that for this source."""

from dataclasses import dataclass

import numpy as np

from detection.scoring.dispersion import Dispersion
from detection.scoring.series import Bools, Floats
from detection.scoring.state import State

MISSED_MEMORY = 10080.0
# Even the best reporter loses a minute now and then; half a minute a day is the least assumed.
LEAST_MISSED = 0.5 / 1440
# Reporting habits are taken from at least this many minutes.
PRIOR_MINUTES = 60.0
# An empty minute less likely than this was lost, not empty.
UNEXPLAINED = 0.01


def reports_zeros(state: State) -> Floats:
    """Share of the minutes without transactions which the source reports as zeros, 0..1."""
    return (state.zero_reported + 0.5) / (state.zero_reported + state.zero_missed + 1.0)


@dataclass(frozen=True)
class Habits:
    """How a source reports, shape (S,): how often it loses a minute, how rarely it says "none"."""

    missed: Floats
    mute: Floats


def habits(state: State) -> Habits:
    """What was learned of how each source reports, both as probabilities 0..1."""
    missed = (state.missed + LEAST_MISSED * PRIOR_MINUTES) / (
        np.minimum(state.minutes, MISSED_MEMORY) + PRIOR_MINUTES
    )
    return Habits(missed, 1 - reports_zeros(state))


def empty_probability(habit: Habits, expected: Floats, width: Dispersion) -> Floats:
    """Probability that a healthy source has no transaction and does not say so, shape (S,)."""
    excess = np.maximum(width.total[:, 0] - 1.0, 1e-3)
    empty: Floats = np.exp(-expected * np.log1p(excess) / excess)
    return empty * habit.mute


def miss_probability(habit: Habits, expected: Floats, width: Dispersion) -> Floats:
    """Probability that a healthy source reports nothing in a minute, shape (S,), 0..1."""
    return np.minimum(habit.missed + empty_probability(habit, expected, width), 1.0)


def silence_gain(habit: Habits, expected: Floats, width: Dispersion, reported: Bools) -> Floats:
    """Evidence of one minute for "the source is silent" [nats]; a report ends it at once.

    Parameters
    ----------
    expected : array (S,)
        Transactions expected in the minute.
    """
    missing = miss_probability(habit, expected, width)
    return np.where(reported, -np.inf, -np.log(missing))


def learn_habits(
    state: State, expected: Floats, total: Floats, width: Dispersion, reported: Bools
) -> None:
    """Advance the reporting habits by one minute outside an alarm."""
    forget = 1 - 1 / MISSED_MEMORY
    unexplained = ~reported & (empty_probability(habits(state), expected, width) < UNEXPLAINED)
    state.missed[:] = state.missed * forget + unexplained
    zero = reported & (total == 0)
    state.zero_reported[:] = state.zero_reported * forget + zero
    state.zero_missed[:] = state.zero_missed * forget + (~reported & ~unexplained)
