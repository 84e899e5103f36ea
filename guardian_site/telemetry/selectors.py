"""What /metrics reads from the rows of several apps."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import OuterRef, Q, QuerySet, Subquery, Sum

from detection.models import Anomaly, Band, ForestVersion
from ingest.models import MinuteCount, Source, Status

# A band older than this says nothing about now: leaving it would freeze the last value.
FRESH = timedelta(minutes=15)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
Counts = Mapping[str, float | None]


@dataclass(frozen=True)
class SourceNow:
    """The newest judged minute of one source, by status and for `all` of them.

    Attributes
    ----------
    seen, expected, lower, upper : mapping
        Transactions by status; a status that is not there is unknown.
    silent_seconds : float or None
        Time since the newest minute with counts ended [s]; None if it never reported.
    learning : bool or None
        What is normal is still learned; None if no minute was judged within FRESH.
    """

    name: str
    seen: Counts
    expected: Counts
    lower: Counts
    upper: Counts
    silent_seconds: float | None
    learning: bool | None


def _watched() -> QuerySet[Source]:
    # The canary only tests the way to a message; its made-up reports are nobody's transactions.
    return Source.objects.filter(enabled=True).exclude(name=Source.CANARY)


def source_count() -> int:
    """Return the number of sources that are watched."""
    return _watched().count()


def live_forest_number() -> int | None:
    """Return the number of the forest version in use; None if none is."""
    return (
        ForestVersion.objects.filter(state=ForestVersion.State.LIVE)
        .values_list("pk", flat=True)
        .first()
    )


def anomaly_total() -> float:
    """Return the number of anomalies that are kept and still hold."""
    found = Anomaly.objects.filter(withdrawn=None, provisional=False)
    return float(found.exclude(source__name=Source.CANARY).count())


def totals_by_status(*, since: datetime, until: datetime) -> dict[str, int]:
    """Return the transactions of each status of all sources, since <= minute < until."""
    rows = (
        MinuteCount.objects.filter(minute__gte=since, minute__lt=until)
        .exclude(source__name=Source.CANARY)
        .order_by()
        .values_list("status")
        .annotate(total=Sum("count"))
    )
    return {**dict.fromkeys(Status.values, 0), **dict(rows)}


def last_hour(now: datetime) -> dict[str, float | None]:
    """Return the figures of the last minute and hour; no rate where nothing was reported."""
    minute = now.replace(second=0, microsecond=0)
    last = sum(totals_by_status(since=minute - MINUTE, until=minute).values())
    totals = totals_by_status(since=minute - HOUR, until=minute)
    whole = sum(totals.values())
    return {
        "current_count": float(last),
        "avg_count": whole / 60,
        # A 0 here would page somebody.
        "approval_rate": totals[Status.APPROVED] / whole if whole else None,
    }


def sources_now(*, now: datetime, limit: int) -> list[SourceNow]:
    """Return how the first `limit` watched sources stand, in the order they were made."""
    newest_count = (
        MinuteCount.objects.filter(source_id=OuterRef("pk"), minute__lte=now)
        .order_by("-minute")
        .values("minute")[:1]
    )
    newest_band = (
        Band.objects.filter(source_id=OuterRef("pk"), minute__gte=now - FRESH)
        .order_by("-minute")
        .values("pk")[:1]
    )
    rows = list(
        _watched()
        .order_by("pk")
        .annotate(reported=Subquery(newest_count), band=Subquery(newest_band))
        .values_list("name", "reported", "band")[:limit]
    )
    bands = Band.objects.in_bulk([band for _name, _reported, band in rows if band is not None])
    seen = _seen(bands.values())
    return [_standing(name, reported, bands.get(band), seen, now) for name, reported, band in rows]


def _standing(
    name: str,
    reported: datetime | None,
    band: Band | None,
    seen: Mapping[int, Mapping[str, int]],
    now: datetime,
) -> SourceNow:
    silent = None if reported is None else max(0.0, (now - reported - MINUTE).total_seconds())
    if band is None:
        return SourceNow(name, {}, {}, {}, {}, silent, None)
    by_status = {status: found for status, found in band.by_status.items() if found is not None}

    def part(index: int, whole: float | None) -> Counts:
        if band.learning:
            return {}
        return {"all": whole, **{name: found[index] for name, found in by_status.items()}}

    counts: Counts = {}
    if band.total is not None:
        counts = {"all": band.total, **{s: seen[band.pk].get(s, 0) for s in Status.values}}
    return SourceNow(
        name=name,
        seen=counts,
        expected=part(0, band.expected),
        lower=part(1, band.lower),
        upper=part(2, band.upper),
        silent_seconds=silent,
        learning=band.learning,
    )


def _seen(bands: Iterable[Band]) -> Mapping[int, Mapping[str, int]]:
    """Return the counts by status of the minute of each band."""
    wanted = {(band.source_id, band.minute): band.pk for band in bands}
    found: dict[int, dict[str, int]] = defaultdict(dict)
    for source_id, minute, status, total in _counts(list(wanted)):
        if (pk := wanted.get((source_id, minute))) is not None:
            found[pk][status] = total
    return found


def _counts(
    minutes: list[tuple[int, datetime]],
) -> QuerySet[MinuteCount, tuple[int, datetime, str, int]]:
    # Most sources have the same newest minute: this takes few conditions, not one for each source.
    sources: dict[datetime, list[int]] = defaultdict(list)
    for source_id, minute in minutes:
        sources[minute].append(source_id)
    condition = Q(pk__in=[])
    for minute, ids in sources.items():
        condition |= Q(minute=minute, source_id__in=ids)
    return (
        MinuteCount.objects.filter(condition)
        .order_by()
        .values("source_id", "minute", "status")
        .annotate(total=Sum("count"))
        .values_list("source_id", "minute", "status", "total")
    )
