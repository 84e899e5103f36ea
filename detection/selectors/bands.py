"""What was expected, and what was seen against it."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import QuerySet

from detection.models import Band
from ingest.models import Source, Status
from ingest.selectors import totals_by_status


def bands_between(source_id: int, since: datetime, until: datetime) -> QuerySet[Band]:
    """Bands of one source, since <= minute < until, in order."""
    return Band.objects.filter(source_id=source_id, minute__gte=since, minute__lt=until).order_by(
        "minute"
    )


def digests_between(source_id: int, first: datetime, last: datetime) -> dict[datetime, int]:
    """Fingerprints of the counts that the minutes first..last were judged on."""
    judged = Band.objects.filter(source_id=source_id, minute__gte=first, minute__lte=last)
    return dict(judged.order_by().values_list("minute", "digest"))


def digests_of(
    source_ids: Sequence[int], first: datetime, last: datetime
) -> dict[tuple[int, datetime], int]:
    """The same of several sources, by source and minute."""
    judged = Band.objects.filter(source_id__in=source_ids, minute__gte=first, minute__lte=last)
    found = judged.order_by().values_list("source_id", "minute", "digest")
    return {(source_id, minute): fingerprint for source_id, minute, fingerprint in found}


def approval_rate(since: datetime, until: datetime, source: Source | None = None) -> float | None:
    """Approved share of what was counted, 0..1; None where nothing was."""
    totals = totals_by_status(since, until, source)
    whole = sum(totals.values())
    return totals[Status.APPROVED] / whole if whole else None


def expected_now(source_id: int) -> Band | None:
    """The newest Band of a source: what is normal there at the moment."""
    return Band.objects.filter(source_id=source_id).order_by("-minute").first()
