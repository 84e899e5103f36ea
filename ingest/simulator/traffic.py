"""Counts per minute of simulated sources: one seed, one traffic, whichever part is asked for."""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ingest.simulator.profiles import CELLS, Floats, Profile, expected_volume
from ingest.simulator.scenarios import Scenario, applied

DAY = 1440
Counts = npt.NDArray[np.int64]
# How much of its wandering a level keeps from one minute to the next.
_MEMORY = 0.97


@dataclass(frozen=True)
class Traffic:
    """Counts of one source: row i is minute `first + i` (since 1970 UTC), columns are CELLS."""

    profile: Profile
    first: int
    counts: Counts
    reported: npt.NDArray[np.bool_]

    def cells(self) -> Iterator[tuple[int, str, str, int]]:
        """Yield (minute, status, auth_code, count): what happened, and always the approvals.

        An outage is thus a reported 0, a silence is no report.
        """
        rows, columns = np.nonzero(self._sent())
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            status, code = CELLS[column]
            yield self.first + row, status, code, int(self.counts[row, column])

    def _sent(self) -> npt.NDArray[np.bool_]:
        sent = self.counts > 0
        sent[:, 0] = True
        return np.asarray(sent & self.reported[:, None])


def simulate_minutes(
    profile: Profile, first: int, count: int, seed: int, scenarios: Sequence[Scenario] = ()
) -> Traffic:
    """Return the traffic of `count` minutes from minute `first` on.

    Every day has a stream of random numbers of its own, so a minute comes out the same in
    whatever range it is asked for.

    Parameters
    ----------
    profile : Profile
        The source.
    first : int
        First minute [minutes since 1970-01-01 00:00 UTC].
    count : int
        Number of minutes.
    seed : int
        Seed of the whole simulation.
    scenarios : sequence of Scenario
        Incidents; their start is a minute since 1970 here.

    Examples
    --------
    >>> from ingest.simulator.profiles import PROFILES
    >>> whole = simulate_minutes(PROFILES[0], 29_000_000, 3000, seed=7).counts
    >>> part = simulate_minutes(PROFILES[0], 29_002_000, 10, seed=7).counts
    >>> bool((whole[2000:2010] == part).all())
    True
    """
    days = range(first // DAY, (first + count - 1) // DAY + 1)
    counts = np.concatenate([_day(profile, day, seed, scenarios) for day in days])
    start = first - days[0] * DAY
    reported = np.ones(count, dtype=np.bool_)
    for scenario in scenarios:
        if scenario.name == "silence":
            since = max(0, scenario.start - first)
            reported[since : max(0, scenario.start + scenario.length - first)] = False
    return Traffic(profile, first, counts[start : start + count], reported)


def _day(profile: Profile, day: int, seed: int, scenarios: Sequence[Scenario]) -> Counts:
    random = np.random.default_rng((seed, zlib.crc32(profile.name.encode()), day))
    minutes = np.arange(day * DAY, (day + 1) * DAY, dtype=np.int64)
    level = expected_volume(profile, minutes) * np.exp(_wandering(random, profile.drift))
    cells = level[:, None] * np.asarray(profile.shares)
    return _counted(random, applied(cells, day * DAY, scenarios), profile.dispersion)


def _wandering(random: np.random.Generator, size: float) -> Floats:
    """Return an autocorrelated walk around 0 with standard deviation `size`."""
    steps = random.normal(0.0, size * np.sqrt(1 - _MEMORY**2), DAY)
    walk = np.empty(DAY)
    value = random.normal(0.0, size)
    for minute in range(DAY):
        value = _MEMORY * value + steps[minute]
        walk[minute] = value
    return walk


def _counted(random: np.random.Generator, expected: Floats, dispersion: float) -> Counts:
    """Return counts around `expected` whose variance over mean is `dispersion` in the total."""
    totals = np.maximum(expected.sum(axis=1, keepdims=True), 1e-12)
    if dispersion > 1:
        # A gamma factor common to the cells of a minute: the total is negative binomial.
        shape = totals / (dispersion - 1)
        expected = expected * random.gamma(shape) / shape
    return random.poisson(expected)
