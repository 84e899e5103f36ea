"""What was counted, arranged the way detection walks over it: minute, source, rows."""

import zlib
from collections.abc import Iterable, Sequence

from detection.clock import minute_of, moment_of
from ingest.selectors import minute_rows

Row = tuple[str, str, int]
# minute -> source id -> its rows
Rows = dict[int, dict[int, list[Row]]]


def rows_by_minute(source_ids: Sequence[int], first: int, last: int) -> Rows:
    """Counts of some sources in the minutes first..last, both included."""
    rows: Rows = {}
    numbers: dict[object, int] = {}
    for source_id, minute, status, code, count in minute_rows(
        source_ids, moment_of(first), moment_of(last + 1)
    ):
        number = numbers.get(minute)
        if number is None:
            number = numbers[minute] = minute_of(minute)
        rows.setdefault(number, {}).setdefault(source_id, []).append((status, code, count))
    return rows


def digest(rows: Iterable[Row] | None) -> int:
    """Fingerprint of one minute's counts; the order of the rows does not matter, zeros count.

    Examples
    --------
    >>> digest([("failed", "00", 1), ("denied", "51", 2)]) == digest(
    ...     [("denied", "51", 2), ("failed", "00", 1)]
    ... )
    True
    >>> digest(None), digest([])
    (0, 0)
    """
    if not rows:
        return 0
    return zlib.crc32(repr(sorted(map(tuple, rows))).encode()) or 1
