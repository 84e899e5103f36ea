"""A small picture of what was seen against what was expected: numpy in, PNG out."""

import struct
import zlib
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT, MARGIN = 480, 160, 8
PAPER, BAND, MEANT, SEEN, ONSET = (
    (255, 255, 255),
    (219, 232, 246),
    (120, 160, 205),
    (31, 41, 55),
    (215, 38, 61),
)
Floats = NDArray[np.float64]
Canvas = NDArray[np.uint8]


@dataclass(frozen=True)
class Course:
    """Counts by minute [transactions]; NaN where nothing is known. `onset` is a minute's index."""

    seen: Floats
    expected: Floats
    lower: Floats
    upper: Floats
    onset: int | None = None


def draw(course: Course) -> bytes:
    """Return the picture as a PNG: the band, the expectation, what was seen, the onset.

    Examples
    --------
    >>> flat = np.full(10, 5.0)
    >>> draw(Course(flat, flat, flat - 2, flat + 2))[:4]
    b'\\x89PNG'
    """
    canvas: Canvas = np.full((HEIGHT, WIDTH, 3), PAPER, dtype=np.uint8)
    columns = np.arange(MARGIN, WIDTH - MARGIN)
    place = np.linspace(0, len(course.seen) - 1, len(columns))
    top = _ceiling(course)
    _fill(canvas, columns, *(_rows(_at(line, place), top) for line in (course.upper, course.lower)))
    _trace(canvas, columns, _rows(_at(course.expected, place), top), MEANT)
    if course.onset is not None and len(course.seen) > 1:
        share = course.onset / (len(course.seen) - 1)
        column = MARGIN + round(share * (len(columns) - 1))
        canvas[MARGIN : HEIGHT - MARGIN : 4, column] = ONSET
    _trace(canvas, columns, _rows(_at(course.seen, place), top), SEEN)
    return _png(canvas)


def _ceiling(course: Course) -> float:
    values = np.concatenate([course.seen, course.expected, course.upper])
    known = values[np.isfinite(values)]
    return max(float(known.max()) * 1.05, 1.0) if len(known) else 1.0


def _at(line: Floats, place: Floats) -> Floats:
    known = np.isfinite(line)
    if not known.any():
        return np.full(len(place), np.nan)
    index = np.arange(len(line))
    found: Floats = np.interp(place, index[known], line[known])
    # Where the nearest minute is unknown, a gap is drawn and not a guess.
    found[~known[np.rint(place).astype(int)]] = np.nan
    return found


def _rows(values: Floats, top: float) -> Floats:
    height = HEIGHT - 2 * MARGIN - 1
    rows: Floats = HEIGHT - MARGIN - 1 - np.clip(values, 0, top) / top * height
    return rows


def _fill(canvas: Canvas, columns: NDArray[np.int_], upper: Floats, lower: Floats) -> None:
    rows = np.arange(HEIGHT)[:, None]
    inside = (rows >= upper[None, :]) & (rows <= lower[None, :])
    area = canvas[:, columns]
    area[inside] = BAND
    canvas[:, columns] = area


def _trace(
    canvas: Canvas, columns: NDArray[np.int_], rows: Floats, colour: tuple[int, int, int]
) -> None:
    for column, (here, there) in zip(columns[1:], pairwise(rows), strict=True):
        if np.isfinite(here) and np.isfinite(there):
            first, last = sorted((int(here), int(there)))
            canvas[first : last + 2, column] = colour


def _png(canvas: Canvas) -> bytes:
    # Each row begins with the number of its filter: none.
    rows = np.concatenate([np.zeros((HEIGHT, 1), np.uint8), canvas.reshape(HEIGHT, -1)], axis=1)
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in parts)


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)
