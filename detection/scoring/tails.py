"""Single counts against what was expected: the stabilised z, its band, the rule of three."""

import math

import numpy as np

from detection.scoring.series import Floats

ANSCOMBE = 3.0 / 8.0


def stabilised_z(observed: Floats, expected: Floats, dispersion: Floats | float = 1.0) -> Floats:
    """Score counts by their distance from what was expected, in standard deviations.

    The square root makes the spread of a Poisson count the same at every level (Anscombe 1948).

    Parameters
    ----------
    observed, expected : array
        Counts in the window [transactions], >= 0.
    dispersion : array or float
        Variance over mean, >= 1; wider traffic makes the same distance less surprising.

    Returns
    -------
    array
        Signed distance [standard deviations]; positive is above expectation.

    Examples
    --------
    >>> float(stabilised_z(np.array(9.0), np.array(4.0)).round(2))
    1.94
    """
    distance = 2 * (np.sqrt(observed + ANSCOMBE) - np.sqrt(expected + ANSCOMBE))
    widened: Floats = distance / np.sqrt(dispersion)
    return widened


def band(expected: Floats, dispersion: Floats, width: float) -> tuple[Floats, Floats]:
    """Counts whose stabilised distance from the expectation is at most `width`.

    Examples
    --------
    >>> low, high = band(np.array(100.0), np.array(1.0), 2.0)
    >>> float(low.round(1)), float(high.round(1))
    (81.0, 121.0)
    """
    root = np.sqrt(expected + ANSCOMBE)
    half = 0.5 * width * np.sqrt(dispersion)
    lower = np.maximum(root - half, 0.0) ** 2 - ANSCOMBE
    return np.maximum(lower, 0.0), (root + half) ** 2 - ANSCOMBE


def distance_in_band(observed: float, expected: float, upper: float, width: float) -> float:
    """Stabilised distance of a count of which the band is known, but no longer the dispersion.

    Parameters
    ----------
    upper : float
        Upper end of the band of that `width` around the expectation [transactions].

    Examples
    --------
    >>> low, high = band(np.array(100.0), np.array(1.0), 2.0)
    >>> round(distance_in_band(float(high), 100.0, float(high), 2.0), 4)
    2.0
    """
    root = math.sqrt(expected + ANSCOMBE)
    # The dispersion is at least one.
    half = max(math.sqrt(upper + ANSCOMBE) - root, width / 2)
    return width * (math.sqrt(observed + ANSCOMBE) - root) / half


def rule_of_three(trials: Floats, confidence: float = 0.95) -> Floats:
    """Largest rate that explains seeing nothing in so many trials.

    Hanley and Lippman-Hand (JAMA 1983): about three over the number of trials.

    Parameters
    ----------
    trials : array
        Transactions among which the status or code never occurred, >= 1.

    Examples
    --------
    >>> float(rule_of_three(np.array(3000.0)).round(4))
    0.001
    """
    return 1.0 - (1.0 - confidence) ** (1.0 / np.maximum(trials, 1.0))
