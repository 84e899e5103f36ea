"""A minute of simulated traffic as it comes in: a few seconds at a time."""

import zlib

import numpy as np

from ingest.simulator.profiles import CELLS
from ingest.simulator.traffic import Counts, Traffic

MINUTE_SECONDS = 60


def spread_minute(traffic: Traffic, minute: int, tick_seconds: int, seed: int) -> Counts:
    """Return the counts of one minute spread over its ticks; their sum is the minute's count.

    Parameters
    ----------
    traffic : Traffic
        Traffic that covers the minute.
    minute : int
        The minute [minutes since 1970-01-01 00:00 UTC].
    tick_seconds : int
        Length of a tick [s], a divisor of 60.
    seed : int
        Seed of the whole simulation.

    Returns
    -------
    int64 array, shape (60 / tick_seconds, len(CELLS))
        Counts of each tick [transactions].

    Examples
    --------
    >>> from ingest.simulator.profiles import PROFILES
    >>> from ingest.simulator.traffic import simulate_minutes
    >>> traffic = simulate_minutes(PROFILES[0], 29_000_000, 2, seed=7)
    >>> spread = spread_minute(traffic, 29_000_001, 5, seed=7)
    >>> bool((spread.sum(axis=0) == traffic.counts[1]).all())
    True
    """
    ticks = MINUTE_SECONDS // tick_seconds
    name = zlib.crc32(traffic.profile.name.encode())
    random = np.random.default_rng((seed, name, minute, ticks))
    counts = traffic.counts[minute - traffic.first]
    spread = random.multinomial(counts, np.full(ticks, 1 / ticks))
    return np.asarray(spread.T, dtype=np.int64)


def tick_cells(spread: Counts, tick: int) -> list[tuple[str, str, int]]:
    """Return (status, auth_code, count) of what one tick reports; approvals always."""
    return [
        (status, code, int(count))
        for place, ((status, code), count) in enumerate(zip(CELLS, spread[tick], strict=True))
        if count or place == 0
    ]
