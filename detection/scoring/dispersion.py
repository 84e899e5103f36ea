"""How much wider than Poisson the counts of a source really are."""

import numpy as np

from detection.scoring.series import Bools, Floats
from detection.scoring.state import State

# Residuals are added up over about this many minutes before they are squared, so that drift
# between neighbouring minutes counts as width too.
GATHER_MINUTES = 15.0
MEMORY_MINUTES = 4 * 1440.0
# The first estimate weighs like a day; it starts wider than Poisson.
PRIOR = 1.5
PRIOR_WEIGHT = 300.0
# One gathered residual may count for at most this many variances: an incident is not width.
LIMIT = 9.0


def dispersion(state: State) -> Floats:
    """Variance over mean of each channel, at least 1, shape (S, C)."""
    square = state.spread_square + PRIOR * PRIOR_WEIGHT
    return np.maximum(square / (state.spread_expected + PRIOR_WEIGHT), 1.0)


def learn_dispersion(state: State, seen: Floats, meant: Floats, live: Bools) -> None:
    """Advance the gathered residuals and their mean square by one minute, shape (S, C)."""
    keep = 1 - 1 / GATHER_MINUTES
    state.residual[:] = np.where(live, state.residual * keep + (seen - meant), 0)
    state.residual_expected[:] = np.where(live, state.residual_expected * keep * keep + meant, 0)
    width = np.maximum(state.residual_expected, 1e-9)
    ratio = np.minimum(state.residual**2 / width, LIMIT * dispersion(state))
    weight = np.minimum(state.residual_expected, 1.0) * live
    forget = 1 - 1 / MEMORY_MINUTES
    state.spread_square[:] = state.spread_square * forget + ratio * weight
    state.spread_expected[:] = state.spread_expected * forget + weight
