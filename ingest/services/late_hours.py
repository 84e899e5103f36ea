"""Hours whose counts changed after they closed: a queue that detection takes from."""

from datetime import datetime

from django.db import connection, transaction

from ingest.models import LateHour


def claim_late_hours(*, limit: int) -> list[tuple[int, datetime]]:
    """Up to `limit` hours, oldest first, are the caller's alone: (source_id, start of the hour)."""
    with transaction.atomic():
        waiting = LateHour.objects.order_by("source_id", "hour")
        if connection.features.has_select_for_update_skip_locked:
            # An hour that is being written to right now is left for the next claim.
            waiting = waiting.select_for_update(skip_locked=True)
        claimed = [(late.pk, late.source_id, late.hour) for late in waiting[:limit]]
        LateHour.objects.filter(pk__in=[pk for pk, _source, _hour in claimed]).delete()
    return [(source_id, hour) for _pk, source_id, hour in claimed]
