"""Counts the false pages after a clock jumped by an hour: `python -m detection.bench.clock_jump`.

Streams of the harness without a single incident; at some minute of the first three scored days
the source's clock jumps, half of them ahead and half of them back. From then on all of the day
comes an hour early or late. What is paged in the scored week is false.
"""

import argparse
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from detection.bench import harness, lockstep
from detection.scoring.series import MINUTES_PER_DAY

HOUR = 60
JUMP_WITHIN_DAYS = 3
# The first profile is flat by day and night: no clock shows in it.
FLAT = 1


def jumped(stream: Any, random: np.random.Generator, *, early: bool) -> Any:
    """The stream with a clock that jumps once in the scored days; the last hour is cut or kept."""
    at = stream.eval_from + int(random.integers(0, JUMP_WITHIN_DAYS * MINUTES_PER_DAY))
    before = stream.X[:, :at]
    after = stream.X[:, at + HOUR :] if early else stream.X[:, at - HOUR :]
    counts = np.concatenate([before, after, stream.X[:, -HOUR:]], axis=1)[:, : stream.T]
    return replace(stream, X=counts)


def streams_of(generator: Any, seeds: list[int], *, stress: bool) -> tuple[list[Any], list[Any]]:
    """Streams with the jump, and the same without."""
    with_jump, without = [], []
    for seed in seeds:
        random = np.random.default_rng([seed, HOUR])
        for number in range(FLAT, len(generator.PROFILES)):
            stream = generator.make_stream(seed, number, n_inc=0, stress=stress)
            without.append(stream)
            with_jump.append(jumped(stream, random, early=(seed + number) % 2 == 0))
    return with_jump, without


def pages_a_day(streams: list[Any], metrics: Any) -> float:
    """False pages per stream and day."""
    level, _ = lockstep.run(lockstep.without_truth(streams))["guardian"]
    pages = sum(
        len(metrics.pages(level[:, row], stream.eval_from)) for row, stream in enumerate(streams)
    )
    days = sum((stream.T - stream.eval_from) / MINUTES_PER_DAY for stream in streams)
    return float(pages / days)


def main() -> None:
    """Print false pages a day with and without the jump, for both kinds of traffic."""
    parser = argparse.ArgumentParser(
        prog="python -m detection.bench.clock_jump", description=__doc__
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[311, 312])
    place = os.environ.get("BENCH_DIR", harness.DEFAULT)
    parser.add_argument("--bench-dir", type=Path, default=Path(place))
    options = parser.parse_args()
    generator, metrics, _ = harness.load(options.bench_dir)
    print("\n## A clock that jumps by an hour\n")
    print("| traffic | streams | false pages a day | without the jump |\n|---|---|---|---|")
    for kind in ("plain", "stress"):
        with_jump, without = streams_of(generator, options.seeds, stress=kind == "stress")
        figures = [pages_a_day(some, metrics) for some in (with_jump, without)]
        print(f"| {kind} | {len(with_jump)} | {figures[0]:.2f} | {figures[1]:.2f} |", flush=True)


if __name__ == "__main__":
    main()
