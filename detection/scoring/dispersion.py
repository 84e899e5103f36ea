"""How much wider than Poisson the counts of a source really are.

Two widths are kept for every channel. The *scatter* is variance over mean of single minutes: it
says how single counts cluster. The *swing* is how much residuals gathered over a quarter of an hour
exceed what the scatter explains, because traffic drifts: variance = mean (scatter + drift mean).
"""

from dataclasses import dataclass

import numpy as np

from detection.scoring.series import Bools, Floats
from detection.scoring.state import State

# Residuals are added up over about this many minutes before they are squared, so that drift
# between neighbouring minutes counts as width too.
GATHER_MINUTES = 15.0
MEMORY_MINUTES = 5 * 1440.0
# The prior: a little wider than Poisson, worth this many transactions or gathered minutes.
PRIOR_SCATTER = 1.25
PRIOR_COUNT = 60.0
PRIOR_MINUTES = 120.0
# A residual may count for at most this many variances: an incident is not width.
LIMIT = 12.0


@dataclass(frozen=True)
class Dispersion:
    """Widths of each channel, shape (S, C): variance over mean of a minute, and of the drift."""

    scatter: Floats
    swing: Floats

    @property
    def total(self) -> Floats:
        """Variance over mean of what is added up over minutes."""
        return self.scatter * self.swing


@dataclass(frozen=True)
class Widths:
    """The scatter, and the line by which the swing grows with what is expected, (S, C) each."""

    scatter: Floats
    constant: Floats
    slope: Floats

    def at(self, meant: Floats) -> Dispersion:
        """Return the widths of minutes with so many expected transactions, shape (S, C)."""
        gathered = self.constant + self.slope * meant * (GATHER_MINUTES / 2)
        return Dispersion(self.scatter, np.maximum(gathered / self.scatter, 1.0))


def widths(state: State) -> Widths:
    """What was learned of the widths of each channel."""
    return Widths(_scatter(state), *_line(state))


def dispersion(state: State, meant: Floats) -> Dispersion:
    """Widths for minutes with so many expected transactions, shape (S, C)."""
    return widths(state).at(meant)


def _scatter(state: State) -> Floats:
    square = state.minute_square + PRIOR_SCATTER * PRIOR_COUNT
    return np.maximum(square / (state.minute_expected + PRIOR_COUNT), 1.0)


def _line(state: State) -> tuple[Floats, Floats]:
    """Least squares of gathered squares on gathered means: width without and per transaction."""
    weight = state.swing_weight + PRIOR_MINUTES
    square = state.swing_square + PRIOR_MINUTES * PRIOR_SCATTER
    x = state.swing_x / weight
    y = square / weight
    variance = np.maximum(state.swing_xx / weight - x * x, 1e-9 + 0.05 * x * x)
    covariance = state.swing_xy / weight - x * y
    slope = np.maximum(covariance / variance, 0.0)
    constant = np.maximum(y - slope * x, 1.0)
    # where the constant is held at 1 the slope must still pass through the mean point
    slope = np.where(x > 0, np.maximum((y - constant) / np.maximum(x, 1e-9), 0.0), 0.0)
    return constant, slope


def learn_dispersion(state: State, seen: Floats, meant: Floats, live: Bools) -> None:
    """Advance both widths by one minute for the rows marked live, shape (S, C) and (S, 1)."""
    forget = 1 - 1 / MEMORY_MINUTES
    difference = seen - meant
    scatter = _scatter(state)
    limit = LIMIT * scatter * (meant + scatter)
    state.minute_square[:] = state.minute_square * forget + live * np.minimum(difference**2, limit)
    state.minute_expected[:] = state.minute_expected * forget + live * meant
    _learn_swing(state, difference, meant, live, forget)


def _learn_swing(
    state: State, difference: Floats, meant: Floats, live: Bools, forget: float
) -> None:
    keep = 1 - 1 / GATHER_MINUTES
    state.residual[:] = np.where(live, state.residual * keep + difference, 0)
    state.residual_expected[:] = np.where(live, state.residual_expected * keep * keep + meant, 0)
    mean = state.residual_expected
    constant, slope = _line(state)
    width = constant + slope * mean
    ratio = np.minimum(
        state.residual**2 / np.maximum(mean, 1e-9), LIMIT * (width + 1 / (mean + 1e-9))
    )
    # weighted by the inverse variance of the squared residual
    weight = live * np.minimum(mean, 1.0) / (width * width)
    for name, value in (
        ("swing_weight", weight),
        ("swing_x", weight * mean),
        ("swing_xx", weight * mean * mean),
        ("swing_square", weight * ratio),
        ("swing_xy", weight * ratio * mean),
    ):
        array = getattr(state, name)
        array *= forget
        array += value
