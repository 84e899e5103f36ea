"""Sources as their pages show them: how fresh, how far learned, how busy, how normal looks."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.dates import WEEKDAYS_ABBR

from alerts.lifecycle import ONGOING
from alerts.models import Incident
from alerts.selectors.choosing import named_like
from alerts.selectors.extent import Extent, minutes_of_each
from alerts.selectors.live import level_name, newest_bands, reporting_sources
from alerts.selectors.series import TOTAL, Series, floor_to, series_of_each
from alerts.selectors.visibility import Seen, seen_by
from detection.models import Band, Level
from ingest.models import Source

SPARK = timedelta(hours=3)
SPARK_STEP = 5
SPARK_WIDTH, SPARK_HEIGHT = 120.0, 30.0
WEEK = timedelta(days=7)
# Shades of the week's table, from quiet to busy.
SHADES = 5


@dataclass(frozen=True)
class Spark:
    """A small drawing: SVG points in a box of SPARK_WIDTH x SPARK_HEIGHT."""

    line: str
    band: str


@dataclass(frozen=True)
class SourceRow:
    """One source as the list shows it."""

    source: Source
    newest: datetime | None
    judged: Band | None
    days_known: float
    incidents: list[Incident]
    spark: Spark

    @property
    def level(self) -> str:
        """The worst level of its open incidents; NORMAL without any, UNKNOWN before a verdict."""
        levels = {incident.level for incident in self.incidents}
        for level in (Level.CRITICAL, Level.WARNING):
            if level in levels:
                return str(level)
        return str(Level.NORMAL) if self.judged and not self.judged.learning else "UNKNOWN"

    @property
    def level_label(self) -> str:
        return level_name(self.level)


@dataclass(frozen=True)
class Hour:
    """An hour of the week: what is expected per minute, and how dark to draw it."""

    expected: float | None
    shade: int


def sources_listed(*, seen: Seen, words: str = "") -> QuerySet[Source]:
    """Return the sources that a reader may see and that are called so, those in trouble first."""
    going_on = Incident.objects.filter(source=OuterRef("pk"), state__in=sorted(ONGOING))
    called = named_like(reporting_sources(), words) if words else reporting_sources()
    rows = seen_by(called, seen, "pk").annotate(
        critical=Exists(going_on.filter(level=Level.CRITICAL)), troubled=Exists(going_on)
    )
    return rows.order_by("-critical", "-troubled", "name")


def source_rows(sources: Collection[Source], *, now: datetime) -> list[SourceRow]:
    """Return the sources with their states, in the same order."""
    ids = [source.pk for source in sources]
    extents = minutes_of_each(ids)
    sparks = _sparks(extents, now)
    judged = {band.source_id: band for band in newest_bands(ids)}
    going_on = defaultdict[int, list[Incident]](list)
    for incident in Incident.objects.filter(source_id__in=ids, state__in=sorted(ONGOING)):
        going_on[incident.source_id].append(incident)
    return [
        SourceRow(
            source=source,
            newest=extents[source.pk].newest,
            judged=judged.get(source.pk),
            days_known=extents[source.pk].length / timedelta(days=1),
            incidents=going_on[source.pk],
            spark=sparks[source.pk],
        )
        for source in sources
    ]


def _sparks(extents: Mapping[int, Extent], now: datetime) -> dict[int, Spark]:
    until = floor_to(now, SPARK_STEP)
    first = {source_id: extent.oldest for source_id, extent in extents.items()}
    found = series_of_each(
        source_ids=list(extents), since=until - SPARK, until=until, step=SPARK_STEP, first=first
    )
    return {source_id: _spark(series) for source_id, series in found.items()}


def _spark(series: Series) -> Spark:
    seen, lower, upper = series.seen[TOTAL], series.lower[TOTAL], series.upper[TOTAL]
    highest = max((value for value in (*seen, *upper) if value is not None), default=0.0) or 1.0
    edge = [*_points(upper, highest), *reversed(_points(lower, highest))]
    return Spark(" ".join(_points(seen, highest)), " ".join(edge))


def _points(column: list[float | None], highest: float) -> list[str]:
    across = SPARK_WIDTH / max(1, len(column) - 1)
    return [
        f"{place * across:.1f},{SPARK_HEIGHT * (1 - 0.94 * value / highest):.1f}"
        for place, value in enumerate(column)
        if value is not None
    ]


def week_expected(source: Source, *, now: datetime) -> list[tuple[str, list[Hour]]]:
    """Return what was expected in each hour of the last week, in the source's zone."""
    rows = (
        Band.objects.filter(
            source=source, minute__gte=now - WEEK, minute__minute__in=(7, 22, 37, 52)
        )
        .exclude(expected=None)
        .order_by()
        .values_list("minute", "expected")
    )
    zone = ZoneInfo(source.time_zone)
    by_hour: dict[tuple[int, int], list[float]] = {}
    for minute, expected in rows:
        local = minute.astimezone(zone)
        by_hour.setdefault((local.weekday(), local.hour), []).append(expected or 0.0)
    means = {hour: sum(values) / len(values) for hour, values in by_hour.items()}
    highest = max(means.values(), default=0.0) or 1.0
    return [
        (str(WEEKDAYS_ABBR[day]), [_hour(means.get((day, hour)), highest) for hour in range(24)])
        for day in range(7)
    ]


def _hour(expected: float | None, highest: float) -> Hour:
    if expected is None:
        return Hour(None, 0)
    return Hour(expected, min(SHADES, 1 + int(SHADES * expected / highest * 0.999)))


def newest_incidents(source: Source, limit: int = 10) -> QuerySet[Incident]:
    """Return the newest incidents of a source."""
    found = Incident.objects.filter(source=source).select_related("source")
    return found.order_by("-onset", "-id")[:limit]
