"""Makers of counts for tests: seeded traffic, written the way ingest writes it."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np

from detection.models import Backtest, ForestVersion
from detection.scoring.forest import FEATURES, fit_forest
from detection.services.trials import claim_backtest, run_backtest
from ingest import steady_clock
from ingest.models import LateMark, MinuteCount, Source
from ingest.reports import RecordedReport, SourceRef

START = datetime(2026, 3, 2, 0, 0, tzinfo=UTC)
Shares = Mapping[tuple[str, str], float]
SHARES: Shares = {
    ("approved", "00"): 0.92,
    ("denied", "51"): 0.03,
    ("denied", "59"): 0.02,
    ("reversed", "00"): 0.015,
    ("refunded", "00"): 0.015,
}


def at(minutes: float) -> datetime:
    """The moment so many minutes after the tests' first midnight."""
    return START + timedelta(minutes=minutes)


def make_source(name: str = "default", **values: object) -> Source:
    values.setdefault("time_zone", "UTC")
    return Source.objects.get_or_create(name=name, defaults=values)[0]


def make_counts(
    source: Source,
    minutes: Iterable[int],
    *,
    rate: float = 100.0,
    seed: int = 1,
    shares: Shares = SHARES,
) -> None:
    """Poisson counts in the minutes, of a source that reports its zeros."""
    random = np.random.default_rng(seed)
    rows = [
        MinuteCount(
            source=source,
            minute=at(minute),
            status=status,
            auth_code=code,
            count=int(random.poisson(rate * share)),
        )
        for minute in minutes
        for (status, code), share in shares.items()
    ]
    MinuteCount.objects.bulk_create(rows, batch_size=5000)


def set_count(source: Source, minute: int, status: str, code: str, count: int) -> None:
    """One count as it is now."""
    MinuteCount.objects.update_or_create(
        source=source, minute=at(minute), status=status, auth_code=code, defaults={"count": count}
    )


def mark_late(source: Source, minute: int) -> None:
    """Ingest noticed that the hour of this minute changed after it closed."""
    hour = at(minute).replace(minute=0)
    LateMark.objects.create(source=source, hour=hour)


def recorded(
    source: Source, minute: float, status: str, count: int, code: str = "00"
) -> RecordedReport:
    """A report as ingest hands it over, with the minute as it stands in the database."""
    moment = at(int(minute))
    rows = MinuteCount.objects.filter(source=source, minute=moment).order_by("status", "auth_code")
    return RecordedReport(
        source=SourceRef(source.pk, source.name, ZoneInfo(source.time_zone)),
        timestamp=at(minute),
        minute=moment,
        status=status,
        auth_code=code,
        count=count,
        changed=True,
        corrected=False,
        minute_counts=[tuple(row) for row in rows.values_list("status", "auth_code", "count")],  # type: ignore[misc]
    )


def report(
    source: Source, minute: float, status: str, count: int, code: str = "00"
) -> RecordedReport:
    """Count it, then hand it over."""
    set_count(source, int(minute), status, code, count)
    return recorded(source, minute, status, count, code)


@cache
def packed_forest() -> bytes:
    """A small forest, trained on noise."""
    rows = np.random.default_rng(1).normal(size=(300, len(FEATURES)))
    return fit_forest(rows, trees=5).pack()


def make_forest(**values: object) -> ForestVersion:
    return ForestVersion.objects.create(**{"model": packed_forest(), **values})


def make_backtest(**values: object) -> Backtest:
    """A backtest that waits to be run."""
    return Backtest.objects.create(**{"since": at(0), "until": at(400), **values})


def run_now(backtest: Backtest) -> Backtest:
    """The backtest, taken and run by this worker."""
    claimed = claim_backtest(number=backtest.pk, now=steady_clock.now())
    assert claimed is not None
    return run_backtest(backtest=claimed)
