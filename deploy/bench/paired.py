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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from deploy.bench import stack
from deploy.bench.load import PARTS, PORT, Case, Figures, drive, preparations

WORKERS, THREADS = 2, 32
MEASURES = ("per_second", "cpu_us", "p99_ms")
# Numbers of the slices, so that no two of them send the same reports.
RUNS = itertools.count(100 + int(time.time()) % 7919)


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


def compare(case: Case, other: Side, this: Side, options: argparse.Namespace) -> str:
    """Ask both sides in turn for slices of a case; return its row of the table."""
    other.slices, this.slices = [], []
    for turn in range(options.slices):
        for side in (other, this) if turn % 2 else (this, other):
            side.run(case, options.seconds, next(RUNS))
    pairs = list(zip(other.slices, this.slices, strict=True))
    ratios = [
        median(getattr(new, name) / getattr(old, name) for old, new in pairs) for name in MEASURES
    ]
    told = " | ".join(f"{ratio:.2f}" for ratio in ratios)
    return f"| {case.name} | {other.medians()} | {this.medians()} | {told} |"


@contextlib.contextmanager
def both(checkout: Path, scripts: Sequence[str]) -> Iterator[tuple[Side, Side]]:
    """Run another checkout and this one side by side, each warmed up."""
    with contextlib.ExitStack() as parts:
        sides = []
        for port, root in ((PORT, checkout), (PORT + 1, stack.ROOT)):
            server = stack.guardian(
                port=port, workers=WORKERS, threads=THREADS, root=root, scripts=scripts
            )
            sides.append(Side(port, parts.enter_context(server).pid))
        for side in sides:
            side.run(Case("warm-up", "single", 16), 3, next(RUNS))
        yield sides[0], sides[1]


def asked() -> argparse.Namespace:
    """Return what was asked for on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("other", type=Path, help="another checkout of Guardian")
    parser.add_argument("--only", nargs="*", default=[], help="cases whose name holds one of these")
    parser.add_argument("--slices", type=int, default=12)
    parser.add_argument("--seconds", type=int, default=2, help="length of a slice")
    return parser.parse_args()


def main() -> None:
    options = asked()
    checkout = options.other.resolve()
    if not shutil.which("wrk"):
        sys.exit("wrk is needed (Debian: apt-get install wrk).")
    if not (checkout / "manage.py").exists():
        sys.exit(f"{checkout} is no checkout of Guardian.")
    cases = chosen(options.only)
    scripts = preparations() if any(case.sources for case in cases) else ()
    head = "| case | other: per second | CPU µs | p99 ms | this: per second | CPU µs | p99 ms "
    with both(checkout, scripts) as (other, this):
        print(head + "| rate | CPU | p99 |\n|---|---|---|---|---|---|---|---|---|---|")
        for case in cases:
            print(compare(case, other, this, options), flush=True)


if __name__ == "__main__":
    main()
