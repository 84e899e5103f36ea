"""Three seeded days of day and night with failures of known kinds: found, and nothing else."""

from datetime import timedelta

import numpy as np
import pytest

from detection.models import Anomaly
from detection.services.sweep import learn_history
from detection.tests.makers import START, at, make_source
from ingest.models import MinuteCount, Source

DAY = 1440
DAYS = 4
CODES = (
    ("approved", "00", 0.92),
    ("denied", "51", 0.03),
    ("denied", "59", 0.02),
    ("reversed", "00", 0.015),
    ("refunded", "00", 0.015),
    ("failed", "00", 0.0),
    ("backend_reversed", "00", 0.0),
)
# first minute, minutes, (status, code) -> factor on what is usual, plus added per minute
FAILURES = (
    (3 * DAY + 200, 30, {("denied", "51"): (6.0, 2.0)}, "decline"),
    (3 * DAY + 500, 30, {("failed", "00"): (1.0, 3.0)}, "technical_failure"),
    (3 * DAY + 760, 25, {("reversed", "00"): (8.0, 3.0)}, "reversal"),
    (3 * DAY + 1000, 25, {("approved", "00"): (0.05, 0.0)}, "volume_low"),
)
TAIL = timedelta(minutes=20)


def volume(minute: int) -> float:
    """Between 20 in the night and 140 at noon [transactions a minute]."""
    return 80 - 60 * float(np.cos(2 * np.pi * (minute % DAY) / DAY))


def write_history(source: Source, seed: int) -> None:
    random = np.random.default_rng(seed)
    rows = []
    for minute in range(DAYS * DAY):
        # a day's counts spread more than Poisson's: the level wanders
        level = volume(minute) * random.gamma(60, 1 / 60)
        for status, code, share in CODES:
            factor, added = 1.0, 0.0
            for first, length, effect, _ in FAILURES:
                if first <= minute < first + length:
                    factor, added = effect.get((status, code), (1.0, 0.0))
            count = int(random.poisson(level * share * factor + added))
            rows.append(
                MinuteCount(
                    source=source, minute=at(minute), status=status, auth_code=code, count=count
                )
            )
    MinuteCount.objects.bulk_create(rows, batch_size=5000)


@pytest.mark.django_db
@pytest.mark.timeout(300)
def test_failures_of_known_kinds_are_told_and_quiet_days_are_quiet() -> None:
    source = make_source()
    write_history(source, seed=20)
    learn_history()
    told = list(Anomaly.objects.filter(level="CRITICAL").values_list("minute", "family"))
    for first, length, _, family in FAILURES:
        window = (at(first), at(first + length) + TAIL)
        families = {name for minute, name in told if window[0] <= minute <= window[1]}
        assert family in families, (first - 3 * DAY, families)
    stray = [
        (minute, family)
        for minute, family in told
        if not any(
            at(first) <= minute <= at(first + length) + TAIL for first, length, _, _ in FAILURES
        )
    ]
    assert stray == []
    assert min(minute for minute, _ in told) > START
