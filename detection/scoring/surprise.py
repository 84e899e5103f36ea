"""The level of the anomaly score itself; the worse of it and of the evidence counts."""

from dataclasses import replace

import numpy as np

from detection.scoring import designs
from detection.scoring.policy import Policy
from detection.scoring.scores import Scores
from detection.scoring.series import FAMILIES, STATUSES, Bools
from detection.scoring.state import State

# Two minutes running of one in ten million each: the score alone then warns. It is never critical
# by itself, because it knows nothing of how long and how much.
SCORE_WARNING = 0.75
# So many denials, failures or reversals that one minute says enough for a warning: whoever reports
# them is not told that all is well [standard deviations].
ALONE = 8.0
# Which family a distance speaks for: six statuses and the total, by the sign of the distance.
ABOVE = np.array(
    [
        FAMILIES.index(family)
        for family in (
            "volume_high",
            "decline",
            "technical_failure",
            "reversal",
            "technical_failure",
            "reversal",
            "volume_high",
        )
    ]
)
# Below what is expected the approved and the total speak; fewer failures are no failure.
BELOW = {0: FAMILIES.index("decline"), 6: FAMILIES.index("volume_low")}


def raise_by_score(state: State, policy: Policy, scores: Scores) -> Scores:
    """Warn where two minutes running were extreme, or one beyond all measure."""
    twice = (scores.anomaly_score >= SCORE_WARNING) & (state.last_score >= SCORE_WARNING)
    # the forest alone names no family
    twice &= scores.z != 0
    alone = scores.zscore[:, 1:].max(1) >= ALONE
    rows = np.flatnonzero((twice | alone) & ~scores.learning)
    if not rows.size:
        return scores
    level = scores.family_level.copy()
    distance = np.concatenate([scores.zscore, scores.z_total[:, None]], axis=1)
    large = _large_enough(policy, scores)
    for row in rows:
        said = np.abs(distance[row])
        which = int(said.argmax()) if twice[row] else 1 + int(distance[row, 1:6].argmax())
        family = int(ABOVE[which]) if distance[row, which] > 0 else BELOW.get(which)
        if family is not None and large[row, which] and policy.families_on[row, family]:
            level[row, family] = max(level[row, family], 1)
    return replace(scores, family_level=level, level=level.max(1))


def _large_enough(policy: Policy, scores: Scores) -> Bools:
    """Which distances are changes as large as the policy asks for, (S, 7)."""
    counted = scores.channels.seen
    seen = counted[:, designs.FIRST_RATE : designs.FIRST_RATE + len(STATUSES)].copy()
    # The first rate is all that was not approved; what is left are the approved.
    refunded = STATUSES.index("refunded")
    seen[:, 0] = counted[:, 0] - seen[:, 0] - seen[:, refunded]
    seen = np.concatenate([seen, counted[:, :1]], axis=1)
    expected = np.concatenate([scores.expected, scores.total_expected[:, None]], axis=1)
    change = np.abs(seen - expected)
    large: Bools = change >= policy.minimum_excess[:, None]
    large &= change >= policy.minimum_relative_change[:, None] * expected
    return large
