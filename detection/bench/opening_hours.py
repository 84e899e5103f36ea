"""False pages of sources that close: `python -m detection.bench.opening_hours`.

Shops and offices with traffic of their own making: what they page while nothing is wrong, and what
is found of outages while they are open, of one that begins with the day and of one that hides
behind the closing.
"""

import argparse
from dataclasses import dataclass, replace

import numpy as np
from tqdm import tqdm

from detection.bench.lockstep import Stretch, unknown, walk
from detection.scoring.series import CODE_SLOTS, MINUTES_PER_DAY, Bools, Floats, Ints

DAYS = 28
WEEK = 7
MONDAY = 20_514
# Approved, denied, failed, reversed, backend reversed, refunded.
SHARES = (0.92, 0.06, 0.005, 0.01, 0.0, 0.005)
# Name -> day and minutes from when to when nothing comes.
OUTAGES = {
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

    def is_open(self, random: np.random.Generator) -> Bools:
        """The minutes of all days in which it is open: eight to eight."""
        day, minute = np.divmod(np.arange(DAYS * MINUTES_PER_DAY), MINUTES_PER_DAY)
        late = random.integers(-self.wanders, self.wanders + 1, DAYS)[day]
        works: Bools = (minute >= 8 * HOUR) & (minute < 20 * HOUR + late)
        return works & (day % WEEK < self.weekdays)


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


def made(seed: int) -> Stretch:
    """Four quiet weeks of every kind, side by side."""
    random = np.random.default_rng(seed)
    rates = np.stack([kind.volume * kind.is_open(random) for kind in KINDS], axis=1)
    status = random.poisson(rates[:, :, None] * SHARES).astype(float)
    code = np.zeros((*rates.shape, CODE_SLOTS))
    code[:, :, 0] = status[:, :, 1]
    return Stretch(status, code, _reported(status), np.full(len(KINDS), MONDAY * MINUTES_PER_DAY))


def _reported(status: Floats) -> Bools:
    says = np.array([kind.zeros for kind in KINDS])
    reported: Bools = says | (status.sum(2) > 0)
    return reported


def with_outages(stretch: Stretch) -> Stretch:
    """The same with every outage of `OUTAGES`: what comes is nothing, zeros go on where they do."""
    status, code = stretch.status.copy(), stretch.code.copy()
    for day, first, end in OUTAGES.values():
        window = slice(day * MINUTES_PER_DAY + first, day * MINUTES_PER_DAY + end)
        status[window], code[window] = 0, 0
    return replace(stretch, status=status, code=code, reported=_reported(status))


def levels(stretch: Stretch) -> Ints:
    """The level of every minute, (T, S)."""
    out = np.zeros(stretch.reported.shape, np.int64)
    minutes = tqdm(range(len(out)), unit="minute", leave=False, disable=None)
    for minute, scores in walk(unknown(len(KINDS)), stretch, minutes):
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
    spans = {"first two days": (0, 2), "to the end of the week": (2, 7), "three weeks": (7, DAYS)}
    print(f"| source | {' | '.join(spans)} | {' | '.join(OUTAGES)} |")
    print("|" + "---|" * (1 + len(spans) + len(OUTAGES)))
    for row, kind in enumerate(KINDS):
        alarms = [str(begun(quiet[:, row], *span)) for span in spans.values()]
        found = [delay(broken[:, row], *outage) for outage in OUTAGES.values()]
        print(f"| {' | '.join([kind.name, *alarms, *found])} |")


if __name__ == "__main__":
    main()
