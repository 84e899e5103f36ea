"""Two statuses of one family that rise at once: the evidence of both adds up."""

import numpy as np

from detection.scoring import designs
from detection.scoring.policy import Policy
from detection.scoring.series import Bools, Floats, Ints

# What fails and what the backend takes back are different transactions: while nothing is wrong one
# says nothing of the other, so the sum of their evidence has the tail (1 + x) exp(-x). At ten nats
# it is as rare as one of them from about 1.3 thresholds on.
ENOUGH = 1.3
# A part below this is noise beside the other, which then has to speak for itself.
LEAST_PART = 0.25


def _tests_of(series: str) -> Ints:
    channel = designs.CHANNELS.index(series)
    return np.flatnonzero((channel == designs.CHANNEL) & (designs.RHO > 1))


FAILED, TAKEN_BACK = _tests_of("failed"), _tests_of("backend_reversed")


def add_up(
    evidence: Floats, threshold: Floats, excess: Floats, allowed: Bools, policy: Policy
) -> tuple[Floats, Bools]:
    """Lift the stronger of the two tests over its threshold where both together speak enough.

    Parameters
    ----------
    evidence, threshold : array (S, T)
        Of every test [nats].
    excess : array (S, T)
        Transactions seen since the onset less those expected.
    allowed : array (S, T) of bool
        Tests that show a change large enough for the policy, each for itself.

    Returns
    -------
    tuple of arrays (S, T)
        The evidence, and what is allowed: the excess of both counts as one.
    """
    if not (evidence[:, FAILED].any() and evidence[:, TAKEN_BACK].any()):
        return evidence, allowed
    rows = np.arange(len(evidence))
    best = [_best(evidence, threshold, tests) for tests in (FAILED, TAKEN_BACK)]
    part = np.stack([(evidence / threshold)[rows, test] for test in best])
    both = excess[rows, best[0]] + excess[rows, best[1]] >= policy.minimum_excess
    both &= (part.sum(0) >= ENOUGH) & (part.min(0) >= LEAST_PART)
    found = np.flatnonzero(both)
    if not found.size:
        return evidence, allowed
    lead = np.where(part[0] >= part[1], best[0], best[1])[found]
    evidence, allowed = evidence.copy(), allowed.copy()
    evidence[found, lead] = np.maximum(evidence[found, lead], threshold[found, lead])
    allowed[found, lead] = policy.families_on[found, designs.FAMILY[lead]]
    return evidence, allowed


def _best(evidence: Floats, threshold: Floats, tests: Ints) -> Ints:
    strongest: Ints = tests[(evidence[:, tests] / threshold[:, tests]).argmax(axis=1)]
    return strongest
