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


def _tests_of(series: str) -> slice:
    channel = designs.CHANNELS.index(series)
    tests = np.flatnonzero((channel == designs.CHANNEL) & (designs.RHO > 1))
    return slice(int(tests[0]), int(tests[-1]) + 1)


FAILED, TAKEN_BACK = _tests_of("failed"), _tests_of("backend_reversed")


def add_up(
    evidence: Floats,
    threshold: Floats,
    seen: Floats,
    meant: Floats,
    allowed: Bools,
    policy: Policy,
) -> tuple[Floats, Bools]:
    """Lift the stronger of the two tests over its threshold where both together speak enough.

    Parameters
    ----------
    evidence, threshold : array (S, T)
        Of every test [nats].
    seen, meant : array (S, T)
        Transactions since the onset, and those expected.
    allowed : array (S, T) of bool
        Tests that show a change large enough for the policy, each for itself.

    Returns
    -------
    tuple of arrays (S, T)
        The evidence, and what is allowed: the excess of both counts as one.
    """
    failed = (evidence[:, FAILED] / threshold[:, FAILED]).max(axis=1)
    back = (evidence[:, TAKEN_BACK] / threshold[:, TAKEN_BACK]).max(axis=1)
    enough = failed + back >= ENOUGH
    if not enough.any():
        return evidence, allowed
    rows = np.flatnonzero(enough & (np.minimum(failed, back) >= LEAST_PART))
    best = [_best(evidence, threshold, tests, rows) for tests in (FAILED, TAKEN_BACK)]
    excess = sum(seen[rows, test] - meant[rows, test] for test in best)
    usual = sum(meant[rows, test] for test in best)
    large = excess >= policy.minimum_excess[rows]
    large &= excess >= policy.minimum_relative_change[rows] * usual
    found, lead = rows[large], np.where(failed[rows] >= back[rows], *best)[large]
    evidence, allowed = evidence.copy(), allowed.copy()
    evidence[found, lead] = np.maximum(evidence[found, lead], threshold[found, lead])
    allowed[found, lead] = policy.families_on[found, designs.FAMILY[lead]]
    return evidence, allowed


def _best(evidence: Floats, threshold: Floats, tests: slice, rows: Ints) -> Ints:
    ratio = evidence[rows, tests] / threshold[rows, tests]
    strongest: Ints = ratio.argmax(axis=1) + tests.start
    return strongest
