"""Real transactions, real threads: sweeps and backtests at once on PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections

from detection.models import Anomaly, Band, Baseline, Checkpoint, Recheck
from detection.services.stored_states import state_of
from detection.services.sweep import sweep_closed_minutes
from detection.services.trials import claim_backtest
from detection.services.watch import watch
from detection.tests.makers import at, make_backtest, make_counts, make_source, mark_late, set_count

pytestmark = pytest.mark.postgres


def sweep(minute: float) -> int:
    try:
        return sweep_closed_minutes(now=at(minute), seconds=60).minutes
    finally:
        connections["default"].close()


def picture() -> tuple[list[Any], dict[int, bytes]]:
    bands = Band.objects.order_by("source", "minute").values_list(
        "source_id", "minute", "level", "score", "digest"
    )
    states = {row.source_id: state_of(row).pack()[0] for row in Baseline.objects.all()}
    return list(bands), states


@pytest.mark.usefixtures("postgresql")
def test_sweeps_at_once_store_each_minute_once() -> None:
    for number in range(6):
        source = make_source(f"s{number}")
        make_counts(source, range(150), seed=number)
        for minute in range(130, 140):
            set_count(source, minute, "denied", "51", 40)
    with ThreadPoolExecutor(4) as threads:
        done = list(threads.map(sweep, [150.5] * 4))
    together = picture()
    assert sum(done) == 900
    assert Band.objects.count() == 900
    found = Anomaly.objects.count()
    for model in (Checkpoint, Anomaly, Band, Baseline):
        model.objects.all()._raw_delete("default")
    watch.forget()
    sweep(150.5)
    assert picture() == together
    assert Anomaly.objects.count() == found


@pytest.mark.usefixtures("postgresql")
def test_late_hours_are_judged_again_while_others_sweep() -> None:
    source = make_source("late")
    make_counts(source, range(200))
    sweep(200.5)
    for minute in range(150, 170):
        set_count(source, minute, "denied", "51", 40)
        mark_late(source, minute)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(sweep, [200.6] * 4))
    sweep(200.7)
    late = picture()
    assert Anomaly.objects.filter(family="decline").exists()
    for model in (Recheck, Checkpoint, Anomaly, Band, Baseline):
        model.objects.all()._raw_delete("default")
    watch.forget()
    sweep(200.7)
    assert picture() == late


def claim(number: int) -> bool:
    try:
        return claim_backtest(number=number, now=at(10)) is not None
    finally:
        connections["default"].close()


@pytest.mark.usefixtures("postgresql")
@pytest.mark.parametrize("values", [{}, {"state": "running", "heartbeat": at(0)}])
def test_of_many_workers_one_takes_a_backtest(values: dict[str, Any]) -> None:
    numbers = [make_backtest(**values).pk for _ in range(20)]
    with ThreadPoolExecutor(4) as threads:
        taken = list(threads.map(claim, [number for number in numbers for _ in range(4)]))
    assert sum(taken) == len(numbers)
