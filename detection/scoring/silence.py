"""When nothing is reported at all: how surprising is that for this source."""

import numpy as np

from detection.scoring.series import Bools, Floats
from detection.scoring.state import State

MISSED_MEMORY = 10080.0
# Even the best reporter loses a minute now and then; half a minute a day is the least assumed.
LEAST_MISSED = 0.5 / 1440
# Reporting habits are taken from at least this many minutes.
PRIOR_MINUTES = 60.0


def reports_zeros(state: State) -> Floats:
    """Share of the minutes without transactions which the source reports as zeros, 0..1."""
    return (state.zero_reported + 0.5) / (state.zero_reported + state.zero_missed + 1.0)


def miss_probability(state: State, expected: Floats) -> Floats:
    """Probability that a healthy source reports nothing in a minute, shape (S,).

    Parameters
    ----------
    expected : array (S,)
        Transactions expected in the minute.
    """
    habit = (state.missed + LEAST_MISSED * PRIOR_MINUTES) / (
        np.minimum(state.minutes, MISSED_MEMORY) + PRIOR_MINUTES
    )
    empty = np.exp(-expected) * (1 - reports_zeros(state))
    return np.minimum(habit + empty, 1.0)


def silence_gain(state: State, expected: Floats, reported: Bools) -> Floats:
    """Evidence of one minute for "the source is silent" [nats]; a report ends it at once."""
    gain = -np.log(miss_probability(state, expected))
    return np.where(reported, -np.inf, gain)


def learn_habits(state: State, expected: Floats, total: Floats, reported: Bools) -> None:
    """Advance the reporting habits by one minute outside an alarm."""
    forget = 1 - 1 / MISSED_MEMORY
    empty = np.exp(-expected) * (1 - reports_zeros(state))
    unexplained = ~reported & (empty < 0.01)
    state.missed[:] = state.missed * forget + unexplained
    zero = reported & (total == 0)
    state.zero_reported[:] = state.zero_reported * forget + zero
    state.zero_missed[:] = state.zero_missed * forget + (~reported & ~unexplained)
