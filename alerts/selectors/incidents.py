"""Incidents as pages, the API and messages read them."""

from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import TypeVar
from zoneinfo import ZoneInfo

from django.db.models import Count, Model, Prefetch, Q, QuerySet

from alerts.hours import DAY, clock_shows
from alerts.lifecycle import ONGOING, State, permitted
from alerts.models import Incident, IncidentEvent, Notification
from alerts.selectors.lines import told_together
from detection.models import Anomaly
from ingest.models import Source

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class Filters:
    """Which incidents are wanted; None and empty mean any."""

    state: str = ""
    ongoing: bool | None = None
    level: str = ""
    family: str = ""
    source: str = ""
    label: str = ""
    # Whose they are: a user name; empty is nobody's.
    holder: str | None = None
    historical: bool | None = None
    since: datetime | None = None
    until: datetime | None = None
    # On which days it began, by the clock of its source.
    first_day: date | None = None
    last_day: date | None = None


@dataclass(frozen=True)
class Detail:
    """All that the page of one incident shows; of too many messages or minutes the newest."""

    incident: Incident
    timeline: list[IncidentEvent]
    notifications: list[Notification]
    anomalies: list[Anomaly]
    children: list[Incident]
    permitted: list[str] = field(default_factory=list)


def open_incidents() -> QuerySet[Incident]:
    """Return the ongoing incidents, the gravest and newest first; parts stand with their root."""
    return (
        Incident.objects.filter(state__in=ONGOING)
        .select_related("source", "parent")
        .order_by("level", "-opened", "-id")
    )


def incidents(filters: Filters | None = None) -> QuerySet[Incident]:
    """Return the incidents that the filters let through, newest first."""
    wanted = filters or Filters()
    rows = Incident.objects.select_related("source", "parent")
    exact = {
        "state": wanted.state,
        "level": wanted.level,
        "family": wanted.family,
        "source__name": wanted.source,
        "label": wanted.label,
    }
    rows = rows.filter(**{name: value for name, value in exact.items() if value})
    if wanted.historical is not None:
        rows = rows.filter(historical=wanted.historical)
    if wanted.ongoing is not None:
        rows = rows.filter(state__in=ONGOING) if wanted.ongoing else rows.exclude(state__in=ONGOING)
    if wanted.holder is not None:
        rows = rows.filter(held_by(wanted.holder))
    if wanted.since is not None:
        rows = rows.filter(onset__gte=wanted.since)
    if wanted.until is not None:
        rows = rows.filter(onset__lt=wanted.until)
    if wanted.first_day is not None:
        rows = rows.filter(_began("gte", wanted.first_day))
    if wanted.last_day is not None:
        rows = rows.filter(_began("lt", wanted.last_day + DAY))
    return rows.order_by("-onset", "-id")


def _began(side: str, day: date) -> Q:
    """Return what finds the incidents that began from, or before, a day of their source on."""
    found = Q()
    for zone in Source.objects.order_by().values_list("time_zone", flat=True).distinct():
        midnight = clock_shows(day, time.min, ZoneInfo(zone))
        found |= Q(("source__time_zone", zone), (f"onset__{side}", midnight))
    return found


def held_by(name: str) -> Q:
    """Return what finds the incidents whose `holder` this is; an empty name finds nobody's."""
    if not name:
        return Q(assigned_to="") & (Q(acknowledged_by="") | Q(state=State.OPEN))
    return Q(assigned_to=name) | (Q(assigned_to="", acknowledged_by=name) & ~Q(state=State.OPEN))


def seen(rows: QuerySet[Incident], sources: frozenset[int] | None) -> QuerySet[Incident]:
    """Return those of the rows that a reader of these sources may see; None sees all."""
    return rows if sources is None else rows.filter(source__in=sources)


def told_alone(rows: QuerySet[Incident], sources: frozenset[int] | None) -> QuerySet[Incident]:
    """Return those of the rows that such a reader sees as part of nothing."""
    whole = Q(parent=None)
    if sources is not None:
        whole |= ~Q(parent__source__in=sources)
    return seen(rows, sources).filter(whole)


def incident_detail(incident_id: int) -> Detail:
    """Return everything of one incident.

    Raises
    ------
    Incident.DoesNotExist
        If there is no such incident.
    """
    incident = Incident.objects.select_related("source", "parent").get(pk=incident_id)
    return Detail(
        incident=incident,
        timeline=told_together(timeline(incident_id)),
        notifications=newest(incident.notifications.select_related("channel").order_by("id"), 200),
        anomalies=newest(anomalies_of(incident), 500),
        children=list(incident.children.select_related("source").order_by("id")),
        permitted=permitted(incident.state),
    )


def newest(rows: QuerySet[Row], most: int) -> list[Row]:
    """Return the last rows, in the order that they have."""
    return list(rows.reverse()[:most])[::-1]


def with_history(rows: QuerySet[Incident]) -> QuerySet[Incident]:
    """Return the rows with their timelines, messages and parts, read together."""
    messages = Prefetch("notifications", Notification.objects.select_related("channel"))
    return rows.prefetch_related("events", "children", messages)


def timeline(incident_id: int) -> QuerySet[IncidentEvent]:
    """Return every change of an incident, oldest first."""
    return IncidentEvent.objects.filter(incident=incident_id).order_by("at", "id")


def anomalies_of(incident: Incident) -> QuerySet[Anomaly]:
    """Return the anomalies that an incident is made of, oldest first."""
    return Anomaly.objects.filter(
        source=incident.source_id,
        family=incident.family,
        minute__range=(incident.first_anomaly, incident.last_anomaly),
    ).order_by("minute", "id")


def open_counts() -> list[tuple[str, str, int]]:
    """Return how many incidents are ongoing by level and family."""
    rows = (
        Incident.objects.filter(state__in=ONGOING)
        .order_by()
        .values_list("level", "family")
        .annotate(number=Count("id"))
    )
    return [(level, family, number) for level, family, number in rows]


def newest_anomalies(limit: int = 5, *, sources: frozenset[int] | None = None) -> list[Anomaly]:
    """Return the last findings that still stand, of all sources or of some, newest first."""
    rows = Anomaly.objects.filter(withdrawn=None).select_related("source")
    if sources is not None:
        rows = rows.filter(source__in=sources)
    return list(rows.order_by("-minute", "-id")[:limit])
