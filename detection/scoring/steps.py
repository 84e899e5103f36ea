"""Steps of a source's day: a batch at two, a night that begins within a minute.

Nobody averages across a step. For some minutes about it either side of it is usual, because it may
lie within a quarter hour and come a little earlier or later another day. What a single quarter hour
has more or less than both its neighbours may all lie within a few minutes: a job, a failover.
"""

import numpy as np

from detection.scoring.series import Bools, Floats, Ints
from detection.scoring.state import BIN_MINUTES, BINS

# From one quarter hour to the next volume falls or rises to less than this part. No day that
# merely rises and falls does: one that grows elevenfold in three hours keeps .82.
STEP_PART = 0.75
# A single quarter hour stands out from both its neighbours if it differs by as much from them.
ALONE_PART = 0.87
# What it has more or less may be so many times as dense: within two and a half of its minutes.
CROWDED = 6.0
# A steady slope is no step: the quarter hour differs by so much from the mean of those around it.
BEND_PART = 0.1
# So many days show it, and this part of them.
STEP_DAYS = 2
STEP_PART_OF_DAYS = 2 / 3
# How sure the difference must be [standard deviations], of counts which vary so much more than
# Poisson's [variance over mean].
SURE = 4.0
SCATTER = 4.0
# The quarter hours before, at and after a minute that may have a step, and their neighbours.
ABOUT = np.arange(-2, 3)
NONE = np.empty(0)
NOT_FIRST, NOT_LAST = np.array([False, True, True]), np.array([True, True, False])


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
    before, after = np.roll(shape, 1, axis=-1), np.roll(shape, -1, axis=-1)
    alone = _is_peak(before, shape, after) | _is_dip(before, shape, after)
    alone |= np.roll(alone, -1, axis=-1)
    bent = np.abs(shape - smooth) > BEND_PART * smooth
    found: Bools = is_step(shape, after) | alone
    found &= bent | np.roll(bent, -1, axis=-1)
    rows = np.flatnonzero(found.any(1))
    if rows.size:
        part = np.where(alone[rows], ALONE_PART, STEP_PART)
        found[rows] &= _proven(seen[rows], exposure[rows], part)
    return found


def _proven(seen: Floats, exposure: Floats, part: Floats) -> Bools:
    """Tell where enough days and enough counts show a step to or from such a part, (S, 96)."""
    both = (exposure > 0) & (np.roll(exposure, -1, axis=-1) > 0)
    before = np.where(both, seen, 0.0)
    after = np.where(both, np.roll(seen, -1, axis=-1), 0.0)
    falls, rises = after < part[:, None] * before, before < part[:, None] * after
    times = np.maximum(falls.sum(1), rises.sum(1))
    first, second = before.sum(1), after.sum(1)
    noise = np.sqrt(SCATTER * (first + second) / BIN_MINUTES)
    shown: Bools = (times >= STEP_DAYS) & (times >= STEP_PART_OF_DAYS * both.sum(1))
    shown &= np.abs(first - second) > SURE * noise
    return shown


def _is_peak(before: Floats, at: Floats, after: Floats) -> Bools:
    told: Bools = np.maximum(before, after) < ALONE_PART * at
    return told


def _is_dip(before: Floats, at: Floats, after: Floats) -> Bools:
    told: Bools = at < ALONE_PART * np.minimum(before, after)
    return told


def is_step(one: Floats, other: Floats) -> Bools:
    """Tell whether the volume steps between two quarter hours that follow each other."""
    told: Bools = np.minimum(one, other) < STEP_PART * np.maximum(one, other)
    return told


def bins_about(minute: Ints) -> Ints:
    """The quarter hour of a minute of the day, with two before and two after it, (S, 5)."""
    near: Ints = (minute[:, None] // BIN_MINUTES + ABOUT) % BINS
    return near


def near_step(around: Floats) -> tuple[Ints, Floats, Floats]:
    """Find the sources that are near a step.

    Parameters
    ----------
    around : array (S, 5)
        Volume of a typical day in the quarter hours of `bins_about` [transactions a minute].

    Returns
    -------
    rows : array of int
        The sources that have a step before, at or after the middle one.
    least, most : arrays
        What each of them may have in a minute there [transactions].
    """
    rows = np.flatnonzero(around.min(1) < ALONE_PART * around.max(1))
    if not rows.size:
        return rows, NONE, NONE
    around = around[rows]
    at, before, after = around[:, 1:4], around[:, :3], around[:, 2:]
    peak, dip = _is_peak(before, at, after), _is_dip(before, at, after)
    near = (peak | dip | is_step(at, before) & NOT_FIRST | is_step(at, after) & NOT_LAST).any(1)
    higher, lower = np.maximum(before, after), np.minimum(before, after)
    most = np.where(peak, higher + CROWDED * (at - higher), at).max(1)
    least = np.where(dip, np.maximum(lower - CROWDED * (lower - at), 0.0), at).min(1)
    return rows[near], least[near], most[near]
