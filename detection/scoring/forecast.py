"""The volume expected in the coming hours, with an interval that says how sure that is."""

import numpy as np

from detection.scoring.baseline import expect
from detection.scoring.designs import CHANNELS
from detection.scoring.dispersion import dispersion
from detection.scoring.minutes import Moments
from detection.scoring.policy import Policy
from detection.scoring.series import Floats, Ints
from detection.scoring.state import State

# Half-width of a 95 % interval [standard deviations].
SIDE = 1.96
# The level drifts: its relative error grows to about this within a day.
LEVEL_DRIFT = 0.12


def forecast(
    state: State, policy: Policy, utc_minutes: Ints, local_minutes: Ints
) -> tuple[Floats, Floats, Floats]:
    """Expected volume and its 95 % interval for coming minutes.

    Parameters
    ----------
    utc_minutes, local_minutes : array (S, H) of int64
        The minutes asked for, since 1970-01-01 UTC, and the same in the source's zone.

    Returns
    -------
    expected, lower, upper : array (S, H) [transactions a minute]
    """
    columns = []
    for column in range(utc_minutes.shape[1]):
        moments = Moments(utc_minutes[:, column], local_minutes[:, column])
        mean = expect(state, moments).slow
        ahead = np.maximum(utc_minutes[:, column] - state.through, 0)
        drift = LEVEL_DRIFT * np.sqrt(np.minimum(ahead / 1440.0, 1.0))
        width = dispersion(state, np.repeat(mean[:, None], len(CHANNELS), 1)).total[:, 0]
        spread = np.sqrt(width * mean + (drift * mean) ** 2)
        columns.append((mean, np.maximum(mean - SIDE * spread, 0), mean + SIDE * spread))
    expected, lower, upper = (np.stack(part, axis=1) for part in zip(*columns, strict=True))
    return expected, lower, upper
