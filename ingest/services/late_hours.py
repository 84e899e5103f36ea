"""Hours whose counts changed after they closed: a queue that detection takes from."""

from datetime import UTC, datetime

from django.db import connection, transaction

from ingest.models import LateHour

# Hours are claimed among so many of the oldest marks.
MARKS_AT_ONCE = 100_000
# One claim at a time: two would choose the same hours and wait for each other in any order.
_IN_TURN = "SELECT pg_advisory_xact_lock(hashtext('ingest_latemark'))"
# All marks of a claimed hour are deleted with it, or those of senders who are always late would
# pile up. A mark whose writer has not committed yet is not seen, and is left for the next claim.
_CLAIM = """
WITH oldest AS (SELECT source_id, hour FROM ingest_latemark ORDER BY id LIMIT %s),
claimed AS (SELECT DISTINCT source_id, hour FROM oldest ORDER BY source_id, hour LIMIT %s)
DELETE FROM ingest_latemark
WHERE (source_id, hour) IN (SELECT source_id, hour FROM claimed)
RETURNING source_id, hour
"""


def claim_late_hours(*, limit: int) -> list[tuple[int, datetime]]:
    """Up to `limit` hours, those marked first, are the caller's alone: (source id, start)."""
    with transaction.atomic():
        before = _of_the_release_before(limit)
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute(_IN_TURN)
            cursor.execute(_CLAIM, [MARKS_AT_ONCE, limit - len(before)])
            marked = {(source_id, _aware(hour)) for source_id, hour in cursor.fetchall()}
    return before + sorted(marked)


def _aware(hour: datetime) -> datetime:
    return hour.replace(tzinfo=UTC)  # SQLite's driver returns times without a zone; all are of UTC


def _of_the_release_before(limit: int) -> list[tuple[int, datetime]]:
    """Claim hours that processes of the release before this one have marked."""
    waiting = LateHour.objects.order_by("source_id", "hour")
    if connection.features.has_select_for_update_skip_locked:
        # An hour that is being written to right now is left for the next claim.
        waiting = waiting.select_for_update(skip_locked=True)
    claimed = [(late.pk, late.source_id, late.hour) for late in waiting[:limit]]
    LateHour.objects.filter(pk__in=[pk for pk, _source, _hour in claimed]).delete()
    return [(source_id, hour) for _pk, source_id, hour in claimed]
