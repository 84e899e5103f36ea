"""False pages of sources with nightly runs of their own: `python -m detection.bench.routines`.

A batch of which more is denied, a run of reversals: shares that rise at the same time every night,
or every Monday, and what they page in four weeks. Failures that come every night have to be told
every night; so has what happens in the middle of a run and is no part of it. Three figures each: of
20, 200 and 1,000 transactions a minute.
"""

import argparse
from dataclasses import dataclass

import numpy as np

from detection.bench.lockstep import Stretch
from detection.bench.opening_hours import SHARES, begun, delay, levels
from detection.bench.sharp_steps import DAYS, VOLUMES, drawn, print_by_volume, wave
from detection.scoring.series import MINUTES_PER_DAY, Floats, Ints

APPROVED, DENIED, FAILED, REVERSED, _, REFUNDED = range(6)
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
    out: Floats = volume * wave(minute)[:, None] * np.array(SHARES)
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
    return drawn(random, rates)


def main() -> None:
    """Print what the runs page, and after how many minutes the failure is told."""
    parser = argparse.ArgumentParser(prog="python -m detection.bench.routines")
    parser.add_argument("--seed", type=int, default=5)
    seed = parser.parse_args().seed
    quiet, broken = levels(made(seed, failure=False)), levels(made(seed, failure=True))
    columns = {
        "alarms in four weeks": [str(begun(level, 0, DAYS)) for level in quiet.T],
        "a failure at 2:05": [delay(level, *FAILURE[:3]) for level in broken.T],
    }
    print_by_volume(list(RUNS), columns)


if __name__ == "__main__":
    main()
