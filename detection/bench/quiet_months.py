"""Counts the pages of months in which nothing happens: `python -m detection.bench.quiet_months`.

Sources from 600 a minute to one report a day and night, a week and noise: counts vary two to four
times as much as a Poisson count, the level wanders within the hour and from day to day. Three
weeks are learned, the days after are counted. A budget is kept when the pages are at most twice
what it allows.
"""

import argparse
import sys
from dataclasses import dataclass

import numpy as np

from detection.bench.paging import pages
from detection.scoring.detector import learn, score
from detection.scoring.minutes import Counts, Moments, weekday_of
from detection.scoring.policy import Policy
from detection.scoring.series import CODE_SLOTS, MINUTES_PER_DAY, Floats
from detection.scoring.state import State

BUDGETS = {"1 a day": 7.0, "1 a week": 1.0, "1 a month": 7.0 / 30.0}
VOLUMES = (600.0, 130.0, 40.0, 12.0, 3.0, 0.8)
CODES = np.array([0.35, 0.3, 0.2, 0.1, 0.05])
WARM_DAYS = 21
# 2025-01-06, a Monday.
START_DAY = 20094


@dataclass(frozen=True)
class Traffic:
    """What each source is like; every field (S, ...)."""

    volume: Floats
    depth: Floats
    peak: Floats
    weekday: Floats
    shares: Floats
    scatter: Floats
    wander: Floats
    memory: Floats

    @classmethod
    def drawn(cls, random: np.random.Generator, size: int) -> "Traffic":
        """As different from each other as real sources are."""
        denied, failed, backend = (
            random.uniform(*span, size) for span in ((0.03, 0.12), (1e-4, 8e-4), (1e-4, 8e-4))
        )
        reversed_, refunded = random.uniform(0.003, 0.012, (2, size))
        rest = np.stack([denied, failed, reversed_, backend, refunded], axis=1)
        weekend = random.uniform(0.6, 1.0, size)
        weekday = random.normal(1, 0.03, (size, 7))
        weekday[:, 5:] *= weekend[:, None]
        return cls(
            volume=np.resize(VOLUMES, size) * random.uniform(0.75, 1.3, size),
            depth=random.uniform(0.3, 0.9, size),
            peak=random.integers(600, 1080, size).astype(float),
            weekday=weekday,
            shares=np.concatenate([1 - rest.sum(1, keepdims=True), rest], axis=1),
            scatter=random.uniform(2.0, 4.0, size),
            wander=random.uniform(0.02, 0.08, size),
            memory=random.uniform(30, 90, size),
        )

    def __len__(self) -> int:
        return len(self.volume)


class Months:
    """Draws the counts of one minute after the other."""

    def __init__(self, traffic: Traffic, random: np.random.Generator) -> None:
        self.traffic, self.random = traffic, random
        self.level = random.normal(0, traffic.wander)
        self.today = self._day()
        self.tomorrow = self._day()

    def _day(self) -> Floats:
        return self.random.normal(0, 0.05, len(self.traffic))

    def counts(self, minute: int) -> Counts:
        """The counts of a minute since 1970 [transactions]."""
        traffic, random = self.traffic, self.random
        day, of_day = divmod(minute, MINUTES_PER_DAY)
        if of_day == 0:
            self.today, self.tomorrow = self.tomorrow, self._day()
        keep = np.exp(-1 / traffic.memory)
        noise = random.normal(0, traffic.wander) * np.sqrt(1 - keep * keep)
        self.level = self.level * keep + noise
        part = of_day / MINUTES_PER_DAY
        daily = self.today * (1 - part) + self.tomorrow * part
        weekdays = traffic.weekday[:, weekday_of(np.array([day, day + 1]))]
        week = weekdays[:, 0] * (1 - part) + weekdays[:, 1] * part
        sun = np.cos(2 * np.pi * (of_day - traffic.peak) / MINUTES_PER_DAY)
        mean = traffic.volume * week * np.exp(self.level + daily + traffic.depth * sun)
        return self._drawn(mean[:, None] * traffic.shares)

    def _drawn(self, mean: Floats) -> Counts:
        """Negative binomial counts: variance is `scatter` times the mean."""
        excess = self.traffic.scatter[:, None] - 1
        code_mean = mean[:, 1:2] * CODES
        both = np.concatenate([mean, code_mean], axis=1)
        seen = self.random.poisson(self.random.gamma(both / excess) * excess).astype(float)
        code = np.zeros((len(mean), CODE_SLOTS))
        code[:, : len(CODES)] = seen[:, 6:]
        status = seen[:, :6]
        status[:, 1] = code.sum(1)
        return Counts(status, code, np.ones(len(mean), bool))


def simulate(sources: int, days: int, seed: int, warm_days: int = WARM_DAYS) -> Floats:
    """Pages of every source for each budget, shape (budgets, sources).

    All budgets are given the same traffic.
    """
    random = np.random.default_rng(seed)
    traffic = Traffic.drawn(random, sources)
    months = Months(traffic, random)
    budgets = list(BUDGETS.values())
    copies = np.tile(np.arange(sources), len(budgets))
    policy = Policy.of([{"pages_per_week": one} for one in budgets for _ in range(sources)])
    state = State.new(len(copies))
    state.codes[:, : len(CODES)] = ["51", "05", "14", "91", "59"]
    everything = np.ones(len(copies), bool)
    first = START_DAY * MINUTES_PER_DAY
    levels = np.zeros((days * MINUTES_PER_DAY, len(copies)), np.int8)
    for number in range((warm_days + days) * MINUTES_PER_DAY):
        drawn = months.counts(first + number)
        counts = Counts(drawn.status[copies], drawn.code[copies], everything)
        now = np.full(len(copies), first + number)
        moments = Moments(now, now)
        scores = score(state, policy, moments, counts, closed=everything)
        learn(state, policy, moments, counts, scores)
        if number >= warm_days * MINUTES_PER_DAY:
            levels[number - warm_days * MINUTES_PER_DAY] = scores.level
    found: Floats = np.array([len(pages(one)) for one in levels.T], np.float64)
    return found.reshape(len(budgets), sources)


def report(found: Floats, days: int) -> tuple[str, bool]:
    """The table, and whether every budget was kept."""
    sources = found.shape[1]
    lines = [
        f"{sources} sources, {days} days each after {WARM_DAYS} learned\n",
        "| budget | pages allowed | pages | of the budget | most of one source |",
        "|---|---|---|---|---|",
    ]
    kept = True
    for (name, weekly), row in zip(BUDGETS.items(), found, strict=True):
        allowed = weekly * days / 7 * sources
        kept &= bool(row.sum() <= 2 * allowed)
        lines.append(
            f"| {name} | {allowed:.0f} | {row.sum():.0f} | {row.sum() / allowed:.2f} "
            f"| {row.max():.0f} |"
        )
    return "\n".join(lines), kept


def main() -> None:
    """Print pages against budgets; exit with 1 when a budget was overspent twice over."""
    parser = argparse.ArgumentParser(
        prog="python -m detection.bench.quiet_months", description=__doc__
    )
    parser.add_argument("--sources", type=int, default=24)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    table, kept = report(simulate(options.sources, options.days, options.seed), options.days)
    print(f"\n## Quiet months: {table}")
    if not kept:
        sys.exit("A budget was overspent more than twice over.")


if __name__ == "__main__":
    main()
