"""Evidence that adds up: the log-likelihood-ratio CUSUM (Page 1954, Lorden 1971)."""

import numpy as np
from scipy.special import gammaln

from detection.scoring.series import Floats


def poisson_gain(seen: Floats, meant: Floats, log_rho: Floats, rho_less_1: Floats) -> Floats:
    """Log-likelihood ratio of one count for a shift by rho against no shift [nats].

    Examples
    --------
    >>> float(poisson_gain(np.array(20.0), np.array(10.0), np.log(2.0), 1.0).round(3))
    3.863
    """
    return seen * log_rho - meant * rho_less_1


def negative_binomial_gain(seen: Floats, meant: Floats, scatter: Floats, rho: Floats) -> Floats:
    """Log-likelihood ratio for a shift by rho when counts come in clusters [nats].

    The count is negative binomial with variance `scatter` times its mean; a shift moves the mean
    and leaves the scatter. Twenty counts in one cluster then say little more than one.

    Examples
    --------
    >>> wide = negative_binomial_gain(np.array(6.0), np.array(0.1), np.array(3.0), np.array(30.0))
    >>> bool(wide < poisson_gain(np.array(6.0), np.array(0.1), np.log(30.0), 29.0))
    True
    """
    excess = np.maximum(scatter - 1.0, 1e-3)
    size = meant / excess + 1e-9
    # the silence test has rho 0 and a likelihood of its own: here it only must not be NaN
    shifted = size * np.maximum(rho, 1e-3)
    return (gammaln(seen + shifted) - gammaln(shifted) - gammaln(seen + size) + gammaln(size)) - (
        shifted - size
    ) * np.log1p(excess)


def accumulate(evidence: Floats, gain: Floats, cap: Floats, top: Floats) -> Floats:
    """Add one minute's gain, at most `cap`, and keep the sum between 0 and `top` [nats]."""
    total = evidence + np.minimum(gain, cap)
    np.maximum(total, 0, out=total)
    return np.minimum(total, top, out=total)
