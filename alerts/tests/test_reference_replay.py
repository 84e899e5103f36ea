"""The reference files lived through minute by minute: each failure is told once and ends once."""

from collections import Counter
from datetime import datetime

import pytest
from pytest_django import Settings

from alerts.models import Incident
from alerts.services import absorb_anomalies, send_due_notifications
from alerts.tests.makers import MINUTE
from alerts.tests.standin import StandIn
from detection.models import Anomaly, Band, Baseline
from detection.services.sweep import learn_history
from detection.tests.makers import make_source
from detection.tests.test_reference_files import FAILURES, FOLDER, TAIL, ZONE, moment, rows
from ingest.models import MinuteCount, Source


def findings() -> tuple[Source, dict[datetime, list[Anomaly]]]:
    """Return what detection finds in the files, by minute, with its tables empty again."""
    source = make_source(time_zone=ZONE.key)
    counts = [
        MinuteCount(source=source, minute=when, status=status, auth_code=code, count=count)
        for when, status, code, count in rows()
    ]
    MinuteCount.objects.bulk_create(counts, batch_size=5000)
    learn_history()
    found: dict[datetime, list[Anomaly]] = {}
    for anomaly in Anomaly.objects.filter(withdrawn=None).order_by("minute", "id"):
        anomaly.pk, anomaly.past, anomaly.absorbed = None, False, None
        found.setdefault(anomaly.minute, []).append(anomaly)
    for model in (Anomaly, Band, Baseline):
        model.objects.all().delete()
    return source, found


def live_through(source: Source, found: dict[datetime, list[Anomaly]]) -> None:
    """Live through every minute with the product's own ticks."""
    minute = min(found) - MINUTE
    while minute <= max(found) + 90 * MINUTE:
        Anomaly.objects.bulk_create(found.get(minute, []))
        if minute in found or Incident.objects.filter(resolved=None).exists():
            Band.objects.create(source=source, minute=minute)
            absorb_anomalies(now=minute + MINUTE)
            send_due_notifications(now=minute + MINUTE)
        minute += MINUTE


@pytest.mark.django_db
@pytest.mark.timeout(300)
@pytest.mark.skipif(
    not (FOLDER / "transactions.csv").exists(),
    reason=f"test_reference_replay.py NOT RUN: no reference files in {FOLDER}; name their folder "
    "in GUARDIAN_REFERENCE_DATA",
)
def test_each_failure_is_told_once_and_ends_once(vendor: StandIn, settings: Settings) -> None:
    settings.SLACK_WEBHOOK_URL = vendor.url
    source, found = findings()
    live_through(source, found)
    spans = [(moment(first), moment(last) + TAIL) for first, last in FAILURES]
    told = Counter(text.partition("*")[2].partition(":")[0] for text in vendor.texts)
    assert told == Counter({"CRITICAL": len(spans), "Resolved": len(spans)})
    roots = Incident.objects.filter(parent=None).order_by("onset")
    for (first, last), incident in zip(spans, roots, strict=True):
        assert first - TAIL <= incident.onset <= incident.last_anomaly <= last
