"""False pages of sources that close: `python -m detection.bench.opening_hours`.

Shops and offices with traffic of their own making: what they page while nothing is wrong, and what
is found of outages while they are open, of one that begins with the day and of one that hides
behind the closing; then the same of sources of which one day of the week has other hours.
"""

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from tqdm import tqdm

from detection.bench.lockstep import Stretch, unknown, walk
from detection.bench.paging import alarms
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
# From when to when a source is open [hours], Monday first.
Week = tuple[tuple[int, int], ...]
USUAL, ALWAYS, NEVER = (8, 20), (0, 24), (0, 0)
LATE_THURSDAY: Week = (USUAL,) * 3 + ((8, 22),) + (USUAL,) * 3
EARLY_SATURDAY: Week = (USUAL,) * 5 + ((8, 13), NEVER)
HALF_WEDNESDAY: Week = (USUAL,) * 2 + ((8, 13),) + (USUAL,) * 4
CLOSED_SUNDAY: Week = (ALWAYS,) * 6 + (NEVER,)


@dataclass(frozen=True)
class Kind:
    """A kind of source: when it is open, how busy, and how it reports that nothing happens."""

    name: str
    volume: float
    zeros: bool
    weekdays: int = 7
    # How far its closing wanders [minutes].
    wanders: int = 0
    # Its hours where they are no eight to eight.
    week: Week | None = None

    def is_open(self, random: np.random.Generator, days: int) -> Bools:
        """The minutes of so many days in which it is open, eight to eight if not told otherwise."""
        day, minute = np.divmod(np.arange(days * MINUTES_PER_DAY), MINUTES_PER_DAY)
        late = random.integers(-self.wanders, self.wanders + 1, days)[day]
        week = self.week or (USUAL,) * self.weekdays + (NEVER,) * (7 - self.weekdays)
        opens, closes = HOUR * np.array(week)[day % 7].T
        works: Bools = (minute >= opens) & (minute < closes + late * (closes > 0))
        return works


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

# Hours that differ on one day of the week, and the outages there: an hour each.
ODD: dict[str, tuple[Week, tuple[Outage, ...]]] = {
    "late Thursdays": (LATE_THURSDAY, ((24, 1230, 1290),)),
    "early Saturdays, no Sundays": (EARLY_SATURDAY, ((26, 660, 720),)),
    "half Wednesdays": (HALF_WEDNESDAY, ((23, 660, 720),)),
    "day and night, no Sundays": (CLOSED_SUNDAY, ((26, 1320, 1380), (21, 60, 120))),
}
WAYS = ((5, False), (20, False), (20, True), (200, False), (200, True))
ODD_KINDS = tuple(
    Kind(
        f"{name}, {volume} a minute, {'reports zeros' if zeros else 'says nothing'}",
        volume,
        zeros,
        week=week,
    )
    for name, (week, _) in ODD.items()
    for volume, zeros in WAYS
)
ODD_OUTAGES = tuple(outages for _, outages in ODD.values() for _ in WAYS)
TUESDAY_NOON: Outage = (22, 720, 780)


def made(seed: int, kinds: Sequence[Kind] = KINDS, days: int = DAYS) -> Stretch:
    """Quiet days of every kind from a Monday on, side by side."""
    random = np.random.default_rng(seed)
    rates = np.stack([kind.volume * kind.is_open(random, days) for kind in kinds], axis=1)
    status = random.poisson(rates[:, :, None] * SHARES).astype(float)
    return from_monday(status, _reported(status, kinds))


def from_monday(status: Floats, reported: Bools) -> Stretch:
    """Counts by status, (T, S, 6), of minutes from a Monday on; all denials have one code."""
    code = np.zeros((*reported.shape, CODE_SLOTS))
    code[:, :, 0] = status[:, :, 1]
    return Stretch(status, code, reported, np.full(reported.shape[1], MONDAY * MINUTES_PER_DAY))


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
    span = range(first * MINUTES_PER_DAY, end * MINUTES_PER_DAY)
    return sum(begin in span for begin, _ in alarms(level))


def delay(level: Ints, day: int, first: int, end: int) -> str:
    """Minutes from the beginning of an outage to the alarm; - for none, "on" if it was before."""
    begin = day * MINUTES_PER_DAY + first
    if level[begin - 1] > 0:
        return "on"
    window = level[begin : begin + end - first]
    found = np.flatnonzero(window > 0)
    return str(int(found[0]) + 1) if found.size else "-"


def print_usual(seed: int) -> None:
    """Print what the kinds page in quiet weeks and the delays of the outages."""
    stretch = made(seed)
    quiet, broken = levels(stretch), levels(with_outages(stretch))
    spans = {
        "alarms in the first two days": (0, 2),
        "to the end of the week": (2, 7),
        "in three weeks": (7, DAYS),
    }
    print_head([*spans, *OUTAGES])
    for row, kind in enumerate(KINDS):
        alarms = [str(begun(quiet[:, row], *span)) for span in spans.values()]
        found = [delay(broken[:, row], *outage) for outage in OUTAGES.values()]
        print(f"| {' | '.join([kind.name, *alarms, *found])} |")


def print_odd(seed: int) -> None:
    """Print the same of those with another day: their outages are in its hours, or next to it."""
    stretch = made(seed, ODD_KINDS)
    quiet, broken = levels(stretch), levels(with_odd_outages(stretch))
    spans = {
        "alarms in two weeks": (0, 14),
        "in the third": (14, 21),
        "in the fourth": (21, DAYS),
    }
    print_head([*spans, "on Tuesday noon", "in or next to the other hours"])
    for row, kind in enumerate(ODD_KINDS):
        alarms = [str(begun(quiet[:, row], *span)) for span in spans.values()]
        noon = delay(broken[:, row], *TUESDAY_NOON)
        found = ", ".join(delay(broken[:, row], *outage) for outage in ODD_OUTAGES[row])
        print(f"| {' | '.join([kind.name, *alarms, noon, found])} |")


def with_odd_outages(stretch: Stretch) -> Stretch:
    """The same with each one's own outages."""
    broken = with_outages(stretch, ODD_KINDS, [TUESDAY_NOON])
    for row, outages in enumerate(ODD_OUTAGES):
        for day, first, end in outages:
            window = slice(day * MINUTES_PER_DAY + first, day * MINUTES_PER_DAY + end)
            broken.status[window, row], broken.code[window, row] = 0, 0
    return replace(broken, reported=_reported(broken.status, ODD_KINDS))


def print_head(columns: Sequence[str]) -> None:
    """Print the head of a table of sources."""
    print(f"| source | {' | '.join(columns)} |")
    print("|" + "---|" * (1 + len(columns)))


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(prog="python -m detection.bench.opening_hours")
    parser.add_argument("--seed", type=int, default=5)
    seed = parser.parse_args().seed
    print_usual(seed)
    print()
    print_odd(seed)


if __name__ == "__main__":
    main()
