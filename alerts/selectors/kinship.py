"""Which ongoing incidents one may belong to."""

from datetime import datetime

from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce

from alerts import conf
from alerts.lifecycle import ONGOING, State
from alerts.models import Incident, IncidentEvent
from alerts.policy import LOW_FAMILIES, MINUTE, is_wave
from ingest.models import Source


def locked(incident_id: int) -> Incident:
    """Return an incident that nobody else changes until the transaction ends."""
    return _locked(Incident.objects.all()).get(pk=incident_id)


def possible_kin(incident: Incident) -> QuerySet[Incident]:
    """Return, locked, the ongoing incidents that may be this one's root, or a part of its root.

    Of its own source all are; of other sources those that tell for themselves.
    """
    source = incident.source
    elsewhere = Q(source__parent=source)
    if source.parent_id is not None:
        elsewhere |= Q(source=source.parent_id) | Q(source__parent=source.parent_id)
    if incident.family in LOW_FAMILIES:
        elsewhere |= Q(family__in=LOW_FAMILIES)
    return _locked(_others(incident).filter(Q(source=source) | (elsewhere & Q(parent=None))))


def is_part_of_wave(incident: Incident) -> bool:
    """Say whether the same began at so many other sources that it is one failure of all.

    Sources of one parent count as one: what they share need not be what others share.
    """
    rules = conf.rules()
    group = Coalesce("source__parent", "source")
    groups = _wave(incident).annotate(group=group).order_by().values("group").distinct()
    others = groups.count()
    if others < rules.wave_sources:
        return False
    watched = Source.objects.filter(enabled=True).count()
    return is_wave(others, watched=watched, rules=rules)


def roots_of_wave(incident: Incident) -> QuerySet[Incident]:
    """Return, locked, what began about then and is told of those of the incident's wave."""
    mine = _wave(incident).annotate(root=Coalesce("parent", "pk")).order_by()
    roots = _others(incident).filter(pk__in=mine.values("root"), parent=None)
    return _locked(roots.filter(first_anomaly__range=_about(incident)))


def alone_in_wave(incident: Incident) -> QuerySet[Incident]:
    """Return, locked, those of the incident's wave that tell for themselves, and not by hand."""
    by_hand = IncidentEvent.objects.filter(kind=IncidentEvent.Kind.SPLIT).values("incident")
    alone = _wave(incident).filter(state=State.OPEN, parent=None)
    return _locked(alone.exclude(pk__in=by_hand))


def began_near(incident: Incident, other: Incident) -> bool:
    """Say whether two incidents began at about the same time."""
    first, last = _about(incident)
    return first <= other.first_anomaly <= last


def _about(incident: Incident) -> tuple[datetime, datetime]:
    reach = conf.rules().related_minutes * MINUTE
    return incident.first_anomaly - reach, incident.first_anomaly + reach


def _wave(incident: Incident) -> QuerySet[Incident]:
    """Return what began like the incident, at about the same time, at other sources."""
    alike = _others(incident).filter(family=incident.family, direction=incident.direction)
    return alike.filter(first_anomaly__range=_about(incident)).exclude(source=incident.source_id)


def _others(incident: Incident) -> QuerySet[Incident]:
    ongoing = Incident.objects.filter(state__in=ONGOING, historical=False, key="")
    return ongoing.exclude(pk=incident.pk)


def _locked(rows: QuerySet[Incident]) -> QuerySet[Incident]:
    ordered = rows.select_related("source", "parent__source").order_by("opened", "id")
    return ordered.select_for_update(of=("self",))
