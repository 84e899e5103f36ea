"""Sources to choose from: a list while they are few, found by words when they are many."""

from django.db.models import Q, QuerySet
from django.db.models.functions import Length

from ingest.models import Source

# More than this in one list and nobody finds anything there.
MOST_LISTED = 200
MOST_FOUND = 20


def listed(sources: QuerySet[Source]) -> list[Source] | None:
    """Return the sources for a list to choose from; None where they are too many for one."""
    found = list(sources[: MOST_LISTED + 1])
    return found if len(found) <= MOST_LISTED else None


def named_like(sources: QuerySet[Source], words: str) -> QuerySet[Source]:
    """Return the sources whose name or title holds the words, the shortest names first."""
    found = sources.filter(Q(name__icontains=words) | Q(title__icontains=words))
    return found.order_by(Length("name"), "name")
