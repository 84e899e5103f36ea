"""A forest trained on ordinary minutes of made-up traffic, as the ablation needs one."""

import numpy as np

from detection.scoring.detector import learn, score
from detection.scoring.forest import Forest, features, fit_forest
from detection.scoring.minutes import Counts, Moments
from detection.scoring.policy import Policy
from detection.scoring.series import CODE_SLOTS, Floats
from detection.scoring.state import State

# Sources from 1 to 600 a minute for two days, without a single incident.
VOLUMES = np.array([600.0, 250.0, 130.0, 40.0, 12.0, 6.0, 3.0, 1.0])
SHARES = np.array([0.92, 0.06, 0.0005, 0.01, 0.0005, 0.009])
MINUTES = 2880
WARM = 720
EVERY = 3
START = 28_000_000


def ordinary_forest(seed: int = 7) -> Forest:
    """Train on quiet Poisson traffic only; the streams of the benchmark are never seen."""
    random = np.random.default_rng(seed)
    size = len(VOLUMES)
    state, policy = State.new(size), Policy.defaults(size)
    everything = np.ones(size, bool)
    rows: list[Floats] = []
    for minute in range(MINUTES):
        status = random.poisson(VOLUMES[:, None] * SHARES).astype(float)
        code = np.zeros((size, CODE_SLOTS))
        code[:, 0] = status[:, 1]
        counts = Counts(status, code, everything)
        now = np.full(size, START + minute)
        moments = Moments(now, now)
        scores = score(state, policy, moments, counts, closed=everything)
        if minute >= WARM and minute % EVERY == 0:
            rows.append(features(state, scores, counts))
        learn(state, policy, moments, counts, scores)
    return fit_forest(np.concatenate(rows), window=(START + WARM, START + MINUTES - 1))
