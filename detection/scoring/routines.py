"""Shares that rise at the same quarter hour every day: a nightly run of reversals is no failure.

Each rate series has, for each quarter hour of the day, a factor by which it rose there and a
strength, which grows with each day on which it rose as much again and fades with each on which it
did not. Failures never become a routine: that they come back every night is no reason to bear them.
"""

import numpy as np

from detection.scoring.minutes import Moments
from detection.scoring.series import RATE_SERIES, Bools, Floats, Ints
from detection.scoring.state import BIN_MINUTES, State
from detection.scoring.steps import CROWDED, SURE, bins_about

BEARABLE = np.array([name not in ("failed", "backend_reversed") for name in RATE_SERIES])
# A quarter hour stands out that surely has at least this many times its share.
LEAST_RISE = 1.33
# The factor is kept as its binary logarithm, in steps of this.
STEP = 1 / 16
# It rose as much again if it rose by no more than twice, and no less than half as much.
ALIKE = round(1 / STEP)
# A day on which it rose adds so much to the strength, up to the most that is kept.
OF_A_DAY, MOST = 31, 124
# A routine is what rose on three days in a row, or on the same day of four weeks.
ENOUGH = 2 * OF_A_DAY + 2
# What is left of it a day later without.
KEPT = 0.97
# Of how many minutes of a quarter hour something must be known.
ENOUGH_MINUTES = 12


def routine_factor(state: State, minute_of_day: Ints) -> Floats:
    """How many times its share each rate series may have about now, (S, 14), >= 1.

    A routine may be a quarter of an hour early or late.

    Parameters
    ----------
    minute_of_day : array (S,)
        Local time.
    """
    out = np.ones((len(state), len(RATE_SERIES)))
    rows = np.flatnonzero(state.routines)
    if not rows.size:
        return out
    near = bins_about(minute_of_day[rows])
    known = state.routine_strength[rows[:, None], near] >= ENOUGH
    more = np.exp2(np.where(known, state.routine_factor[rows[:, None], near], 0) * STEP) - 1
    # One that fills no second quarter hour may be over within some minutes of its own.
    alone = ~known[:, :-2] & ~known[:, 2:]
    more = np.where(alone, CROWDED, 1.0) * more[:, 1:-1]
    out[rows] += more.max(1)
    return out


def has_routines(strength: Ints) -> Bools:
    """Whether a source of these strengths, (..., 96, 14), has any routine, (...)."""
    return np.asarray((strength >= ENOUGH).any((-2, -1)))


def learn_routines(
    state: State, moments: Moments, rates: Floats, meant: Floats, width: Floats, known: Bools
) -> None:
    """Add the minute to its quarter hour, and weigh that when it ends.

    Parameters
    ----------
    rates, meant : arrays (S, 14)
        Transactions by rate series, and as many as its share without routines would be.
    width : array (S, 14)
        Variance over mean of the quarter hour's count.
    known : array (S,) of bool
        Rows whose minute was reported.
    """
    live = known[:, None]
    state.routine_seen += np.where(live, rates, 0.0)
    state.routine_meant += np.where(live, meant, 0.0)
    state.routine_minutes += known
    rows = np.flatnonzero(moments.minute_of_day % BIN_MINUTES == BIN_MINUTES - 1)
    if not rows.size:
        return
    told = rows[state.routine_minutes[rows] >= ENOUGH_MINUTES]
    if told.size:
        _weigh(state, told, moments.minute_of_day[told] // BIN_MINUTES, width[told])
    for name in ("routine_seen", "routine_meant", "routine_minutes"):
        getattr(state, name)[rows] = 0


def _weigh(state: State, rows: Ints, quarter: Ints, width: Floats) -> None:
    seen, meant = state.routine_seen[rows], state.routine_meant[rows]
    rose = BEARABLE & (seen > LEAST_RISE * meant)
    rose &= seen - meant > SURE * np.sqrt(width * (meant + 1))
    strength = state.routine_strength[rows, quarter].astype(np.int64)
    if not rose.any() and not strength.any():
        return
    factor = state.routine_factor[rows, quarter].astype(np.int64)
    steps = np.log2(np.maximum(seen, 1) / np.maximum(meant, 1e-3)) / STEP
    steps = np.clip(steps, 0, np.iinfo(np.int8).max).astype(np.int64)
    again = (strength > 0) & (np.abs(steps - factor) <= ALIKE)
    grown = np.where(again, np.minimum(strength + OF_A_DAY, MOST), OF_A_DAY)
    state.routine_strength[rows, quarter] = np.where(rose, grown, KEPT * strength)
    factor = np.where(rose, np.where(again, (factor + steps) // 2, steps), factor)
    state.routine_factor[rows, quarter] = factor
    state.routines[rows] = has_routines(state.routine_strength[rows])
