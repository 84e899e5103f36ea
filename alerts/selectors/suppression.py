"""What keeps an incident from being told at this moment."""

from datetime import datetime

from alerts.models import Incident, MaintenanceWindow, Silence
from alerts.selectors.watch import late_stage
from alerts.suppression import Subject, held_back


def suppression_of(incident: Incident, *, now: datetime) -> str | None:
    """Return what keeps the incident from being told now, with its id; None if nothing does."""
    sources = (incident.source_id, incident.source.parent_id)
    subject = Subject(
        sources=frozenset(pk for pk in sources if pk is not None),
        family=incident.family,
        level=incident.level,
    )
    return held_back(
        subject,
        now=now,
        silences=Silence.objects.filter(starts__lte=now, ends__gt=now).order_by("id"),
        windows=MaintenanceWindow.objects.order_by("id"),
        late_stage=late_stage(now=now),
    )


def active_silences(*, now: datetime) -> list[Silence]:
    """Return the silences that hold now, the first to end first."""
    rows = Silence.objects.filter(starts__lte=now, ends__gt=now).select_related("source")
    return list(rows.order_by("ends"))
