"""Several sources at once: listed while they are few, told to the database by a query when not."""

from collections.abc import Sequence
from typing import Any, TypeGuard

from django.db.models import QuerySet

from ingest.models import MinuteCount, Source

# So many sources are looked at one by one; of more the database tells the sums alone.
MOST_TOGETHER = 2_000
Many = QuerySet[Source, Any]
SourceIds = Sequence[int] | Many


def ids_together(sources: QuerySet[Source]) -> SourceIds:
    """Return the ids of sources, or the query for them where they are many."""
    found = sources.order_by()
    ids = list(found.values_list("pk", flat=True)[: MOST_TOGETHER + 1])
    return ids if len(ids) <= MOST_TOGETHER else found.values("pk")


def counted(source_ids: SourceIds) -> QuerySet[MinuteCount]:
    """Return the counts of sources; of many by leaving out the few others, which is quicker."""
    if are_many(source_ids):
        others = Source.objects.exclude(pk__in=source_ids).order_by().values_list("pk", flat=True)
        few = list(others[: MOST_TOGETHER + 1])
        if len(few) <= MOST_TOGETHER:
            return MinuteCount.objects.exclude(source_id__in=few)
    return MinuteCount.objects.filter(source_id__in=source_ids)


def are_many(source_ids: SourceIds) -> TypeGuard[Many]:
    """Tell whether sources are too many to be looked at one by one."""
    return isinstance(source_ids, QuerySet)
