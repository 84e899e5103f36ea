"""Single counts against what was expected: stabilised z and exact tails."""

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
    return distance / np.sqrt(dispersion)
