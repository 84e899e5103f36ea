"""Judge one minute of many sources, and learn from it. Scoring never learns; learning never scores.

The methods live in their own modules: `baseline`, `shares`, `dispersion` say what is normal, and
`outlook` puts it together; `cusum`, `silence`, `evidence` add up what speaks against it;
`thresholds`, `alarm` decide.
"""

from dataclasses import replace

import numpy as np

from detection.scoring.channels import read_channels
from detection.scoring.evidence import advance
from detection.scoring.explain import Explanation, explain
from detection.scoring.forecast import forecast
from detection.scoring.forest import Forest, features
from detection.scoring.learning import learn
from detection.scoring.minutes import Counts, Moments, tally
from detection.scoring.outlook import LEARNING_MINUTES, Outlook
from detection.scoring.policy import Policy
from detection.scoring.scores import Scores, judge
from detection.scoring.series import Bools
from detection.scoring.state import State
from detection.scoring.surprise import raise_by_score

__all__ = [
    "LEARNING_MINUTES",
    "Explanation",
    "Scores",
    "explain",
    "forecast",
    "learn",
    "score",
    "tally",
]


def score(
    state: State,
    policy: Policy,
    moments: Moments,
    counts: Counts,
    *,
    closed: Bools,
    past: Bools | None = None,
    forest: Forest | None = None,
    outlook: Outlook | None = None,
) -> Scores:
    """Judge one minute; the state is not changed, so judging again gives the same answer.

    Parameters
    ----------
    closed : array (S,) of bool
        The minute is complete. False: a report of a minute still filling; then only what the
        counts so far prove is judged (shares given the total, surges), never low volume or silence.
    past : array (S,) of bool, optional
        The minute is not the one after the last learned: judged on its own, without the running
        evidence.
    forest : Forest, optional
        The second opinion; without it the z alone makes the anomaly score.
    outlook : Outlook, optional
        What `Outlook.of` says of the same state, policy and moments, if it is known already.

    Examples
    --------
    >>> state, counts = State.new(1), tally(State.new(1), [[("approved", "00", 90)]])
    >>> moments = Moments.of([29_000_000])
    >>> scores = score(state, Policy.defaults(1), moments, counts, closed=np.array([True]))
    >>> scores.level.tolist(), scores.learning.tolist()
    ([0], [True])
    """
    past = np.zeros(len(state), bool) if past is None else past
    outlook = Outlook.of(state, policy, moments) if outlook is None else outlook
    channels = read_channels(outlook, counts, closed)
    running = advance(state, policy, moments, outlook, counts, channels, closed, past)
    scores = judge(state, running, outlook.expectation, channels, counts, closed)
    if forest is not None:
        opinion = forest.surprise(features(state, scores, counts, closed))
        whole = np.maximum(policy.weight_ml + policy.weight_z, 1e-9)
        mixed = (policy.weight_ml * opinion + policy.weight_z * scores.z_score) / whole
        scores = replace(scores, ml_score=opinion, anomaly_score=mixed)
    return raise_by_score(state, policy, scores)
