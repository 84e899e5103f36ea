"""From a false-page budget to thresholds: a Gumbel tail on the daily maxima of the evidence."""

import numpy as np

from detection.scoring.designs import DEARNESS
from detection.scoring.policy import DEFAULT_PAGES_PER_WEEK
from detection.scoring.series import Floats, Ints

# Tests of one source speak largely of the same transactions; as many false pages as this number
# of independent ones would raise.
EFFECTIVE_TESTS = 8.0
# Evidence never asked less of, whatever quiet days say: exp(-9.3) is one false page in years of
# restarts of one test.
FLOOR = 9.3
# Before the maxima of a few days are known the threshold is this much higher.
START = 10.5
MINIMUM_DAYS = 3
# A budget of nothing cannot be kept; it is taken as one page in two years.
LEAST_PAGES_PER_WEEK = 0.01
# Quantiles of the maxima that carry the fit: days with an incident are above both.
LOWER, UPPER = 0.3, 0.7
GUMBEL_LOWER = -np.log(-np.log(LOWER))
GUMBEL_UPPER = -np.log(-np.log(UPPER))
# Few days say little about the scale: exact evidence has scale 1, worth this many days.
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
    alpha = np.maximum(pages_per_week, LEAST_PAGES_PER_WEEK) / 7 / EFFECTIVE_TESTS
    height = -np.log(-np.log1p(-np.minimum(alpha, 0.5)))
    threshold = upper + scale * (height[:, None] - GUMBEL_UPPER)
    return (
        np.where(
            count >= MINIMUM_DAYS,
            np.maximum(threshold, _for_budget(FLOOR, pages_per_week)),
            _for_budget(START, pages_per_week),
        )
        + DEARNESS
    )


def unlearned(pages_per_week: Floats) -> Floats:
    """Thresholds of sources whose quiet days are not known yet, shape (S, T)."""
    return _for_budget(START, pages_per_week) + DEARNESS


def _for_budget(evidence: float, pages_per_week: Floats) -> Floats:
    """Evidence that holds for the default budget, moved to another one, shape (S, 1)."""
    budget = np.maximum(pages_per_week, LEAST_PAGES_PER_WEEK)
    return (evidence - np.log(budget / DEFAULT_PAGES_PER_WEEK))[:, None]


def _quantile(ordered: Floats, count: Ints, part: float) -> Floats:
    """Quantile of the first `count` of each sorted column, shape (S, T); 0 where there are none."""
    position = np.maximum(count - 1, 0) * part
    low = position.astype(np.int64)
    high = np.minimum(low + 1, np.maximum(count - 1, 0))
    below = np.take_along_axis(ordered, low[:, None], 1)[:, 0]
    above = np.take_along_axis(ordered, high[:, None], 1)[:, 0]
    none = count == 0
    below, above = np.where(none, 0.0, below), np.where(none, 0.0, above)
    return below + (above - below) * (position - low)
