"""Evidence that adds up: the log-likelihood-ratio CUSUM (Page 1954, Lorden 1971)."""

import numpy as np
from scipy.special import gammaln

from detection.scoring.designs import CHANNEL, RHO, RHO_LESS_1
from detection.scoring.series import Floats


def poisson_gain(seen: Floats, meant: Floats, log_rho: Floats, rho_less_1: Floats) -> Floats:
    """Log-likelihood ratio of one count for a shift by rho against no shift [nats].

    Examples
    --------
    >>> float(poisson_gain(np.array(20.0), np.array(10.0), np.log(2.0), 1.0).round(3))
    3.863
    """
    return seen * log_rho - meant * rho_less_1


# Below this the negative binomial is a Poisson to within rounding, and its size overflows.
LEAST_EXCESS = 1e-3


def negative_binomial_gain(seen: Floats, meant: Floats, scatter: Floats) -> Floats:
    """Log-likelihood ratio of every design shift when counts come in clusters [nats].

    The count is negative binomial with variance `scatter` times its mean; a shift moves the mean
    and leaves the scatter. Twenty counts in one cluster then say little more than one.

    Parameters
    ----------
    seen, meant, scatter : array (S, C)
        Count, expectation [transactions] and variance over mean of each channel.

    Returns
    -------
    array (S, T)
        Evidence for each test of designs.DESIGNS.
    """
    excess = np.maximum(scatter - 1.0, LEAST_EXCESS)
    size = meant / excess + 1e-9
    normal = gammaln(seen + size) - gammaln(size)
    width = np.log1p(excess)
    count = seen.take(CHANNEL, axis=1)
    shifted = size.take(CHANNEL, axis=1) * RHO + 1e-12
    gain: Floats = gammaln(count + shifted)
    gain -= gammaln(shifted)
    gain -= normal.take(CHANNEL, axis=1)
    gain -= (size * width).take(CHANNEL, axis=1) * RHO_LESS_1
    return gain


def accumulate(evidence: Floats, gain: Floats, cap: Floats, top: Floats) -> Floats:
    """Add one minute's gain, at most `cap`, and keep the sum between 0 and `top` [nats]."""
    total = evidence + np.minimum(gain, cap)
    np.maximum(total, 0, out=total)
    return np.minimum(total, top, out=total)
