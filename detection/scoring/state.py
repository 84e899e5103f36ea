"""What is remembered of each source: a struct of arrays, one row a source, bounded in size."""

import hashlib
import math
import zlib
from collections.abc import Container, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detection.scoring.designs import CHANNELS, TESTS
from detection.scoring.series import (
    CODE_LENGTH,
    CODE_SLOTS,
    FAMILIES,
    MINUTES_PER_DAY,
    RATES,
    Bools,
    Floats,
    Ints,
)

HISTORY_DAYS = 28
BINS = 96
BIN_MINUTES = MINUTES_PER_DAY // BINS
DAY_TYPES = 2
HOURS = 24
MAXIMA_DAYS = 21
WINDOWS = (5, 15, 60)
# How far a clock may be off [minutes].
PHASES = (-60, 0, 60)
WATCHED = 7
VERSION = 2
HEAD = b"TGS" + bytes([VERSION])

# name -> (shape of one source, dtype, first value)
Layout = dict[str, tuple[tuple[int, ...], Any, Any]]
FIRST_LAYOUT: Layout = {
    "through": ((), np.int64, -1),
    "started": ((), np.int64, -1),
    "minutes": ((), np.float32, 0),
    "day": ((), np.int64, -1),
    "codes": ((CODE_SLOTS - 1,), f"U{CODE_LENGTH}", ""),
    "code_use": ((CODE_SLOTS - 1,), np.float32, 0),
    # the season of the volume
    "bin_sum": ((), np.float32, 0),
    "bin_minutes": ((), np.float32, 0),
    "history": ((HISTORY_DAYS, BINS), np.float16, np.nan),
    "history_day": ((HISTORY_DAYS,), np.int32, -1),
    "season": ((DAY_TYPES, BINS), np.float32, 1),
    "weekday_factor": ((7,), np.float32, 1),
    "season_days": ((DAY_TYPES,), np.float32, 0),
    # whether the clock jumped
    "clock_sum": ((), np.float32, 0),
    "clock_minutes": ((), np.float32, 0),
    "phase": ((), np.int16, 0),
    "phase_seen": ((len(PHASES),), np.float32, 0),
    "phase_expected": ((len(PHASES),), np.float32, 0),
    "phase_evidence": ((2, len(PHASES)), np.float32, 0),
    # the level of the volume: fast and slow memory
    "level_seen": ((2,), np.float32, 0),
    "level_expected": ((2,), np.float32, 0),
    # the rates
    "share_seen": ((RATES,), np.float32, 0),
    "share_total": ((RATES,), np.float32, 0),
    "hour_denied": ((HOURS,), np.float32, 0),
    "hour_expected": ((HOURS,), np.float32, 0),
    # the dispersion
    "residual": ((len(CHANNELS),), np.float32, 0),
    "residual_expected": ((len(CHANNELS),), np.float32, 0),
    "minute_square": ((len(CHANNELS),), np.float32, 0),
    "minute_expected": ((len(CHANNELS),), np.float32, 0),
    "swing_weight": ((len(CHANNELS),), np.float32, 0),
    "swing_x": ((len(CHANNELS),), np.float32, 0),
    "swing_xx": ((len(CHANNELS),), np.float32, 0),
    "swing_square": ((len(CHANNELS),), np.float32, 0),
    "swing_xy": ((len(CHANNELS),), np.float32, 0),
    # reporting habits
    "missed": ((), np.float32, 0),
    "zero_reported": ((), np.float32, 0),
    "zero_missed": ((), np.float32, 0),
    # the running evidence of each test
    "evidence": ((TESTS,), np.float32, 0),
    "onset": ((TESTS,), np.int32, -1),
    "seen": ((TESTS,), np.float32, 0),
    "meant": ((TESTS,), np.float32, 0),
    "shift_seen": ((TESTS,), np.float32, 0),
    "shift_meant": ((TESTS,), np.float32, 0),
    "clearing": ((TESTS,), np.float32, 0),
    "alarm": ((TESTS,), np.int8, 0),
    "alarm_since": ((TESTS,), np.int32, -1),
    "strong": ((TESTS,), np.int16, 0),
    "day_maximum": ((TESTS,), np.float32, 0),
    "maxima": ((MAXIMA_DAYS, TESTS), np.float16, np.nan),
    "threshold": ((TESTS,), np.float32, 0),
    # windows of 5, 15 and 60 minutes for the forest and the explanation
    "window_seen": ((len(WINDOWS), WATCHED), np.float32, 0),
    "window_expected": ((len(WINDOWS), WATCHED), np.float32, 0),
    "last_score": ((), np.float32, 0),
    "family_level": ((len(FAMILIES),), np.int8, 0),
}
# Fields that came later lie behind the rest, compressed by themselves: a release before them does
# not look there, and one that finds none there begins with their first values.
LATER_LAYOUT: Layout = {
    # shares that rise at the same quarter hour again and again
    "routine_seen": ((RATES,), np.float32, 0),
    "routine_meant": ((RATES,), np.float32, 0),
    "routine_minutes": ((), np.float32, 0),
    "routine_factor": ((BINS, RATES), np.int8, 0),
    "routine_strength": ((BINS, RATES), np.int8, 0),
    "routines": ((), np.bool_, False),
}
LAYOUT = FIRST_LAYOUT | LATER_LAYOUT
# What a new code, the end of a quarter hour or of a day changes: three quarters of the bytes. The
# other fields move every minute.
LASTING = (
    *("started", "day", "codes", "history", "history_day", "season", "weekday_factor"),
    *("season_days", "maxima", "threshold", "routine_factor", "routine_strength", "routines"),
)


class _Packed:
    """How some fields lie in a packed state."""

    def __init__(self, layout: Layout) -> None:
        self.names = tuple(layout)
        # Name, type, elements, shape.
        self._fields = [
            (name, np.dtype(dtype), math.prod(tail), tail)
            for name, (tail, dtype, _) in layout.items()
        ]
        self._bytes = sum(count * kind.itemsize for _, kind, count, _ in self._fields)

    def read(self, raw: bytes, names: Container[str] = LAYOUT) -> dict[str, NDArray[Any]]:
        """The fields of one source, or those of them that are asked for."""
        if len(raw) != self._bytes:
            raise ValueError("a packed state of another layout")
        arrays, position = {}, 0
        for name, kind, count, tail in self._fields:
            if name in names:
                values = np.frombuffer(raw, kind, count, position)
                arrays[name] = values.reshape(1, *tail).copy()
            position += count * kind.itemsize
        return arrays


FIRST_PART, LATER_PART = _Packed(FIRST_LAYOUT), _Packed(LATER_LAYOUT)
MOVING_PART = _Packed({name: LAYOUT[name] for name in LAYOUT if name not in LASTING})


class State:
    """The memory of S sources.

    Every attribute named in `LAYOUT` is an array with a leading axis of sources. `through` is the
    last UTC minute learned (-1 = none).

    Examples
    --------
    >>> state = State.new(3)
    >>> len(state), state.through.tolist()
    (3, [-1, -1, -1])
    >>> State.unpack(state.pack())[0:1].through.tolist()
    [-1]
    """

    through: Ints
    started: Ints
    minutes: Floats
    day: Ints
    codes: NDArray[np.str_]
    code_use: Floats
    bin_sum: Floats
    bin_minutes: Floats
    history: Floats
    history_day: Ints
    season: Floats
    weekday_factor: Floats
    season_days: Floats
    clock_sum: Floats
    clock_minutes: Floats
    phase: Ints
    phase_seen: Floats
    phase_expected: Floats
    phase_evidence: Floats
    level_seen: Floats
    level_expected: Floats
    share_seen: Floats
    share_total: Floats
    hour_denied: Floats
    hour_expected: Floats
    residual: Floats
    residual_expected: Floats
    minute_square: Floats
    minute_expected: Floats
    swing_weight: Floats
    swing_x: Floats
    swing_xx: Floats
    swing_square: Floats
    swing_xy: Floats
    missed: Floats
    zero_reported: Floats
    zero_missed: Floats
    evidence: Floats
    onset: Ints
    seen: Floats
    meant: Floats
    shift_seen: Floats
    shift_meant: Floats
    clearing: Floats
    alarm: Ints
    alarm_since: Ints
    strong: Ints
    day_maximum: Floats
    maxima: Floats
    threshold: Floats
    window_seen: Floats
    window_expected: Floats
    last_score: Floats
    family_level: Ints
    routine_seen: Floats
    routine_meant: Floats
    routine_minutes: Floats
    routine_factor: Ints
    routine_strength: Ints
    routines: Bools

    def __init__(self, arrays: dict[str, NDArray[Any]]) -> None:
        for name, array in arrays.items():
            setattr(self, name, array)
        self._size = len(next(iter(arrays.values())))

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, rows: Any) -> "State":
        return self.take(rows)

    @classmethod
    def new(cls, size: int) -> "State":
        """`size` sources of which nothing is known yet."""
        return cls(
            {
                name: np.full((size, *tail), first, dtype)
                for name, (tail, dtype, first) in LAYOUT.items()
            }
        )

    def take(self, rows: Any, fields: Iterable[str] = LAYOUT) -> "State":
        """A copy of some rows, of all fields or of some."""
        return State({name: np.array(getattr(self, name)[rows]) for name in fields})

    def put(self, rows: Any, other: "State") -> None:
        """Replace some rows by those of another state."""
        for name in LAYOUT:
            getattr(self, name)[rows] = getattr(other, name)

    def slots_of(self, row: int) -> dict[str, int]:
        """Code name -> slot of one source."""
        return {name: slot for slot, name in enumerate(self.codes[row].tolist()) if name}

    def pack(self) -> list[bytes]:
        """One compact blob per source: a header with the version, then the arrays, compressed."""
        parts = [self._packed(FIRST_PART.names), self._packed(LATER_PART.names)]
        return [HEAD + first + later for first, later in zip(*parts, strict=True)]

    def pack_moving(self) -> list[bytes]:
        """The same of the fields that move every minute, for `moved`."""
        return [HEAD + moving for moving in self._packed(MOVING_PART.names)]

    def lasting(self) -> list[bytes]:
        """A digest of the other fields, for each source."""
        return [hashlib.blake2b(raw, digest_size=16).digest() for raw in self._raw(LASTING)]

    def _packed(self, names: Sequence[str]) -> list[bytes]:
        return [zlib.compress(raw, 1) for raw in self._raw(names)]

    def _raw(self, names: Sequence[str]) -> list[bytes]:
        """The fields of each source as they lie in memory, one behind the other."""
        if not len(self):
            return []
        columns = [
            np.ascontiguousarray(getattr(self, name)).view(np.uint8).reshape(len(self), -1)
            for name in names
        ]
        return [row.tobytes() for row in np.concatenate(columns, axis=1)]

    @classmethod
    def unpack(cls, blobs: Sequence[bytes | None]) -> "State":
        """Read what `pack` wrote; None is a new source.

        Raises
        ------
        ValueError
            If a blob was written by another version or is damaged.
        """
        rows = [cls.new(1) if blob is None else cls(_read(blob)) for blob in blobs]
        return rows[0] if len(rows) == 1 else stack(rows)

    @classmethod
    def unpack_moved(cls, blob: bytes, moving: bytes) -> "State":
        """One source, of which `pack_moving` wrote later; raises ValueError as `unpack`."""
        return cls(_read(blob, LASTING) | _read_moving(moving))

    def moved(self, moving: bytes) -> "State":
        """This one source with what `pack_moving` wrote of it later; raises the same."""
        return State({name: getattr(self, name) for name in LASTING} | _read_moving(moving))


def _read(blob: bytes, names: Container[str] = LAYOUT) -> dict[str, NDArray[Any]]:
    first, *later = _inflated(blob)
    arrays = FIRST_PART.read(first, names)
    if later:
        return arrays | LATER_PART.read(later[0], names)
    new = State.new(1)
    return arrays | {name: getattr(new, name) for name in LATER_LAYOUT if name in names}


def _read_moving(blob: bytes) -> dict[str, NDArray[Any]]:
    return MOVING_PART.read(_inflated(blob)[0])


def _inflated(blob: bytes) -> list[bytes]:
    """What a blob holds, each of its parts decompressed."""
    if blob[: len(HEAD)] != HEAD:
        raise ValueError(f"unknown version of a packed state: {bytes(blob[: len(HEAD)])!r}")
    parts: list[bytes] = []
    rest = blob[len(HEAD) :]
    while rest or not parts:
        stream = zlib.decompressobj()
        try:
            parts.append(stream.decompress(rest))
        except zlib.error as error:
            raise ValueError(f"a damaged packed state: {error}") from None
        if not stream.eof:
            raise ValueError("a damaged packed state: it has no end")
        rest = stream.unused_data
    return parts


def stack(states: Sequence[State]) -> State:
    """One state of several; a copy, free to be written to."""
    return State({name: np.concatenate([getattr(one, name) for one in states]) for name in LAYOUT})


class Joined(State):
    """Rows of several states side by side; each field is put together when it is first asked for.

    For whoever judges: of the fields of a state a judgement reads a third. It is not written to.
    """

    def __init__(self, parts: Sequence[State]) -> None:
        self._parts = parts
        self._size = sum(len(one) for one in parts)

    def __getattr__(self, name: str) -> NDArray[Any]:
        if name not in LAYOUT:
            raise AttributeError(name)
        column: NDArray[Any] = np.concatenate([getattr(one, name) for one in self._parts])
        setattr(self, name, column)
        return column
