"""Minute by minute: what was seen and what was expected, in the columns a chart draws."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

import msgspec
import numpy as np
from django.conf import settings
from django.db.models import BigIntegerField, Func, QuerySet, Sum, TextField
from django.db.models.functions import Cast
from numpy.typing import NDArray

from alerts.selectors.together import SourceIds, counted
from detection.models import Band
from ingest.models import MinuteCount, Status

TOTAL = "total"
NAMES = (TOTAL, *Status.values)
MINUTE = timedelta(minutes=1)
Column = list[float | None]
# Expected, lower, upper.
Expectation = tuple[float, float, float]
Known = dict[str, Expectation]
# Expected, and the squares of the half-widths below and above: what adds up over sources.
Widths = list[float]
Floats = NDArray[np.float64]
BY_STATUS = msgspec.json.Decoder(dict[str, Any])
AT_ONCE = 5_000
# Series name -> start of a point [Unix seconds] -> transactions.
Counted = dict[str, dict[int, int]]


class Point(Func):
    """The start of the step of `seconds` in which a moment lies [Unix seconds].

    A number, because the driver reads one in a third of the time of a datetime.
    """

    template = "(extract(epoch FROM %(expressions)s)::bigint / %(seconds)s * %(seconds)s)"
    output_field = BigIntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        epoch = "CAST(strftime('%%%%s', %(expressions)s) AS integer)"
        template = f"({epoch} / %(seconds)s * %(seconds)s)"
        return self.as_sql(compiler, connection, template=template, **extra)


@dataclass(frozen=True)
class Series:
    """Columns over one time axis; a point is the mean per minute of `step` minutes.

    Attributes
    ----------
    minutes : list of int
        Start of each point [Unix seconds].
    step : int
        Minutes in one point [min].
    seen, expected, lower, upper : dict
        Series name ("total" or a status) -> column [transactions/min]; None is unknown.
    """

    minutes: list[int]
    step: int
    seen: dict[str, Column] = field(default_factory=dict)
    expected: dict[str, Column] = field(default_factory=dict)
    lower: dict[str, Column] = field(default_factory=dict)
    upper: dict[str, Column] = field(default_factory=dict)


def floor_to(moment: datetime, minutes: int) -> datetime:
    """Return the start of the step of so many minutes that `moment` lies in.

    Examples
    --------
    >>> from datetime import UTC
    >>> floor_to(datetime(2025, 7, 14, 10, 38, 12, tzinfo=UTC), 15).strftime("%H:%M:%S")
    '10:30:00'
    """
    seconds = minutes * 60
    return datetime.fromtimestamp(int(moment.timestamp()) // seconds * seconds, tz=moment.tzinfo)


def closed_before(now: datetime, step: int) -> datetime:
    """Return the end of the last step whose minutes have had the time to fill."""
    return floor_to(now - timedelta(seconds=settings.GUARDIAN_GRACE_SECONDS), step)


def series_between(
    *,
    source_ids: SourceIds,
    since: datetime,
    until: datetime,
    step: int,
    first: datetime | None,
) -> Series:
    """Return the points since <= point < until; before `first` nothing is known.

    Of many sources together nothing is known of what was expected.
    """
    counts = _counts(source_ids, since, until, step)
    known = (
        {} if isinstance(source_ids, QuerySet) else _expectations(source_ids, since, until, step)
    )
    return _drawn(_axis(since, until, step), step, counts, known, first)


def series_of_each(
    *,
    source_ids: Sequence[int],
    since: datetime,
    until: datetime,
    step: int,
    first: Mapping[int, datetime | None],
) -> dict[int, Series]:
    """Return the same points of each source by itself; nothing is known before its `first`."""
    axis = _axis(since, until, step)
    counts = _counts_of_each(source_ids, since, until, step)
    known = _expectations_of_each(source_ids, since, until, step)
    return {
        one: _drawn(axis, step, counts[one], known.get(one, {}), first.get(one))
        for one in source_ids
    }


def _axis(since: datetime, until: datetime, step: int) -> range:
    return range(int(since.timestamp()), int(until.timestamp()), step * 60)


def _drawn(
    axis: range, step: int, counts: Counted, known: dict[int, Known], first: datetime | None
) -> Series:
    series = Series(minutes=list(axis), step=step)
    known_from = axis.stop if first is None else int(floor_to(first, step).timestamp())
    _fill_seen(series, counts, known_from)
    _fill_bands(series, known)
    return series


def counts_so_far(*, source_ids: SourceIds, since: datetime) -> dict[str, int]:
    """Return what was counted from `since` on, by status."""
    rows = (
        counted(source_ids)
        .filter(minute__gte=since)
        .order_by()
        .values_list("status")
        .annotate(count=Sum("count"))
    )
    return {status: int(count) for status, count in rows}


def _counts(source_ids: SourceIds, since: datetime, until: datetime, step: int) -> Counted:
    counts = _nothing()
    for minute, status, count in _summed(counted(source_ids), since, until, "minute", "status"):
        _add(counts, minute, status, count, step)
    return counts


def _counts_of_each(
    source_ids: Sequence[int], since: datetime, until: datetime, step: int
) -> dict[int, Counted]:
    """Return the same source by source."""
    found = {source_id: _nothing() for source_id in source_ids}
    mine = MinuteCount.objects.filter(source_id__in=source_ids)
    rows = _summed(mine, since, until, "source_id", "minute", "status")
    for source_id, minute, status, count in rows.iterator():
        _add(found[source_id], minute, status, count, step)
    return found


def _summed(
    rows: QuerySet[MinuteCount], since: datetime, until: datetime, *by: str
) -> QuerySet[MinuteCount, Any]:
    window = rows.filter(minute__gte=since, minute__lt=until).order_by()
    return window.values_list(*by).annotate(count=Sum("count"))


def _nothing() -> Counted:
    return {name: defaultdict(int) for name in NAMES}


def _add(counts: Counted, minute: datetime, status: str, count: int, step: int) -> None:
    seconds = step * 60
    point = int(minute.timestamp()) // seconds * seconds
    counts[status][point] += count
    counts[TOTAL][point] += count


def _fill_seen(series: Series, counts: Counted, known_from: int) -> None:
    for name in NAMES:
        column = counts[name]
        # A minute that nobody reported is zero once the source has begun, unknown before.
        series.seen[name] = [
            round(column.get(point, 0) / series.step, 2) if point >= known_from else None
            for point in series.minutes
        ]


def _expectations(
    source_ids: Sequence[int], since: datetime, until: datetime, step: int
) -> dict[int, Known]:
    """Return the expectation of the sum of the sources, read point by point: it may be long."""
    if len(source_ids) == 1:
        return _expectations_of_each(source_ids, since, until, step)[source_ids[0]]
    sums: dict[int, dict[str, Widths]] = {}
    known: dict[int, set[int]] = {one: set() for one in source_ids}
    rows = _read(_bands(source_ids, since, until, step).order_by("minute"), step)
    for point, found in groupby(rows, key=itemgetter(0)):
        bands = {source_id: band for _point, source_id, band in found}
        sums[point] = summed(list(bands.values()))
        for source_id in bands:
            known[source_id].add(point)
    partly = [one for one in source_ids if len(known[one]) < len(sums)]
    counts = _counts_of_each(partly, since, until, step)
    for one in partly:
        # What it did is its expectation: one that still learns must not bend the sum.
        for point in sums.keys() - known[one]:
            for name, widths in sums[point].items():
                widths[0] += counts[one][name].get(point, 0) / step
    return {
        point: {name: banded(*widths) for name, widths in by_name.items()}
        for point, by_name in sums.items()
    }


def _expectations_of_each(
    source_ids: Sequence[int], since: datetime, until: datetime, step: int
) -> dict[int, dict[int, Known]]:
    by_source: dict[int, dict[int, Known]] = defaultdict(dict)
    for point, source_id, band in _read(_bands(source_ids, since, until, step), step):
        by_source[source_id][point] = band
    return by_source


def _bands(
    source_ids: Sequence[int], since: datetime, until: datetime, step: int
) -> QuerySet[Band]:
    """Return what was expected; of a source that is still learned nothing is, whatever it did."""
    bands = Band.objects.filter(source_id__in=source_ids, learning=False).exclude(expected=None)
    if step == 1:
        return bands.filter(minute__gte=since, minute__lt=until)
    # What is expected changes slowly: one minute speaks for its step, and a page of three days
    # reads hundreds of rows instead of thousands.
    marks = range(int(since.timestamp()), int(until.timestamp()), step * 60)
    middle = step // 2 * MINUTE
    return bands.filter(
        minute__in=[datetime.fromtimestamp(mark, tz=since.tzinfo) + middle for mark in marks]
    )


def _read(bands: QuerySet[Band], step: int) -> Iterator[tuple[int, int, Known]]:
    """Yield (point, source, its band); JSON is read here, at a tenth of what the field takes."""
    rows = bands.values_list(
        Point("minute", seconds=step * 60),
        *("source_id", "expected", "lower", "upper"),
        Cast("by_status", TextField()),
    )
    for point, source_id, expected, lower, upper, by_status in rows.iterator(chunk_size=AT_ONCE):
        decoded = BY_STATUS.decode(by_status)
        known: Known = {name: band for name, band in decoded.items() if None not in band}
        known[TOTAL] = (expected or 0.0, lower or 0.0, upper or 0.0)
        yield point, source_id, known


def summed(bands: Sequence[Known]) -> dict[str, Widths]:
    """Return what is known of all the bands: expectations add, half-widths in squares.

    Returns
    -------
    dict
        Series name -> [expected, lower half-width squared, upper half-width squared].
    """
    names = set.intersection(*(set(band) for band in bands))
    return {name: _sum_of(np.array([band[name] for band in bands])) for name in names}


def _sum_of(bands: Floats) -> Widths:
    expected, lower, upper = bands.T
    below, above = expected - lower, upper - expected
    return [float(expected.sum()), float(below @ below), float(above @ above)]


def banded(expected: float, below: float, above: float) -> Expectation:
    """Return the band of a sum of independent sources, of the squares of its half-widths.

    Examples
    --------
    >>> sums = summed([{"total": (10.0, 7.0, 14.0)}, {"total": (20.0, 16.0, 23.0)}])
    >>> banded(*sums["total"])
    (30.0, 25.0, 35.0)
    """
    return expected, max(0.0, expected - below**0.5), expected + above**0.5


def _fill_bands(series: Series, by_point: dict[int, dict[str, Expectation]]) -> None:
    for name in NAMES:
        for place, part in enumerate((series.expected, series.lower, series.upper)):
            part[name] = [
                round(by_point[point][name][place], 2)
                if point in by_point and name in by_point[point]
                else None
                for point in series.minutes
            ]
