"""From a false-page budget to thresholds: a Gumbel tail on the daily maxima of the evidence."""

import numpy as np

from detection.scoring.designs import DEARNESS, TESTS
from detection.scoring.series import Floats, Ints

# Tests of one source speak largely of the same transactions; as many false pages as this number
# of independent ones would raise.
EFFECTIVE_TESTS = 12.0
FLOOR = 10.0
# Before the maxima of a few days are known the threshold is this much higher.
START = 12.0
MINIMUM_DAYS = 3
LOWER, UPPER = 0.3, 0.7
GUMBEL_LOWER = -np.log(-np.log(LOWER))
GUMBEL_UPPER = -np.log(-np.log(UPPER))
PRIOR_DAYS = 4.0
PRIOR_SCALE = 1.0


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
    count = np.isfinite(maxima).sum(1)
    ordered = np.sort(np.where(np.isfinite(maxima), maxima, np.inf), axis=1)
    lower = _quantile(ordered, count, LOWER)
    upper = _quantile(ordered, count, UPPER)
    scale = (upper - lower) / (GUMBEL_UPPER - GUMBEL_LOWER)
    scale = (count * scale + PRIOR_DAYS * PRIOR_SCALE) / (count + PRIOR_DAYS)
    alpha = pages_per_week / 7 / EFFECTIVE_TESTS
    height = -np.log(-np.log1p(-np.minimum(alpha, 0.5)))
    threshold = upper + scale * (height[:, None] - GUMBEL_UPPER)
    return np.where(count >= MINIMUM_DAYS, np.maximum(threshold, FLOOR), START) + DEARNESS


def unlearned(size: int) -> Floats:
    """Thresholds of sources whose quiet days are not known yet, shape (S, T)."""
    return np.full((size, TESTS), START) + DEARNESS


def _quantile(ordered: Floats, count: Ints, part: float) -> Floats:
    """Quantile of the first `count` of each sorted column, shape (S, T); 0 where there are none."""
    position = np.maximum(count - 1, 0) * part
    low = position.astype(np.int64)
    high = np.minimum(low + 1, np.maximum(count - 1, 0))
    a = np.take_along_axis(ordered, low[:, None], 1)[:, 0]
    b = np.take_along_axis(ordered, high[:, None], 1)[:, 0]
    weight = position - low
    return np.where(
        count > 0,
        np.where(count > 0, a, 0) * (1 - weight) + np.where(count > 0, b, 0) * weight,
        0.0,
    )
