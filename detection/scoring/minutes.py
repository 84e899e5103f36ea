"""One minute of many sources: when it was and what was counted in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from detection.scoring.series import (
    CODE_LENGTH,
    CODE_SLOTS,
    MINUTES_PER_DAY,
    OTHER_SLOT,
    STATUSES,
    Bools,
    Floats,
    Ints,
)
from detection.scoring.state import State

Row = Sequence[tuple[str, str, float]]

# 1970-01-01 was a Thursday; weekday 0 is Monday, as in datetime.
EPOCH_WEEKDAY = 3
SATURDAY = 5
STATUS_INDEX = {status: index for index, status in enumerate(STATUSES)}


@dataclass(frozen=True)
class Moments:
    """The minute being judged, for each source.

    Parameters
    ----------
    utc_minute : array (S,) of int64
        Minutes since 1970-01-01 UTC.
    local_minute : array (S,) of int64
        The same plus the source's offset from UTC [minutes]; weekday and time of day follow it.
    promotion : array (S,) of float, optional
        Declared volume factor of the calendar (1.3 = thirty per cent more is expected);
        None means nothing was declared.

    Examples
    --------
    >>> Moments.of([29_000_000], offset=[60]).local_minute.tolist()
    [29000060]
    """

    utc_minute: Ints
    local_minute: Ints
    promotion: Floats | None = None

    @classmethod
    def of(cls, utc_minute: Sequence[int], offset: Sequence[int] | None = None) -> "Moments":
        """Build the moments of plain lists; `offset` is minutes east of UTC, 0 if left out."""
        utc = np.asarray(utc_minute, np.int64)
        shift = np.zeros_like(utc) if offset is None else np.asarray(offset, np.int64)
        return cls(utc, utc + shift)

    @property
    def day(self) -> Ints:
        """Local days since 1970-01-01, shape (S,)."""
        return self.local_minute // MINUTES_PER_DAY

    @property
    def minute_of_day(self) -> Ints:
        """Local minute of the day 0..1439, shape (S,)."""
        return self.local_minute % MINUTES_PER_DAY

    @property
    def weekday(self) -> Ints:
        """Local weekday, 0 Monday .. 6 Sunday, shape (S,)."""
        return weekday_of(self.day)


def weekday_of(day: Ints) -> Ints:
    """Weekday (0 Monday) of days since 1970-01-01."""
    return (day + EPOCH_WEEKDAY) % 7


@dataclass(frozen=True)
class Counts:
    """What was counted in the minute.

    Parameters
    ----------
    status : array (S, 6)
        Transactions by status [transactions].
    code : array (S, 8)
        Denied transactions by code slot, the last slot pooling all codes without one.
    reported : array (S,) of bool
        False where nothing at all was reported in this minute (unknown, which is not zero).
    pooled : sequence of mappings
        Per source, the codes behind the last slot: name -> transactions.
    """

    status: Floats
    code: Floats
    reported: Bools
    pooled: Sequence[Mapping[str, float]] = field(default=())

    def __post_init__(self) -> None:
        total = float(self.status.sum() + self.code.sum())
        if not np.isfinite(total):
            raise ValueError("counts must be finite numbers")
        if (self.status < 0).any() or (self.code < 0).any():
            raise ValueError("counts must not be negative")


def tally(state: State, rows: Sequence[Row | None]) -> Counts:
    """Sum one minute's reports by status and by code slot.

    Parameters
    ----------
    state : State
        Names the code slots; not changed.
    rows : sequence of length S
        Per source the (status, auth_code, count) of the minute; None or empty = not reported.

    Returns
    -------
    Counts

    Examples
    --------
    >>> counts = tally(State.new(1), [[("denied", "51", 3), ("approved", "00", 90)]])
    >>> counts.status[0, :2].tolist(), counts.code[0, -1].item()
    ([90.0, 3.0], 3.0)
    """
    size = len(rows)
    status = np.zeros((size, len(STATUSES)))
    code = np.zeros((size, CODE_SLOTS))
    reported = np.zeros(size, bool)
    pooled: list[dict[str, float]] = [{} for _ in range(size)]
    for row, reports in enumerate(rows):
        if not reports:
            continue
        reported[row] = True
        slots = state.slots_of(row)
        for name, auth_code, count in reports:
            index = STATUS_INDEX[name]
            status[row, index] += count
            if index == 1 and count:
                slot = slots.get(auth_code[:CODE_LENGTH], OTHER_SLOT)
                code[row, slot] += count
                if slot == OTHER_SLOT:
                    pooled[row][auth_code] = pooled[row].get(auth_code, 0.0) + count
    return Counts(status, code, reported, tuple(pooled))
