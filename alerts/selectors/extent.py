"""From when to when some sources have counts."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import OuterRef, Subquery

from alerts.selectors.together import Many, SourceIds, are_many, counted
from ingest.models import MinuteCount, Source


@dataclass(frozen=True)
class Extent:
    """The oldest and the newest minute that some sources have counts of."""

    oldest: datetime | None
    newest: datetime | None


def minutes_known(source_ids: SourceIds) -> Extent:
    """Return the first and the last minute with counts, over all the sources."""
    if are_many(source_ids):
        return _walked(source_ids)
    minutes = MinuteCount.objects.filter(source_id=OuterRef("pk"))
    rows = (
        Source.objects.filter(pk__in=source_ids)
        .order_by()
        .values_list(
            Subquery(minutes.order_by("minute").values("minute")[:1]),
            Subquery(minutes.order_by("-minute").values("minute")[:1]),
        )
    )
    known = [row for row in rows if row[0] is not None]
    if not known:
        return Extent(None, None)
    return Extent(min(row[0] for row in known), max(row[1] for row in known))


def _walked(sources: Many) -> Extent:
    """Find them in the index of the minutes, where hardly one is of any other source."""
    minutes = counted(sources).values_list("minute", flat=True)
    return Extent(minutes.order_by("minute").first(), minutes.order_by("-minute").first())
