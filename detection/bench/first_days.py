"""Counts the alarms of sources that have just begun: `python -m detection.bench.first_days`.

Steady traffic of 300 to 100,000 transactions a minute, in which nothing happens and nothing varies
but by chance, from its first minute on. Every alarm is false; one a day and source is allowed.
"""

import argparse
import sys

import numpy as np

from detection.bench.paging import pages
from detection.scoring.detector import learn, score
from detection.scoring.minutes import Counts, Moments
from detection.scoring.policy import Policy
from detection.scoring.series import CODE_SLOTS, MINUTES_PER_DAY, Floats
from detection.scoring.state import State

VOLUMES = np.array([300.0, 1_000.0, 3_000.0, 10_000.0, 30_000.0, 100_000.0])
SHARES = np.array([0.93, 0.04, 0.002, 0.02, 0.005, 0.003])
CODES = np.array([0.5, 0.3, 0.2])
DAYS = 3
# 2025-01-06, a Monday, ten in the morning.
BEGIN = 20094 * MINUTES_PER_DAY + 600


def drawn(random: np.random.Generator, volume: Floats) -> Counts:
    """The counts of one minute of every source [transactions]."""
    status = random.poisson(volume[:, None] * SHARES).astype(float)
    code = np.zeros((len(volume), CODE_SLOTS))
    code[:, : len(CODES)] = random.poisson(volume[:, None] * SHARES[1] * CODES)
    status[:, 1] = code.sum(1)
    return Counts(status, code, np.ones(len(volume), bool))


def levels(seed: int, each: int) -> np.ndarray:
    """The level of every minute, shape (minutes, sources); so many sources `each` of a volume."""
    random = np.random.default_rng(seed)
    volume = np.repeat(VOLUMES, each)
    state, policy = State.new(len(volume)), Policy.defaults(len(volume))
    state.codes[:, : len(CODES)] = ["51", "05", "14"]
    everything = np.ones(len(volume), bool)
    found = np.zeros((DAYS * MINUTES_PER_DAY, len(volume)), np.int8)
    for number in range(len(found)):
        counts = drawn(random, volume)
        now = np.full(len(volume), BEGIN + number)
        moments = Moments(now, now)
        scores = score(state, policy, moments, counts, closed=everything)
        learn(state, policy, moments, counts, scores)
        found[number] = scores.level
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--each", type=int, default=20, help="sources of each volume")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    found = levels(options.seed, options.each)
    paged = np.array([len(pages(one)) for one in found.T]).reshape(len(VOLUMES), -1)
    warned, critical = (
        (found == level).sum(0).reshape(len(VOLUMES), -1).sum(1) for level in (1, 2)
    )
    print(f"{options.each} sources of each volume, {DAYS} days, nothing happens\n")
    print("| a minute | pages | warning minutes | critical minutes |\n|---|---|---|---|")
    for volume, count, one, two in zip(VOLUMES, paged.sum(1), warned, critical, strict=True):
        print(f"| {volume:,.0f} | {count} | {one} | {two} |")
    sys.exit(bool(paged.sum() > DAYS * paged.size))


if __name__ == "__main__":
    main()
