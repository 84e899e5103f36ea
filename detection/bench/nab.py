"""A sanity check on foreign data: `NAB_DIR=... python -m detection.bench.nab`.

The files with a real known cause of the Numenta Anomaly Benchmark (numenta/NAB, a checkout of it;
none of its data is kept here). They are no payments: temperatures, loads, latencies and taxi
passengers, one value every 5 to 60 minutes. Each is read as the volume of a source that has only
approved transactions, scaled to a median of a hundred a minute and held between two values. The
first 15 % of each file are not judged, as the benchmark has it.
"""

import argparse
import csv
import json
import os
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from detection.bench.paging import pages
from detection.scoring.detector import learn, score
from detection.scoring.minutes import Counts, Moments
from detection.scoring.policy import Policy
from detection.scoring.series import CODE_SLOTS, MINUTES_PER_DAY, Floats
from detection.scoring.state import State

FOLDER = "realKnownCause"
MEDIAN = 100.0
PROBATION = 0.15


@dataclass(frozen=True)
class Series:
    """One file by minute: volume (T,) and windows (first, last minute) from its first minute on."""

    name: str
    first: int
    volume: Floats
    windows: list[tuple[int, int]]

    @property
    def judged_from(self) -> int:
        """First minute that is judged."""
        return int(PROBATION * len(self.volume))


def read(folder: Path) -> list[Series]:
    """Read the files of a checkout; FileNotFoundError when it is none."""
    windows = json.loads((folder / "labels" / "combined_windows.json").read_text())
    files = sorted((folder / "data" / FOLDER).glob("*.csv"))
    if not files:
        raise FileNotFoundError(folder / "data" / FOLDER)
    return [_read(one, windows[f"{FOLDER}/{one.name}"]) for one in files]


def _read(file: Path, windows: list[list[str]]) -> Series:
    with file.open() as lines:
        rows = [(_minute(row["timestamp"]), float(row["value"])) for row in csv.DictReader(lines)]
    # a clock set back repeats an hour: what came last counts
    by_minute = dict(rows)
    times = np.array(sorted(by_minute))
    values = np.array([by_minute[at] for at in times.tolist()])
    usual = float(np.median(values)) or float(values.mean()) or 1.0
    held = np.searchsorted(times, np.arange(times[0], times[-1] + 1), side="right") - 1
    volume = np.round(np.maximum(values[held], 0.0) * MEDIAN / usual)
    first = int(times[0])
    spans = [(_minute(begin) - first, _minute(end) - first) for begin, end in windows]
    return Series(file.stem, first, volume, spans)


def _minute(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) // 60


def levels(series: Series) -> NDArray[np.int8]:
    """Level of every minute, shape (T,)."""
    state, policy, everything = State.new(1), Policy.defaults(1), np.ones(1, bool)
    out = np.zeros(len(series.volume), np.int8)
    code = np.zeros((1, CODE_SLOTS))
    for number in tqdm(range(len(out)), desc=series.name, unit=" min", leave=False):
        status = np.zeros((1, 6))
        status[0, 0] = series.volume[number]
        counts = Counts(status, code, everything)
        moments = Moments.of([series.first + number])
        scores = score(state, policy, moments, counts, closed=everything)
        learn(state, policy, moments, counts, scores)
        out[number] = scores.level[0]
    return out


def row(series: Series, level: NDArray[np.int8]) -> str:
    """One line of the table."""
    level = level.copy()
    level[: series.judged_from] = 0
    raised = np.flatnonzero(np.diff(np.r_[0, level]) > 0)
    windows = [span for span in series.windows if span[1] >= series.judged_from]
    found = sum(bool(((raised >= a) & (raised <= b)).any()) for a, b in windows)
    outside = [
        at for at in pages(level) if not any(begin <= at <= end for begin, end in series.windows)
    ]
    inside = sum(b - a + 1 for a, b in windows)
    days = (len(level) - series.judged_from - inside) / MINUTES_PER_DAY
    return (
        f"| {series.name} | {found} | {len(windows)} | {len(outside)} "
        f"| {len(outside) / max(days, 1e-9):.2f} |"
    )


def main() -> None:
    """Print what was found of the labelled windows, and the pages outside of them."""
    parser = argparse.ArgumentParser(prog="python -m detection.bench.nab", description=__doc__)
    parser.add_argument("--dir", type=Path, default=os.environ.get("NAB_DIR"))
    parser.add_argument("--files", nargs="+", default=[""], help="parts of file names")
    options = parser.parse_args()
    try:
        every = read(Path(options.dir)) if options.dir else []
    except FileNotFoundError as missing:
        sys.exit(f"No checkout of numenta/NAB there: {missing}")
    if not every:
        print("\nSKIPPED: NAB (foreign data). Set NAB_DIR to a checkout of numenta/NAB to run it.")
        return
    print("\n## NAB, real known cause\n")
    print("| file | windows found | of | pages outside | a day |\n|---|---|---|---|---|")
    for one in every:
        if any(part in one.name for part in options.files):
            print(row(one, levels(one)), flush=True)


if __name__ == "__main__":
    main()
