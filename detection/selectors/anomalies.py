"""What was found."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from detection.models import Anomaly

# Ids of the sources that a reader may see; None is all of them.
Seen = Collection[int] | None


@dataclass(frozen=True)
class Filters:
    """Which anomalies somebody wants to see; None does not narrow."""

    level: str | None = None
    family: str | None = None
    source: str | None = None
    status: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    # (minute, id) of the last one seen: what comes after it, further back in time.
    after: tuple[datetime, int] | None = None
    seen: Seen = None


def anomalies(filters: Filters) -> QuerySet[Anomaly]:
    """Anomalies that still stand, the newest first."""
    found = _matching(filters).select_related("source").order_by("-minute", "-id")
    if filters.after is not None:
        minute, number = filters.after
        found = found.filter(Q(minute__lt=minute) | Q(minute=minute, id__lt=number))
    return found


def anomaly_count(filters: Filters) -> int:
    """How many anomalies match, whatever page is looked at."""
    return _matching(filters).count()


def _matching(filters: Filters) -> QuerySet[Anomaly]:
    found = Anomaly.objects.filter(withdrawn=None)
    narrowing = {
        "level": filters.level,
        "family": filters.family,
        "source__name": filters.source,
        "status": filters.status,
        "minute__gte": filters.since,
        "minute__lt": filters.until,
        "source_id__in": filters.seen,
    }
    return found.filter(**{name: value for name, value in narrowing.items() if value is not None})
