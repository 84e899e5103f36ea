"""Evidence that adds up: the log-likelihood-ratio CUSUM (Page 1954, Lorden 1971)."""

import numpy as np

from detection.scoring.series import Floats


def poisson_gain(seen: Floats, meant: Floats, log_rho: Floats, rho_less_1: Floats) -> Floats:
    """Log-likelihood ratio of one count for a shift by rho against no shift [nats].

    Examples
    --------
    >>> float(poisson_gain(np.array(20.0), np.array(10.0), np.log(2.0), 1.0).round(3))
    3.863
    """
    return seen * log_rho - meant * rho_less_1


def accumulate(evidence: Floats, gain: Floats, cap: Floats, top: Floats) -> Floats:
    """Add one minute's gain, at most `cap`, and keep the sum between 0 and `top` [nats]."""
    total = evidence + np.minimum(gain, cap)
    np.maximum(total, 0, out=total)
    return np.minimum(total, top, out=total)
