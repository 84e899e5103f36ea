"""Which streams are asked for: seeds of the harness's generator, plain and with noisier traffic."""

import argparse
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from detection.bench import harness

# Of each seed its streams.
Suite = dict[int, list[Any]]


def parser(prog: str, description: str | None) -> argparse.ArgumentParser:
    """Return a parser of the options that choose streams."""
    made = argparse.ArgumentParser(prog=prog, description=description)
    made.add_argument("--seeds", type=int, nargs="+", default=[301, 302, 303, 304, 305])
    made.add_argument("--streams", nargs="+", help="only streams of these names")
    made.add_argument("--stress", action="store_true", help="also the noisier traffic")
    place = os.environ.get("BENCH_DIR", harness.DEFAULT)
    made.add_argument("--bench-dir", type=Path, default=Path(place))
    return made


def suites(generator: Any, options: argparse.Namespace) -> Iterator[tuple[str, Suite]]:
    """Yield each kind of traffic that is asked for, with its streams."""
    for kind in ["plain", "stress"] if options.stress else ["plain"]:
        of_seed = {seed: _streams(generator, seed, kind, options.streams) for seed in options.seeds}
        yield kind, of_seed


def _streams(generator: Any, seed: int, kind: str, names: list[str] | None) -> list[Any]:
    numbers = range(len(generator.PROFILES))
    made = (generator.make_stream(seed, number, stress=kind == "stress") for number in numbers)
    return [stream for stream in made if not names or stream.name in names]
