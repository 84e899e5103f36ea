"""Compare two checkouts side by side: what a change costs or saves, even on a busy machine.

    python -m deploy.bench.paired ../before --only "repeat" "64" [--slices 12] [--seconds 2]

Both run at the same time, each with a PostgreSQL and a Valkey of its own, and take turns with a
slice of each case, so that a slow hour is slow for both. It prints the medians, and the medians of
the ratios of neighbouring slices, this checkout against the other, which is run by this one's
Python.
"""

import argparse
import contextlib
import itertools
import shutil
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from deploy.bench import stack
from deploy.bench.load import PARTS, PORT, Case, Figures, drive, preparations

WORKERS, THREADS = 2, 32
MEASURES = ("per_second", "cpu_us", "p99_ms")


@dataclass
class Side:
    """One checkout, as it runs, and what its slices gave."""

    port: int
    server: int
    slices: list[Figures] = field(default_factory=list)

    def run(self, case: Case, seconds: int, number: int) -> None:
        self.slices.append(drive(case, self.server, seconds, number, self.port))

    def medians(self) -> str:
        """Return the rate, the processor time and the p99 of the middle slice."""
        rate, cpu, p99 = (median(getattr(one, name) for one in self.slices) for name in MEASURES)
        return f"{rate:,.0f} | {cpu:.0f} | {p99:.1f}"


def chosen(only: list[str]) -> list[Case]:
    """Return the cases whose names hold one of these."""
    cases = [case for cases in PARTS.values() for case in cases]
    return [case for case in cases if not only or any(part in case.name for part in only)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("other", type=Path, help="another checkout of Guardian")
    parser.add_argument("--only", nargs="*", default=[], help="cases whose name holds one of these")
    parser.add_argument("--slices", type=int, default=12)
    parser.add_argument("--seconds", type=int, default=2, help="length of a slice")
    options = parser.parse_args()
    other = options.other.resolve()
    if not shutil.which("wrk"):
        sys.exit("wrk is needed (Debian: apt-get install wrk).")
    if not (other / "manage.py").exists():
        sys.exit(f"{other} is no checkout of Guardian.")
    runs = itertools.count(100 + int(time.time()) % 7919)
    cases = chosen(options.only)
    scripts = preparations() if any(case.sources for case in cases) else ()
    with contextlib.ExitStack() as parts:
        before, after = (
            Side(
                port,
                parts.enter_context(
                    stack.guardian(
                        port=port, workers=WORKERS, threads=THREADS, root=root, scripts=scripts
                    )
                ).pid,
            )
            for port, root in ((PORT, other), (PORT + 1, stack.ROOT))
        )
        for one in (before, after):
            one.run(Case("warm-up", "single", 16), 3, next(runs))
        head = "| case | other: per second | CPU µs | p99 ms | this: per second | CPU µs | p99 ms "
        print(head + "| rate | CPU | p99 |\n|---|---|---|---|---|---|---|---|---|---|")
        for case in cases:
            before.slices, after.slices = [], []
            for turn in range(options.slices):
                for one in (before, after) if turn % 2 else (after, before):
                    one.run(case, options.seconds, next(runs))
            pairs = list(zip(before.slices, after.slices, strict=True))
            ratios = [
                median(getattr(new, name) / getattr(old, name) for old, new in pairs)
                for name in MEASURES
            ]
            told = " | ".join(f"{ratio:.2f}" for ratio in ratios)
            print(f"| {case.name} | {before.medians()} | {after.medians()} | {told} |", flush=True)


if __name__ == "__main__":
    main()
