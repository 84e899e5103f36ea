"""What keeps an incident from being told at this moment."""

from datetime import datetime

from alerts.models import Incident, MaintenanceWindow, Silence
from alerts.models.quiet import Matcher
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


def active_silences(*, now: datetime, sources: frozenset[int] | None = None) -> list[Silence]:
    """Return the silences that hold now for a reader of these sources, the first to end first."""
    rows = Silence.objects.filter(starts__lte=now, ends__gt=now).select_related("source")
    return [silence for silence in rows.order_by("ends") if concerns(silence, sources)]


def concerns(matcher: Matcher, sources: frozenset[int] | None) -> bool:
    """Say whether a silence or window concerns a reader of these sources; None sees all."""
    return sources is None or matcher.source_id is None or matcher.source_id in sources
