"""What happened after a place in the two lists that only grow: anomalies and timeline lines."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max

from alerts.models import IncidentEvent
from alerts.selectors.visibility import Seen
from detection.models import Anomaly

BATCH = 100
# Ids are given before they are committed: a hole among young rows may still be filled.
SETTLED = timedelta(seconds=5)


@dataclass(frozen=True)
class Place:
    """How far a reader has come: the last id of each list."""

    anomaly: int = 0
    event: int = 0

    def __str__(self) -> str:
        return f"{self.anomaly}.{self.event}"


@dataclass(frozen=True)
class Happening:
    """One thing to tell, and the place after it."""

    place: Place
    kind: str
    body: dict[str, Any] | None


def newest_place() -> Place:
    """Return the place after everything that has happened."""
    anomaly = Anomaly.objects.aggregate(last=Max("id"))["last"]
    event = IncidentEvent.objects.aggregate(last=Max("id"))["last"]
    return Place(anomaly or 0, event or 0)


def place_of(text: str) -> Place | None:
    """Return the place that `str(place)` was made of; None if it is not one.

    Examples
    --------
    >>> place_of("12.7"), place_of("x")
    (Place(anomaly=12, event=7), None)
    """
    parts = text.split(".")
    if len(parts) != 2 or not all(part.isascii() and part.isdigit() for part in parts):
        return None
    anomaly, event = (min(int(part[:18]), 2**62) for part in parts)
    return Place(anomaly, event)


def kept_place(place: Place) -> Place:
    """Return where to go on from a place: after all there is, if that was made of more.

    A database that was restored from a backup gives the same ids again.
    """
    newest = newest_place()
    return Place(min(place.anomaly, newest.anomaly), min(place.event, newest.event))


def happenings_after(place: Place, *, now: datetime, seen: Seen) -> list[Happening]:
    """Return what happened after `place`, in order; what is not for this reader has no body."""
    told = []
    anomalies = Anomaly.objects.filter(id__gt=place.anomaly).select_related("source").order_by("id")
    for anomaly in _settled(list(anomalies[:BATCH]), place.anomaly, "detected", now):
        place = Place(anomaly.pk, place.event)
        body = anomaly_body(anomaly) if _is_for(anomaly.source_id, seen) else None
        told.append(Happening(place, "anomaly", body))
    events = (
        IncidentEvent.objects.filter(id__gt=place.event)
        .select_related("incident__source")
        .order_by("id")
    )
    for event in _settled(list(events[:BATCH]), place.event, "at", now):
        place = Place(place.anomaly, event.pk)
        body = event_body(event) if _is_for(event.incident.source_id, seen) else None
        told.append(Happening(place, "incident", body))
    return told


def _is_for(source_id: int, seen: Seen) -> bool:
    return seen is None or source_id in seen


def _settled(rows: Sequence[Any], last: int, written: str, now: datetime) -> list[Any]:
    """Return the rows up to the first hole that a transaction under way may still fill."""
    told = []
    for row in rows:
        if row.pk != last + 1 and last and now - getattr(row, written) < SETTLED:
            break
        told.append(row)
        last = row.pk
    return told


def anomaly_body(one: Anomaly) -> dict[str, Any]:
    """Return an anomaly in the words of GET /anomalies."""
    return {
        "id": one.pk,
        "timestamp": one.minute.isoformat(),
        "source": one.source.name,
        "family": one.family,
        "alert_level": one.level,
        "score": one.score,
        "violations": one.violations,
        "reasons": one.reasons,
        "recommendation": one.recommendation,
        "past": one.past,
        "provisional": one.provisional,
        "transaction": {
            "timestamp": one.minute.isoformat(),
            "status": one.status,
            "count": one.count,
            "auth_code": one.auth_code,
        },
    }


def event_body(one: IncidentEvent) -> dict[str, Any]:
    """Return one change of an incident."""
    incident = one.incident
    return {
        "id": one.pk,
        "incident": incident.pk,
        "kind": one.kind,
        "at": one.at.isoformat(),
        "who": one.who,
        "why": one.why,
        "source": incident.source.name,
        "family": incident.family,
        "alert_level": incident.level,
        "state": one.state_to or incident.state,
        "onset": incident.onset.isoformat(),
    }
