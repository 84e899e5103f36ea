"""Fills an empty database for the browser tests; runs in a process of its own."""

from datetime import timedelta

from django.contrib.auth import get_user_model
from django.utils import timezone

from alerts.services import absorb_anomalies
from detection.models import Anomaly, Band
from ingest.models import MinuteCount, Source

MINUTES = 180
EXPECTED = {"approved": 94.0, "denied": 5.0, "failed": 1.0}
TOTAL = 100.0
BAD_MINUTES = 20


def fill() -> None:
    """Three hours of one source, of which denials have quintupled in the last twenty minutes."""
    get_user_model().objects.create_superuser("ana", "ana@example.org", "ana-ana-ana")
    source = Source.objects.create(name="acquirer", title="Acquirer", time_zone="UTC")
    now = timezone.now().replace(second=0, microsecond=0)
    counts, bands = [], []
    for back in range(1, MINUTES + 1):
        minute = now - timedelta(minutes=back)
        times = 5 if back <= BAD_MINUTES else 1
        seen = {**EXPECTED, "denied": EXPECTED["denied"] * times}
        counts += [
            MinuteCount(
                source=source, minute=minute, status=status, auth_code="51", count=int(number)
            )
            for status, number in seen.items()
        ]
        by_status = {status: [value, 0.5 * value, 2 * value] for status, value in EXPECTED.items()}
        bands.append(
            Band(
                source=source,
                minute=minute,
                expected=TOTAL,
                lower=80.0,
                upper=120.0,
                by_status=by_status,
            )
        )
    MinuteCount.objects.bulk_create(counts)
    Band.objects.bulk_create(bands)
    Anomaly.objects.create(
        source=source,
        minute=now - timedelta(minutes=1),
        onset=now - timedelta(minutes=BAD_MINUTES),
        family="decline",
        level="CRITICAL",
        score=0.97,
        status="denied",
        auth_code="51",
        count=25,
        expected=5.0,
        lower=2.5,
        upper=10.0,
        excess=400.0,
        excess_low=350.0,
        excess_high=450.0,
        reasons=["500 denials in 20 min, 100 expected."],
        contributions=[{"auth_code": "51", "share": 0.9}],
    )
    absorb_anomalies(now=timezone.now())
