"""From a false-page budget to thresholds: a Gumbel tail on the daily maxima of the evidence."""

import numpy as np

from detection.scoring.designs import TESTS
from detection.scoring.series import Floats

# Tests of one source speak largely of the same transactions; as many false pages as this number
# of independent ones would raise.
EFFECTIVE_TESTS = 12.0
FLOOR = 9.0
# Before the maxima of a few days are known the threshold is this much higher.
START = 12.0
MINIMUM_DAYS = 3
EULER = 0.5772156649015329
GUMBEL_SCALE = np.sqrt(6) / np.pi


def gumbel_threshold(maxima: Floats, pages_per_week: Floats) -> Floats:
    """Evidence that quiet traffic exceeds as often as the budget allows.

    Parameters
    ----------
    maxima : array (S, D, T)
        Largest evidence of each quiet day and test [nats]; NaN = no such day.
    pages_per_week : array (S,)
        False pages allowed [pages a week and source].

    Returns
    -------
    array (S, T)
        Threshold [nats], never under the floor.
    """
    known = np.isfinite(maxima)
    count = known.sum(1)
    value = np.where(known, maxima, 0.0)
    mean = value.sum(1) / np.maximum(count, 1)
    spread = np.where(known, (maxima - mean[:, None]) ** 2, 0.0).sum(1)
    scale = GUMBEL_SCALE * np.sqrt(spread / np.maximum(count - 1, 1))
    alpha = pages_per_week / 7 / EFFECTIVE_TESTS
    height = -np.log(-np.log1p(-np.minimum(alpha, 0.5)))
    threshold = mean - EULER * scale + scale * height[:, None]
    return np.where(count >= MINIMUM_DAYS, np.maximum(threshold, FLOOR), START)


def unlearned(size: int) -> Floats:
    """Thresholds of sources whose quiet days are not known yet, shape (S, T)."""
    return np.full((size, TESTS), START)
