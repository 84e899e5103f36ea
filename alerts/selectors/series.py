"""Minute by minute: what was seen and what was expected, in the columns a chart draws."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet, Sum

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
# Series name -> start of a point [Unix seconds] -> transactions.
Counted = dict[str, dict[int, int]]


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
    seconds = step * 60
    axis = range(int(since.timestamp()), int(until.timestamp()), seconds)
    series = Series(minutes=list(axis), step=step)
    counts = _counts(source_ids, since, until, seconds)
    known_from = axis.stop if first is None else int(floor_to(first, step).timestamp())
    _fill_seen(series, counts, known_from)
    known = (
        {} if isinstance(source_ids, QuerySet) else _expectations(source_ids, since, until, step)
    )
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


def _counts(source_ids: SourceIds, since: datetime, until: datetime, seconds: int) -> Counted:
    rows = (
        counted(source_ids)
        .filter(minute__gte=since, minute__lt=until)
        .order_by()
        .values_list("minute", "status")
        .annotate(count=Sum("count"))
    )
    counts = _nothing()
    for minute, status, count in rows:
        _add(counts, minute, status, count, seconds)
    return counts


def _counts_of_each(
    source_ids: Sequence[int], since: datetime, until: datetime, seconds: int
) -> dict[int, Counted]:
    """Return the same source by source."""
    rows = (
        MinuteCount.objects.filter(source_id__in=source_ids, minute__gte=since, minute__lt=until)
        .order_by()
        .values_list("source_id", "minute", "status", "count")
    )
    found = {source_id: _nothing() for source_id in source_ids}
    for source_id, minute, status, count in rows.iterator():
        _add(found[source_id], minute, status, count, seconds)
    return found


def _nothing() -> Counted:
    return {name: defaultdict(int) for name in NAMES}


def _add(counts: Counted, minute: datetime, status: str, count: int, seconds: int) -> None:
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
    by_source: dict[int, dict[int, Known]] = defaultdict(dict)
    seconds = step * 60
    rows = _bands(source_ids, since, until, step).values_list(
        "source_id", "minute", "expected", "lower", "upper", "by_status"
    )
    for source_id, minute, expected, lower, upper, by_status in rows:
        known: Known = {name: tuple(band) for name, band in by_status.items() if None not in band}
        known[TOTAL] = (expected or 0.0, lower or 0.0, upper or 0.0)
        by_source[source_id][int(minute.timestamp()) // seconds * seconds] = known
    if len(source_ids) == 1:
        return by_source[source_ids[0]]
    points = set().union(*by_source.values())
    partly = [one for one in source_ids if points - by_source[one].keys()]
    seen = _counts_of_each(partly, since, until, seconds)
    for one in partly:
        missing = points - by_source[one].keys()
        by_source[one].update({point: _as_seen(seen[one], point, step) for point in missing})
    return {point: combined([known[point] for known in by_source.values()]) for point in points}


def _bands(
    source_ids: Sequence[int], since: datetime, until: datetime, step: int
) -> QuerySet[Band]:
    bands = Band.objects.filter(source_id__in=source_ids).exclude(expected=None)
    if step == 1:
        return bands.filter(minute__gte=since, minute__lt=until)
    # What is expected changes slowly: one minute speaks for its step, and a page of three days
    # reads hundreds of rows instead of thousands.
    marks = range(int(since.timestamp()), int(until.timestamp()), step * 60)
    middle = step // 2 * MINUTE
    return bands.filter(
        minute__in=[datetime.fromtimestamp(mark, tz=since.tzinfo) + middle for mark in marks]
    )


def _as_seen(counts: Counted, point: int, step: int) -> Known:
    """Return what a source did as its expectation: one that still learns must not bend the sum."""
    seen = {name: counts[name].get(point, 0) / step for name in NAMES}
    return {name: (value, value, value) for name, value in seen.items()}


def combined(bands: Sequence[dict[str, Expectation]]) -> dict[str, Expectation]:
    """Return the band of the sum of independent sources: expectations add, half-widths in squares.

    Examples
    --------
    >>> combined([{"total": (10.0, 7.0, 14.0)}, {"total": (20.0, 16.0, 23.0)}])
    {'total': (30.0, 25.0, 35.0)}
    """
    if len(bands) == 1:
        return bands[0]
    names: Iterable[str] = set.intersection(*(set(band) for band in bands))
    return {name: _sum_of([band[name] for band in bands]) for name in names}


def _sum_of(bands: Sequence[Expectation]) -> Expectation:
    expected = sum(band[0] for band in bands)
    below = sum((band[0] - band[1]) ** 2 for band in bands) ** 0.5
    above = sum((band[2] - band[0]) ** 2 for band in bands) ** 0.5
    return expected, max(0.0, expected - below), expected + above


def _fill_bands(series: Series, by_point: dict[int, dict[str, Expectation]]) -> None:
    for name in NAMES:
        for place, part in enumerate((series.expected, series.lower, series.upper)):
            part[name] = [
                round(by_point[point][name][place], 2)
                if point in by_point and name in by_point[point]
                else None
                for point in series.minutes
            ]
