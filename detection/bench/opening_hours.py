"""False pages of sources that close: `python -m detection.bench.opening_hours`.

Shops and offices with traffic of their own making: what they page while nothing is wrong, and what
is found of outages while they are open, of one that begins with the day and of one that hides
behind the closing.
"""

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from tqdm import tqdm

from detection.bench.lockstep import Stretch, unknown, walk
from detection.scoring.series import CODE_SLOTS, MINUTES_PER_DAY, Bools, Floats, Ints

DAYS = 28
MONDAY = 20_514
# Approved, denied, failed, reversed, backend reversed, refunded.
SHARES = (0.92, 0.06, 0.005, 0.01, 0.0, 0.005)
# Day, and minutes of it from when to when nothing comes.
Outage = tuple[int, int, int]
OUTAGES: dict[str, Outage] = {
    "at noon, an hour": (21, 720, 780),
    "from the opening on, two hours": (22, 480, 600),
    "from half an hour before closing on": (24, 1170, MINUTES_PER_DAY),
}
HOUR = 60


@dataclass(frozen=True)
class Kind:
    """A kind of source: when it is open, how busy, and how it reports that nothing happens."""

    name: str
    volume: float
    zeros: bool
    weekdays: int = 7
    # How far its closing wanders [minutes].
    wanders: int = 0

    def is_open(self, random: np.random.Generator, days: int) -> Bools:
        """The minutes of so many days in which it is open: eight to eight."""
        day, minute = np.divmod(np.arange(days * MINUTES_PER_DAY), MINUTES_PER_DAY)
        late = random.integers(-self.wanders, self.wanders + 1, days)[day]
        works: Bools = (minute >= 8 * HOUR) & (minute < 20 * HOUR + late)
        return works & (day % 7 < self.weekdays)


KINDS = (
    Kind("shop, 5 a minute, says nothing", 5, zeros=False),
    Kind("shop, 20 a minute, says nothing", 20, zeros=False),
    Kind("shop, 20 a minute, reports zeros", 20, zeros=True),
    Kind("shop, 200 a minute, says nothing", 200, zeros=False),
    Kind("shop, 200 a minute, reports zeros", 200, zeros=True),
    Kind("office, 20 a minute, says nothing", 20, zeros=False, weekdays=5),
    Kind("office, 20 a minute, reports zeros", 20, zeros=True, weekdays=5),
    Kind("shop, 20 a minute, closes within 20 minutes of eight", 20, zeros=False, wanders=20),
)


def made(seed: int, kinds: Sequence[Kind] = KINDS, days: int = DAYS) -> Stretch:
    """Quiet days of every kind from a Monday on, side by side."""
    random = np.random.default_rng(seed)
    rates = np.stack([kind.volume * kind.is_open(random, days) for kind in kinds], axis=1)
    status = random.poisson(rates[:, :, None] * SHARES).astype(float)
    code = np.zeros((*rates.shape, CODE_SLOTS))
    code[:, :, 0] = status[:, :, 1]
    first = np.full(len(kinds), MONDAY * MINUTES_PER_DAY)
    return Stretch(status, code, _reported(status, kinds), first)


def _reported(status: Floats, kinds: Sequence[Kind]) -> Bools:
    reported: Bools = np.array([kind.zeros for kind in kinds]) | (status.sum(2) > 0)
    return reported


def with_outages(
    stretch: Stretch, kinds: Sequence[Kind] = KINDS, outages: Iterable[Outage] = OUTAGES.values()
) -> Stretch:
    """The same with these outages: what comes is nothing, zeros go on where they do."""
    status, code = stretch.status.copy(), stretch.code.copy()
    for day, first, end in outages:
        window = slice(day * MINUTES_PER_DAY + first, day * MINUTES_PER_DAY + end)
        status[window], code[window] = 0, 0
    return replace(stretch, status=status, code=code, reported=_reported(status, kinds))


def levels(stretch: Stretch) -> Ints:
    """The level of every minute, (T, S)."""
    out = np.zeros(stretch.reported.shape, np.int64)
    minutes = tqdm(range(len(out)), unit="minute", leave=False, disable=None)
    for minute, scores in walk(unknown(len(stretch.first)), stretch, minutes):
        out[minute] = scores.level
    return out


def begun(level: Ints, first: int, end: int) -> int:
    """How many alarms of a source begin between two days."""
    on = np.concatenate([[0], level > 0])
    window = slice(first * MINUTES_PER_DAY, end * MINUTES_PER_DAY)
    return int((np.diff(on.astype(int)) > 0)[window].sum())


def delay(level: Ints, day: int, first: int, end: int) -> str:
    """Minutes from the beginning of an outage to the alarm; - for none."""
    window = level[day * MINUTES_PER_DAY + first : day * MINUTES_PER_DAY + end]
    found = np.flatnonzero(window > 0)
    return str(int(found[0]) + 1) if found.size else "-"


def main() -> None:
    """Print the alarms of quiet weeks and the delays of the outages, for each kind."""
    parser = argparse.ArgumentParser(prog="python -m detection.bench.opening_hours")
    parser.add_argument("--seed", type=int, default=5)
    stretch = made(parser.parse_args().seed)
    quiet, broken = levels(stretch), levels(with_outages(stretch))
    spans = {
        "alarms in the first two days": (0, 2),
        "to the end of the week": (2, 7),
        "in three weeks": (7, DAYS),
    }
    print(f"| source | {' | '.join(spans)} | {' | '.join(OUTAGES)} |")
    print("|" + "---|" * (1 + len(spans) + len(OUTAGES)))
    for row, kind in enumerate(KINDS):
        alarms = [str(begun(quiet[:, row], *span)) for span in spans.values()]
        found = [delay(broken[:, row], *outage) for outage in OUTAGES.values()]
        print(f"| {' | '.join([kind.name, *alarms, *found])} |")


if __name__ == "__main__":
    main()
