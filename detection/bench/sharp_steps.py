"""False pages of sources whose volume has steps: `python -m detection.bench.sharp_steps`.

Nightly batches, queues that are emptied at an hour, nights that begin within a minute: what they
page in four weeks in which nothing is wrong, and after how many minutes failures are found, far
from the steps and beside them. Three figures each: of 20, 200 and 1,000 transactions a minute.
"""

import argparse
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from detection.bench.lockstep import Stretch
from detection.bench.opening_hours import SHARES, begun, delay, from_monday, levels, print_head
from detection.scoring.series import MINUTES_PER_DAY, Floats, Ints

DAYS = 28
HOUR = 60
NEW_FROM = 10
# How much wider than Poisson the counts are: variance over mean, less one.
CLUSTER = 0.5
# Minute of the day and day (0 = the first Monday) -> what comes of the volume of a usual minute.
Shape = Callable[[Ints, Ints, np.random.Generator], Floats]
# Day, minutes of it from when to when, and what is left.
Loss = tuple[int, int, int, float]


def _window(minute: Ints, begin: Ints | int, last: int, factor: float) -> Floats:
    return np.where((minute >= begin) & (minute < begin + last), factor, 1.0)


def _batch(
    begin: int, last: int, factor: float, late: int = 0, weekday: int | None = None
) -> Shape:
    """Every night, or on one day of the week, so much more, up to `late` minutes late."""

    def shape(minute: Ints, day: Ints, random: np.random.Generator) -> Floats:
        delays = random.integers(0, late + 1, day.max() + 1)[day]
        out = _window(minute, begin + delays, last, factor)
        return out if weekday is None else np.where(day % 7 == weekday, out, 1.0)

    return shape


def _later(shape: Shape) -> Shape:
    """The same from the eleventh day on."""

    def begun(minute: Ints, day: Ints, random: np.random.Generator) -> Floats:
        return np.where(day >= NEW_FROM, shape(minute, day, random), 1.0)

    return begun


SHAPES: dict[str, Shape] = {
    "four times from 2:00, half an hour": _batch(120, 30, 4),
    "four times from 2:07, half an hour": _batch(127, 30, 4),
    "four times within ten minutes of 2:00, half an hour": _batch(120, 30, 4, late=10),
    "four times from 2:00, five minutes": _batch(120, 5, 4),
    "nothing from 2:00, five minutes": _batch(120, 5, 0.0),
    "a fifth from 2:10, ten minutes": _batch(130, 10, 0.2),
    "twice from 14:00, an hour": _batch(840, 60, 2),
    "a fiftieth from 1:00 to 5:00": _batch(60, 240, 0.02),
    "a third from 22:05 to 24:00": _batch(22 * HOUR + 5, 115, 0.33),
    "half from 12:00, an hour": _batch(12 * HOUR, 60, 0.5),
    "four times on Mondays from 2:00, half an hour": _batch(120, 30, 4, weekday=0),
    "a third on Fridays from 22:05 to 24:00": _batch(22 * HOUR + 5, 115, 0.33, weekday=4),
    "nothing on Sundays from 3:00 to 4:00": _batch(180, 60, 0.0, weekday=6),
    "from the eleventh day on four times from 2:00": _later(_batch(120, 30, 4)),
    "from the eleventh day on a third from 22:05": _later(_batch(22 * HOUR + 5, 115, 0.33)),
    "none": lambda minute, day, random: np.ones(len(minute)),
}
VOLUMES = (20, 200, 1000)
LOSSES: dict[str, Loss] = {
    "half lost at 16:00": (22, 960, 1020, 0.5),
    "nine tenths lost at 2:10": (23, 130, 150, 0.1),
    "all lost from 1:50": (24, 110, 180, 0.0),
    "three times at 9:00": (25, 540, 570, 3.0),
}


@dataclass(frozen=True)
class Kind:
    """A source: its steps and how much a usual minute has [transactions]."""

    name: str
    volume: float
    shape: Shape


KINDS = tuple(Kind(name, volume, shape) for name, shape in SHAPES.items() for volume in VOLUMES)


def made(
    seed: int, losses: Iterable[Loss] = (), kinds: Sequence[Kind] = KINDS, days: int = DAYS
) -> Stretch:
    """So many days of every kind from a Monday on, side by side."""
    random = np.random.default_rng(seed)
    day, minute = np.divmod(np.arange(days * MINUTES_PER_DAY), MINUTES_PER_DAY)
    usual = wave(minute) * np.exp(random.normal(0, 0.04, days))[day]
    for at, begin, end, part in losses:
        usual[at * MINUTES_PER_DAY + begin : at * MINUTES_PER_DAY + end] *= part
    shapes = [kind.volume * kind.shape(minute, day, random) for kind in kinds]
    return drawn(random, (usual[:, None] * np.stack(shapes, axis=1))[:, :, None] * SHARES)


def wave(minute: Ints) -> Floats:
    """A day that rises and falls by half."""
    return 1 + 0.5 * np.sin(2 * np.pi * (minute - 540) / MINUTES_PER_DAY)


def drawn(random: np.random.Generator, mean: Floats) -> Stretch:
    """Clustered counts of sources that say nothing of empty minutes; mean is (T, S, 6)."""
    status = random.poisson(random.gamma(mean / CLUSTER) * CLUSTER).astype(float)
    return from_monday(status, status.sum(2) > 0)


def main() -> None:
    """Print what the kinds page and the delays of the losses."""
    parser = argparse.ArgumentParser(prog="python -m detection.bench.sharp_steps")
    parser.add_argument("--seed", type=int, default=5)
    seed = parser.parse_args().seed
    quiet, broken = levels(made(seed)), levels(made(seed, LOSSES.values()))
    columns = {"alarms in four weeks": [str(begun(level, 0, DAYS)) for level in quiet.T]}
    for name, (day, begin, end, _) in LOSSES.items():
        columns[name] = [delay(level, day, begin, end) for level in broken.T]
    print_by_volume(list(SHAPES), columns)


def print_by_volume(names: Sequence[str], columns: Mapping[str, Sequence[str]]) -> None:
    """Print a table of kinds; each column has a figure for each kind and volume, in that order."""
    print_head(list(columns))
    for number, name in enumerate(names):
        mine = slice(number * len(VOLUMES), (number + 1) * len(VOLUMES))
        print(f"| {' | '.join([name, *(', '.join(one[mine]) for one in columns.values())])} |")


if __name__ == "__main__":
    main()
