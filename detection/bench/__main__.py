"""Measures the detector on the benchmark: `python -m detection.bench --seeds 301 302 --stress`."""

import argparse
import contextlib
import os
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from detection.bench import harness, lockstep, over_http
from detection.bench.training import ordinary_forest

REPEATABLE = 5


def main() -> None:
    """Run the asked-for suites and print the harness's tables with what was missed."""
    options = _options()
    generator, metrics, table = harness.load(options.bench_dir)
    if options.real:
        _report("reference files", [generator.real_stream(str(options.real_dir))], metrics, table)
        return
    for kind in ["plain", "stress"] if options.stress else ["plain"]:
        streams = {
            seed: [
                stream
                for number in range(len(generator.PROFILES))
                if (stream := generator.make_stream(seed, number, stress=kind == "stress")).name
                in (options.streams or [stream.name])
            ]
            for seed in options.seeds
        }
        if options.url is not None:
            _report_http(kind, streams, metrics, table, options)
            continue
        flat = [stream for of_seed in streams.values() for stream in of_seed]
        _report(kind, flat, metrics, table, ablate=options.ablate)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m detection.bench", description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[301, 302, 303, 304, 305])
    parser.add_argument("--streams", nargs="+", help="only streams of these names")
    parser.add_argument("--stress", action="store_true", help="also the noisier traffic")
    parser.add_argument("--ablate", action="store_true", help="also the parts alone")
    parser.add_argument(
        "--url",
        nargs="?",
        const="",
        help="over HTTP: the address of a running product with no rate limit and none of the "
        "streams' names known; without one the product is started on a fresh database",
    )
    parser.add_argument("--no-ticks", action="store_true", help="HTTP: report counts only")
    parser.add_argument("--days", type=int, default=7, help="HTTP: last days that are asked about")
    parser.add_argument("--clients", type=int, default=2, help="HTTP: streams at the same time")
    parser.add_argument("--real", action="store_true", help="the reference files instead")
    place = os.environ.get("BENCH_DIR", harness.DEFAULT)
    parser.add_argument("--bench-dir", type=Path, default=Path(place))
    parser.add_argument("--real-dir", type=Path, default=harness.DEFAULT.parents[1] / "data")
    return parser.parse_args()


def _report(
    name: str, streams: list[Any], metrics: Any, table: Any, *, ablate: bool = False
) -> None:
    began = time.process_time()
    blind = lockstep.without_truth(streams)
    forest = ordinary_forest() if ablate else None
    parts = lockstep.PARTS if ablate else None
    found = lockstep.run(blind, forest=forest, parts=parts)
    seconds = time.process_time() - began
    print(f"\n## {name}: {len(streams)} streams, {seconds:.0f} s of CPU\n")
    _print(streams, found, metrics, table)


def _print(streams: list[Any], found: dict[str, tuple[Any, Any]], metrics: Any, table: Any) -> None:
    rows = []
    for part, (level, score) in found.items():
        judged = [
            metrics.score_stream(
                stream, level[:, i], score[:, i], np.random.default_rng(REPEATABLE), False
            )
            for i, stream in enumerate(streams)
        ]
        rows.append((part, metrics.summarise(judged)))
    print(table.table(rows))
    print(_by_kind(rows[-1][1]))
    print(_by_size(judged))


def _report_http(
    kind: str, streams: dict[int, list[Any]], metrics: Any, table: Any, options: argparse.Namespace
) -> None:
    """One product for each seed, so that no database is fuller than a month would make it."""
    for seed, of_seed in streams.items():
        of_seed = [over_http.last_days(stream, options.days) for stream in of_seed]
        blind = lockstep.without_truth(of_seed)
        began = time.monotonic()
        with contextlib.ExitStack() as parts:
            address = options.url or parts.enter_context(over_http.product())
            told = over_http.ask(
                blind,
                address,
                prefix=f"{kind}-{seed}",
                ticks=not options.no_ticks,
                clients=options.clients,
                harness=harness.load_doors(options.bench_dir),
            )
        seconds = time.monotonic() - began
        print(
            f"\n## {kind} over HTTP, seed {seed}: {len(told.streams)} of {len(of_seed)} streams, "
            f"{seconds:.0f} s; {len(told.differing)} of {told.compared} levels differ from in "
            "process\n"
        )
        for other in told.differing:
            print(f"DIFFERS: {other}\n")
        for one in told.broken:
            print(f"BROKEN OFF: {one}\n")
        _print(told.streams, {"guardian over HTTP": (told.level, told.score)}, metrics, table)


def _by_kind(summary: dict[str, Any]) -> str:
    lines = ["\n| kind | found | of | median delay |", "|---|---|---|---|"]
    for kind, one in summary["kinds"].items():
        delay = "-" if one["median_delay"] is None else f"{one['median_delay']:.0f}"
        lines.append(f"| {kind} | {one['found']} | {one['of']} | {delay} |")
    return "\n".join(lines)


def _by_size(judged: list[dict[str, Any]]) -> str:
    found: dict[str, list[float]] = defaultdict(lambda: [0, 0, 0, 0.0])
    missed: dict[str, list[str]] = defaultdict(list)
    for stream in judged:
        name = stream["inc"][0]["stream"] if stream["inc"] else "?"
        found[name][2] += stream["fp"]
        found[name][3] += stream["days"]
        for incident in stream["inc"]:
            if incident["tier"] != "must":
                continue
            found[name][1] += 1
            found[name][0] += incident["delay"] is not None
            if incident["delay"] is None:
                missed[name].append(incident["kind"])
    lines = ["\n| stream | must found | of | false pages/day | missed |", "|---|---|---|---|---|"]
    for name, (hit, all_of, pages, days) in found.items():
        lost = ", ".join(sorted(missed[name])) or "-"
        lines.append(f"| {name} | {hit} | {all_of} | {pages / max(days, 1e-9):.2f} | {lost} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
