"""Steps of a source's day: a batch at two, a night that begins within a minute.

Nobody averages across a step. For some minutes about it either side of it is usual, because it may
lie within a quarter hour and come a little earlier or later another day.
"""

import numpy as np

from detection.scoring.series import Bools, Floats, Ints
from detection.scoring.state import BIN_MINUTES, BINS

# From one quarter hour to the next volume falls or rises to less than this part. No day that
# merely rises and falls does: one that grows elevenfold in three hours keeps .82.
STEP_PART = 0.75
# A steady slope is no step: the quarter hour differs by so much from the mean of those around it.
BEND_PART = 0.1
# So many days show it, and this part of them.
STEP_DAYS = 2
STEP_PART_OF_DAYS = 2 / 3
# How sure the difference must be [standard deviations], of counts which vary so much more than
# Poisson's [variance over mean].
SURE = 4.0
SCATTER = 4.0
# How long before and after a step both sides of it are usual [minutes].
ABOUT = np.array([-15, 0, 15])


def steps(shape: Floats, smooth: Floats, seen: Floats, exposure: Floats) -> Bools:
    """Tell at the end of which quarter hours the volume steps up or down, (S, 96).

    Parameters
    ----------
    shape, smooth : arrays (S, 96)
        The typical day, as it is and averaged across all steps [transactions a minute].
    seen : array (S, 28, 96)
        Volume by day and quarter hour [transactions a minute], zero where it is unknown.
    exposure : array (S, 28, 96)
        What each day has of a typical day's volume, zero where it is unknown.
    """
    bent = np.abs(shape - smooth) > BEND_PART * smooth
    found: Bools = is_step(shape, np.roll(shape, -1, axis=-1))
    found &= bent | np.roll(bent, -1, axis=-1)
    rows = np.flatnonzero(found.any(1))
    if rows.size:
        found[rows] &= _proven(seen[rows], exposure[rows])
    return found


def _proven(seen: Floats, exposure: Floats) -> Bools:
    """Tell where enough days and enough counts show a step, (S, 96)."""
    both = (exposure > 0) & (np.roll(exposure, -1, axis=-1) > 0)
    before = np.where(both, seen, 0.0)
    after = np.where(both, np.roll(seen, -1, axis=-1), 0.0)
    falls, rises = after < STEP_PART * before, before < STEP_PART * after
    times = np.maximum(falls.sum(1), rises.sum(1))
    first, second = before.sum(1), after.sum(1)
    noise = np.sqrt(SCATTER * (first + second) / BIN_MINUTES)
    shown: Bools = (times >= STEP_DAYS) & (times >= STEP_PART_OF_DAYS * both.sum(1))
    shown &= np.abs(first - second) > SURE * noise
    return shown


def is_step(one: Floats, other: Floats) -> Bools:
    """Tell whether the volume steps between two quarter hours that follow each other."""
    told: Bools = np.minimum(one, other) < STEP_PART * np.maximum(one, other)
    return told


def bins_about(minute: Ints) -> Ints:
    """The quarter hours before, at and after a minute of the day that a step may lie in, (S, 3)."""
    near: Ints = (minute[:, None] + ABOUT) // BIN_MINUTES % BINS
    return near


def near_step(around: Floats) -> Ints:
    """Rows of the sources whose volume steps within these quarter hours, (S, 3)."""
    rows = np.flatnonzero(around.min(1) < STEP_PART * around.max(1))
    if rows.size:
        around = around[rows]
        rows = rows[is_step(around[:, :-1], around[:, 1:]).any(1)]
    return rows
