"""What was expected, and what was seen against it."""

from collections.abc import Sequence
from datetime import datetime

from detection.models import Band


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
