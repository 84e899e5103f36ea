"""One scale from 0 to 1 for the z and for the forest: how surprising the value is."""

import numpy as np
from scipy.special import log_ndtr

from detection.scoring.series import Floats

# 0 at one in ten, 1 at one in 10^9; a one-in-a-hundred-thousand minute is the middle.
COMMON = 1.0
RARE = 9.0
LOG_10 = np.log(10.0)


def surprise(log10_tail: Floats) -> Floats:
    """Place a tail probability on the scale.

    Parameters
    ----------
    log10_tail : array
        Decimal logarithm of the probability of a value at least as extreme.

    Returns
    -------
    array
        0 (ordinary) .. 1 (never seen in quiet traffic).

    Examples
    --------
    >>> surprise(np.array([-1.0, -5.0, -20.0])).tolist()
    [0.0, 0.5, 1.0]
    """
    scaled = (-log10_tail - COMMON) / (RARE - COMMON)
    placed: Floats = np.minimum(np.maximum(scaled, 0.0), 1.0)
    return placed


def z_surprise(z: Floats, tests: int) -> Floats:
    """Surprise of the largest of `tests` standardised distances, both sides counted."""
    return surprise(np.minimum(_log_tail(z, tests), 0.0) / LOG_10)


def z_tail(z: Floats, tests: int) -> Floats:
    """Probability that the largest of `tests` quiet distances is at least this large."""
    return np.exp(np.minimum(_log_tail(z, tests), 0.0))


def _log_tail(z: Floats, tests: int) -> Floats:
    """Bonferroni: the tail of one normal distance, both sides, times the number looked at."""
    log_tail: Floats = log_ndtr(-np.abs(z)) + np.log(2.0 * tests)
    return log_tail
