"""From when to when some sources have counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import OuterRef, QuerySet, Subquery

from alerts.selectors.together import Many, SourceIds, counted
from ingest.models import MinuteCount, Source


@dataclass(frozen=True)
class Extent:
    """The oldest and the newest minute that some sources have counts of."""

    oldest: datetime | None
    newest: datetime | None

    @property
    def length(self) -> timedelta:
        """The time between the two; none where there are no counts."""
        return self.newest - self.oldest if self.newest and self.oldest else timedelta()


def minutes_known(source_ids: SourceIds) -> Extent:
    """Return the first and the last minute with counts, over all the sources."""
    if isinstance(source_ids, QuerySet):
        return _walked(source_ids)
    known = minutes_of_each(source_ids).values()
    return Extent(
        min((one.oldest for one in known if one.oldest), default=None),
        max((one.newest for one in known if one.newest), default=None),
    )


def minutes_of_each(source_ids: Sequence[int]) -> dict[int, Extent]:
    """Return the first and the last minute with counts of each source."""
    minutes = MinuteCount.objects.filter(source_id=OuterRef("pk"))
    rows = (
        Source.objects.filter(pk__in=source_ids)
        .order_by()
        .values_list(
            "pk",
            Subquery(minutes.order_by("minute").values("minute")[:1]),
            Subquery(minutes.order_by("-minute").values("minute")[:1]),
        )
    )
    return {pk: Extent(oldest, newest) for pk, oldest, newest in rows}


def _walked(sources: Many) -> Extent:
    """Find them by walking the index of minutes: quick where most minutes are of these sources."""
    minutes = counted(sources).values_list("minute", flat=True)
    return Extent(minutes.order_by("minute").first(), minutes.order_by("-minute").first())
