"""Sends a made-up report down the way that a real page takes, and sees how far it comes."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from alerts.models import Canary, Channel, Notification
from detection.models import Band
from ingest.models import Source
from ingest.reports import NewReport, SourceRef
from ingest.services import record_reports

KEPT = timedelta(days=1)
WORTH_TELLING = timedelta(hours=1)
Kind = Notification.Kind


def send_canary(*, now: datetime) -> Canary:
    """A report of no transactions is on its way; yesterday's canaries are forgotten."""
    source = _source()
    reference = SourceRef(id=source.pk, name=source.name, zone=ZoneInfo(source.time_zone))
    # A count of zero travels the whole way and changes no total.
    report = NewReport(source=reference, timestamp=now, status="approved", count=0)
    record_reports(reports=[report])
    minute = now.replace(second=0, microsecond=0)
    canary, _created = Canary.objects.update_or_create(
        minute=minute, defaults={}, create_defaults={"reported": now}
    )
    Canary.objects.filter(minute__lt=now - KEPT).delete()
    Notification.objects.filter(kind=Kind.CANARY, created__lt=now - KEPT).delete()
    return canary


def _source() -> Source:
    made, _created = Source.objects.get_or_create(
        name=Source.CANARY,
        defaults={"title": "Guardian's canary", "time_zone": "UTC"},
    )
    return made


def advance_canaries(*, now: datetime) -> list[int]:
    """Canaries whose minute is judged are in the outbox, on their way to the sink."""
    pending = list(Canary.objects.filter(queued=None, minute__gte=now - WORTH_TELLING))
    if not pending:
        return []
    bands = Band.objects.filter(
        source__name=Source.CANARY, minute__in=[canary.minute for canary in pending]
    )
    judged = set(bands.values_list("minute", flat=True))
    written = []
    for canary in pending:
        claimed = Canary.objects.filter(pk=canary.pk, queued=None)
        if canary.minute in judged and claimed.update(judged=now, queued=now):
            written.append(_queue(canary, now))
    return written


def _queue(canary: Canary, now: datetime) -> int:
    sink, _created = Channel.objects.get_or_create(
        name="canary-sink",
        defaults={"kind": Channel.Kind.SINK, "builtin": True, "standby": True, "per_minute": 600},
    )
    return Notification.objects.create(
        channel=sink,
        kind=Kind.CANARY,
        reason="the canary's minute was judged",
        content={"title": "canary", "text": canary.minute.isoformat()},
        created=now,
        due=now,
    ).pk


def note_delivery(*, text: str, now: datetime) -> None:
    """The canary is known to have come through."""
    Canary.objects.filter(minute=datetime.fromisoformat(text), delivered=None).update(delivered=now)
