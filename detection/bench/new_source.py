"""How well a new source is watched in its first days: `python -m detection.bench.new_source`.

Each child has the shape of its parent's days, a tenth of its traffic and incidents of its own. It
is judged alone, with its parent, and with a parent of another shape, as one named by mistake.
"""

import argparse
import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from detection.bench import harness, lockstep
from detection.scoring.inheriting import inherit
from detection.scoring.series import MINUTES_PER_DAY, Ints
from detection.scoring.state import State

DAYS, CHILD_DAYS = 18, 4
PART = 0.1
INCIDENTS = 8
BORN = (DAYS - CHILD_DAYS) * MINUTES_PER_DAY
# The profiles with a daily shape and enough traffic that a tenth of it can be judged.
PROFILES = (1, 2, 3, 4)
SPANS = {"first day": (0, 1), "second day": (1, 2), "third and fourth": (2, 4)}
REPEATABLE = 5


def families(generator: Any, seeds: Iterable[int], *, stress: bool) -> tuple[list[Any], list[Any]]:
    """Parents and a child of each."""
    parents, children = [], []
    for seed in seeds:
        for number in PROFILES:
            name, volume, shape, zeros = generator.PROFILES[number]
            ask = {"days": DAYS, "eval_days": CHILD_DAYS, "stress": stress}
            parents.append(generator.make_stream(seed, number, n_inc=0, **ask))
            profile = (f"{name} child", volume * PART, shape, zeros)
            children.append(
                generator.make_stream(seed, number, n_inc=INCIDENTS, profile=profile, **ask)
            )
    return lockstep.without_truth(parents), lockstep.without_truth(children)


def levels_of(state: State, streams: list[Any], minutes: range) -> Ints:
    """The levels of these minutes, (T, S), 0 outside of them; the state learns them."""
    stretch = lockstep.arrange(streams)
    levels = np.zeros(stretch.reported.shape, np.int64)
    for minute, scores in lockstep.walk(state, stretch, minutes):
        levels[minute] = scores.level
    return levels


def within(stream: Any, span: tuple[int, int]) -> Any:
    """The stream as if only these of the child's days were scored."""
    first, end = (BORN + day * MINUTES_PER_DAY for day in span)
    incidents = [one for one in stream.incidents if first <= one.start < end]
    return replace(stream, X=stream.X[:, :end], eval_from=first, incidents=incidents)


def figures(children: list[Any], levels: Ints, span: tuple[int, int], metrics: Any) -> str:
    """One line's cells: incidents to find, recall, false pages a day, median delay."""
    judged = []
    for row, child in enumerate(children):
        part = within(child, span)
        level = levels[: part.T, row]
        random = np.random.default_rng(REPEATABLE)
        judged.append(metrics.score_stream(part, level, level.astype(float), random, False))
    told = metrics.summarise(judged)
    must = sum(one["tier"] == "must" for stream in judged for one in stream["inc"])
    return (
        f"{must} | {told['recall_must']:.2f} | {told['fa_per_day']:.2f} | "
        f"{told['delay_median']:.0f}"
    )


def beginnings(parents: list[Any]) -> dict[str, State]:
    """The states children begin with: of nobody, of their parents, of each other's parents."""
    known = lockstep.unknown(len(parents))
    levels_of(known, parents, range(BORN))
    first = lockstep.arrange(parents).first + BORN
    others = np.roll(np.arange(len(parents)), 1)
    return {
        "alone": lockstep.unknown(len(parents)),
        "with its parent": inherit(known, first),
        "with another's parent": inherit(known[others], first),
    }


def main() -> None:
    """Print what is found and falsely paged in the first days, for both kinds of traffic."""
    parser = argparse.ArgumentParser(prog="python -m detection.bench.new_source")
    parser.add_argument("--seeds", type=int, nargs="+", default=[311, 312, 313, 314])
    place = os.environ.get("BENCH_DIR", harness.DEFAULT)
    parser.add_argument("--bench-dir", type=Path, default=Path(place))
    options = parser.parse_args()
    generator, metrics, _ = harness.load(options.bench_dir)
    for kind in ("plain", "stress"):
        parents, children = families(generator, options.seeds, stress=kind == "stress")
        print(f"\n## New sources, {kind} traffic: {len(children)} children\n")
        print("| begins | days | to find | recall | false pages a day | delay |")
        print("|---|---|---|---|---|---|")
        for name, state in beginnings(parents).items():
            levels = levels_of(state, children, range(BORN, DAYS * MINUTES_PER_DAY))
            for days, span in SPANS.items():
                print(
                    f"| {name} | {days} | {figures(children, levels, span, metrics)} |", flush=True
                )


if __name__ == "__main__":
    main()
