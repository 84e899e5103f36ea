"""Measures the detector on the benchmark: `python -m detection.bench --seeds 301 302 --stress`."""

import argparse
import time
from pathlib import Path
from typing import Any

from detection.bench import harness, lockstep
from detection.bench.onsets import Onsets
from detection.bench.suites import parser, suites
from detection.bench.tables import tell
from detection.bench.training import ordinary_forest


def main() -> None:
    """Run the asked-for suites and print the harness's tables with what was missed."""
    options = _options()
    generator, metrics, table = harness.load(options.bench_dir)
    if options.real:
        _report("reference files", [generator.real_stream(str(options.real_dir))], metrics, table)
        return
    for kind, streams in suites(generator, options):
        flat = [stream for of_seed in streams.values() for stream in of_seed]
        _report(kind, flat, metrics, table, ablate=options.ablate)


def _options() -> argparse.Namespace:
    asked = parser("python -m detection.bench", __doc__)
    asked.add_argument("--ablate", action="store_true", help="also the parts alone")
    asked.add_argument("--real", action="store_true", help="the reference files instead")
    asked.add_argument("--real-dir", type=Path, default=harness.DEFAULT.parents[1] / "data")
    return asked.parse_args()


def _report(
    name: str, streams: list[Any], metrics: Any, table: Any, *, ablate: bool = False
) -> None:
    began = time.process_time()
    blind = lockstep.without_truth(streams)
    forest = ordinary_forest() if ablate else None
    parts = lockstep.PARTS if ablate else None
    onsets = Onsets(streams)
    found = lockstep.run(blind, forest=forest, parts=parts, watch=onsets)
    seconds = time.process_time() - began
    print(f"\n## {name}: {len(streams)} streams, {seconds:.0f} s of CPU\n")
    tell(streams, found, metrics, table)
    print(onsets.table())


if __name__ == "__main__":
    main()
