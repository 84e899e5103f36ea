"""What was found."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from detection.models import Anomaly

# Ids of the sources that a reader may see; None is all of them.
Seen = Collection[int] | None


@dataclass(frozen=True)
class Asked:
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


def anomalies(asked: Asked) -> QuerySet[Anomaly]:
    """Anomalies that still stand, the newest first."""
    found = _matching(asked).select_related("source").order_by("-minute", "-id")
    if asked.after is not None:
        minute, number = asked.after
        found = found.filter(Q(minute__lt=minute) | Q(minute=minute, id__lt=number))
    return found


def anomaly_count(asked: Asked) -> int:
    """How many anomalies match, whatever page is looked at."""
    return _matching(asked).count()


def _matching(asked: Asked) -> QuerySet[Anomaly]:
    found = Anomaly.objects.filter(withdrawn=None)
    narrowing = {
        "level": asked.level,
        "family": asked.family,
        "source__name": asked.source,
        "status": asked.status,
        "minute__gte": asked.since,
        "minute__lt": asked.until,
        "source_id__in": asked.seen,
    }
    return found.filter(**{name: value for name, value in narrowing.items() if value is not None})


def unabsorbed_anomalies(limit: int = 500) -> QuerySet[Anomaly]:
    """Confirmed anomalies that no incident has taken in yet, the oldest first."""
    waiting = Anomaly.objects.filter(absorbed=None, provisional=False, withdrawn=None)
    return waiting.select_related("source").order_by("minute", "id")[:limit]


def newest_verdicts(limit: int = 20) -> QuerySet[Anomaly]:
    """The newest verdicts that are not NORMAL."""
    return anomalies(Asked())[:limit]
