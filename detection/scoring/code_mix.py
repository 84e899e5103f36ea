"""Whether denials fall on their codes as they used to: the G-test of goodness of fit."""

import numpy as np
from scipy.special import chdtrc, xlogy

from detection.scoring.series import Floats

# A code expected less often than this is pooled with the rarest: the chi-square needs it.
LEAST_EXPECTED = 1.0


def g_statistic(seen: Floats, share: Floats, scatter: Floats | float = 1.0) -> Floats:
    """Twice the log-likelihood ratio of the mix seen against the usual one.

    Sokal and Rohlf, "Biometry": G = 2 sum(seen log(seen / expected)), asymptotically chi-square
    with one degree of freedom less than there are codes. The number of denials does not matter,
    only how they fall on the codes: it finds what counts hide, one code down while another is up.

    Parameters
    ----------
    seen : array (S, K)
        Denied transactions of a window by code [transactions].
    share : array (S, K)
        Usual shares of the codes, > 0; normalised here.
    scatter : array (S,) or float
        Variance over mean of the counts, >= 1; denials that come in clusters say less.

    Returns
    -------
    array (S,)
        G [-]; 0 where nothing was denied.

    Examples
    --------
    >>> float(g_statistic(np.array([[0.0, 20.0]]), np.array([[0.5, 0.5]]))[0].round(2))
    27.73
    """
    total = seen.sum(axis=1, keepdims=True)
    expected = total * share / share.sum(axis=1, keepdims=True)
    # the sum over log(expected) is split so that no code with nothing seen divides by nothing
    likely = xlogy(seen, seen).sum(axis=1) - xlogy(seen, np.maximum(expected, 1e-300)).sum(axis=1)
    statistic: Floats = np.maximum(2 * likely, 0.0) / scatter
    return statistic


def g_tail(seen: Floats, share: Floats, scatter: Floats | float = 1.0) -> Floats:
    """Probability of a mix at least this unusual while nothing has changed, shape (S,).

    Codes of which less than one denial is expected are taken together with the rarest other one;
    the degrees of freedom follow. The parameters are those of `g_statistic`.

    Examples
    --------
    >>> tail = g_tail(np.array([[0.0, 20.0], [10.0, 10.0]]), np.array([[0.5, 0.5], [0.5, 0.5]]))
    >>> tail.round(4).tolist()
    [0.0, 1.0]
    """
    pooled_seen, pooled_share = _pooled(seen, share)
    freedom = (pooled_share > 0).sum(axis=1) - 1
    statistic = g_statistic(pooled_seen, pooled_share, scatter)
    return np.where(freedom > 0, chdtrc(np.maximum(freedom, 1), statistic), 1.0)


def _pooled(seen: Floats, share: Floats) -> tuple[Floats, Floats]:
    """Add rare codes to the rarest one that is common enough, or to the most common one."""
    normal = share / share.sum(axis=1, keepdims=True)
    expected = seen.sum(axis=1, keepdims=True) * normal
    common = expected >= LEAST_EXPECTED
    host = np.where(common, expected, np.inf).argmin(axis=1)
    host = np.where(common.any(axis=1), host, expected.argmax(axis=1))
    rows = np.arange(len(seen))
    keep = common.copy()
    keep[rows, host] = True
    out = []
    for values in (np.asarray(seen, float), normal):
        rest = np.where(keep, 0.0, values).sum(axis=1)
        kept = np.where(keep, values, 0.0)
        kept[rows, host] += rest
        out.append(kept)
    return out[0], out[1]
