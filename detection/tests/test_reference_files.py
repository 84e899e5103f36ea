"""The reference files replayed in time order, untuned: 14 failures found, nothing else."""

import csv
import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings

from detection.models import Anomaly
from detection.services.sweep import learn_history
from detection.tests.makers import make_source
from ingest.models import MinuteCount

FOLDER = Path(
    os.environ.get("GUARDIAN_REFERENCE_DATA", Path(settings.BASE_DIR).parent / "shared" / "data")
)
ZONE = ZoneInfo("America/Sao_Paulo")
# Inclusive first and last minute of each failure.
FAILURES = (
    ("2025-07-12 17:09", "2025-07-12 17:28"),
    ("2025-07-13 00:30", "2025-07-13 01:29"),
    ("2025-07-13 08:48", "2025-07-13 09:17"),
    ("2025-07-13 11:32", "2025-07-13 11:51"),
    ("2025-07-13 16:00", "2025-07-13 16:44"),
    ("2025-07-13 18:21", "2025-07-13 19:05"),
    ("2025-07-13 21:30", "2025-07-13 21:59"),
    ("2025-07-14 03:42", "2025-07-14 04:41"),
    ("2025-07-14 05:15", "2025-07-14 05:44"),
    ("2025-07-14 11:42", "2025-07-14 12:11"),
    ("2025-07-14 14:45", "2025-07-14 15:04"),
    ("2025-07-14 23:21", "2025-07-14 23:40"),
    ("2025-07-15 03:04", "2025-07-15 03:33"),
    ("2025-07-15 04:28", "2025-07-15 04:47"),
)
# An alarm that began in a failure may end this much after it: it waits for evidence of normality.
TAIL = timedelta(minutes=15)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def rows() -> Iterator[tuple[datetime, str, str, int]]:
    """Counts by status, the denied ones by code: the two files tell the same minutes."""
    with (FOLDER / "transactions.csv").open() as lines:
        for row in csv.DictReader(lines):
            if row["status"] != "denied":
                yield moment(row["timestamp"]), row["status"], "00", int(row["count"])
    with (FOLDER / "transactions_auth_codes.csv").open() as lines:
        for row in csv.DictReader(lines):
            if row["auth_code"].zfill(2) != "00":
                yield (
                    moment(row["timestamp"]),
                    "denied",
                    row["auth_code"].zfill(2),
                    int(row["count"]),
                )


@pytest.mark.django_db
@pytest.mark.timeout(300)
@pytest.mark.skipif(
    not (FOLDER / "transactions.csv").exists(),
    reason=f"test_reference_files.py NOT RUN: no reference files in {FOLDER}; name their folder "
    "in GUARDIAN_REFERENCE_DATA",
)
def test_it_finds_the_14_failures_within_two_minutes_and_nothing_else() -> None:
    source = make_source(time_zone=ZONE.key)
    MinuteCount.objects.bulk_create(
        [
            MinuteCount(source=source, minute=when, status=status, auth_code=code, count=count)
            for when, status, code, count in rows()
        ],
        batch_size=5000,
    )
    learn_history()
    found = list(Anomaly.objects.order_by("minute").values_list("minute", flat=True))
    windows = [(moment(first), moment(last)) for first, last in FAILURES]
    delays = [
        min(
            ((minute - first).seconds // 60 for minute in found if first <= minute <= last),
            default=-1,
        )
        for first, last in windows
    ]
    stray = [
        minute
        for minute in found
        if not any(first <= minute <= last + TAIL for first, last in windows)
    ]
    assert -1 not in delays
    assert median(delays) <= 1
    assert max(delays) <= 2
    assert stray == []
