"""False pages of sources with nightly runs of their own: `python -m detection.bench.routines`.

A batch of which more is denied, a run of reversals: shares that rise at the same time every night,
or every Monday, and what they page week by week. Failures that come every night have to be told
every night; so has what happens in the middle of a run and is no part of it.
"""

import argparse
from dataclasses import dataclass

import numpy as np

from detection.bench.lockstep import Stretch
from detection.bench.opening_hours import MONDAY, SHARES, begun, delay, levels, print_head
from detection.bench.sharp_steps import CLUSTER
from detection.scoring.series import CODE_SLOTS, MINUTES_PER_DAY, Floats, Ints

DAYS = 28
APPROVED, DENIED, FAILED, REVERSED, _, REFUNDED = range(6)
VOLUMES = (20, 200, 1000)
# In the middle of the run of the last Wednesday one transaction in four fails, for twenty minutes.
FAILURE = (23, 125, 145, FAILED, 0.25)


@dataclass(frozen=True)
class Run:
    """What has another share than usual, in which minutes of the day, on which day of the week."""

    status: int
    share: float
    begin: int
    last: int
    weekday: int | None = None
    volume: float = 1.0


RUNS: dict[str, Run | None] = {
    "three times as many denied from 2:00, half an hour": Run(DENIED, 0.18, 120, 30),
    "the same from 2:07": Run(DENIED, 0.18, 127, 30),
    "the same of four times the volume": Run(DENIED, 0.18, 120, 30, volume=4.0),
    "twice as many denied from 1:00 to 5:00": Run(DENIED, 0.12, 60, 240),
    "five times as many reversed from 2:00, half an hour": Run(REVERSED, 0.05, 120, 30),
    "ten times as many refunded from 2:00, five minutes": Run(REFUNDED, 0.05, 120, 5),
    "three times as many denied on Mondays from 2:00": Run(DENIED, 0.18, 120, 30, weekday=0),
    "one in fifty fails from 3:00, ten minutes": Run(FAILED, 0.02, 180, 10),
    "nothing": None,
}


def mean(run: Run | None, volume: float, day: Ints, minute: Ints) -> Floats:
    """Transactions expected of each status in every minute, (T, 6)."""
    wave = 1 + 0.5 * np.sin(2 * np.pi * (minute - 540) / MINUTES_PER_DAY)
    out: Floats = volume * wave[:, None] * np.array(SHARES)
    if run is not None:
        on = (minute >= run.begin) & (minute < run.begin + run.last)
        if run.weekday is not None:
            on &= day % 7 == run.weekday
        out[on] = run.volume * with_share(out[on], run.status, run.share)
    return out


def with_share(rates: Floats, status: int, share: float) -> Floats:
    """The same transactions, of which so many are of a status in place of approved, (T, 6)."""
    out, whole = rates.copy(), rates.sum(1)
    out[:, APPROVED] -= share * whole - out[:, status]
    out[:, status] = share * whole
    return out


def made(seed: int, failure: bool) -> Stretch:
    """Four weeks of every run and volume from a Monday on, side by side."""
    random = np.random.default_rng(seed)
    day, minute = np.divmod(np.arange(DAYS * MINUTES_PER_DAY), MINUTES_PER_DAY)
    rates = np.stack(
        [mean(run, volume, day, minute) for run in RUNS.values() for volume in VOLUMES], axis=1
    )
    if failure:
        at, begin, end, failed, share = FAILURE
        for source in rates.transpose(1, 0, 2):
            part = source[at * MINUTES_PER_DAY + begin : at * MINUTES_PER_DAY + end]
            part[:] = with_share(part, failed, share)
    rates *= np.exp(random.normal(0, 0.04, DAYS))[day, None, None]
    status = random.poisson(random.gamma(rates / CLUSTER) * CLUSTER).astype(float)
    code = np.zeros((*status.shape[:2], CODE_SLOTS))
    code[:, :, 0] = status[:, :, DENIED]
    first = np.full(status.shape[1], MONDAY * MINUTES_PER_DAY)
    return Stretch(status, code, status.sum(2) > 0, first)


def main() -> None:
    """Print what the runs page, and after how many minutes the failure is told."""
    parser = argparse.ArgumentParser(prog="python -m detection.bench.routines")
    parser.add_argument("--seed", type=int, default=5)
    seed = parser.parse_args().seed
    quiet, broken = levels(made(seed, failure=False)), levels(made(seed, failure=True))
    weeks = [(7 * week, 7 * week + 7) for week in range(DAYS // 7)]
    print_head(["alarms in the first week", "second", "third", "fourth", "a failure at 2:05"])
    names = [f"{name}, {volume} a minute" for name in RUNS for volume in VOLUMES]
    for row, name in enumerate(names):
        alarms = [str(begun(quiet[:, row], *week)) for week in weeks]
        print(f"| {' | '.join([name, *alarms, delay(broken[:, row], *FAILURE[:3])])} |")


if __name__ == "__main__":
    main()
