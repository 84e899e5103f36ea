"""Makes it quiet for a while, and loud again."""

from datetime import datetime, timedelta

from django.db import transaction

from alerts.models import Incident, IncidentEvent, Silence
from alerts.models.quiet import LONGEST_SILENCE
from alerts.services.timeline import note
from ingest.models import Source


@transaction.atomic
def create_silence(
    *,
    ends: datetime,
    actor: str,
    now: datetime,
    source: Source | None = None,
    family: str = "",
    level: str = "",
    reason: str = "",
    starts: datetime | None = None,
) -> Silence:
    """From its start to its end nobody is told of the incidents that the silence matches."""
    begin = starts or now
    if ends <= begin or ends - begin > LONGEST_SILENCE:
        raise ValueError("A silence ends after it starts, and at most 90 days later.")
    if ends <= now:
        raise ValueError("A silence must end in the future.")
    if source is None and not family and not level and not reason:
        raise ValueError("A silence for everything needs a reason.")
    return Silence.objects.create(
        source=source,
        family=family,
        level=level,
        reason=reason[:200],
        created_by=actor[:120],
        created=now,
        starts=begin,
        ends=ends,
    )


def silence_incident(
    *, incident_id: int, minutes: int, actor: str, via: str, now: datetime
) -> Silence:
    """Nobody is told of incidents of the same source and family for so many minutes."""
    incident = Incident.objects.select_related("source").get(pk=incident_id)
    silence = create_silence(
        source=incident.source,
        family=incident.family,
        ends=now + timedelta(minutes=minutes),
        actor=actor,
        now=now,
        reason=f"from incident #{incident.pk}",
    )
    note(
        incident=incident,
        kind=IncidentEvent.Kind.COMMENTED,
        at=now,
        who=actor,
        via=via,
        why=f"silence #{silence.pk} for {minutes} min",
    )
    return silence


@transaction.atomic
def end_silences_of(*, incident_id: int, actor: str, via: str, now: datetime) -> int:
    """The silences that were made for the incident's source are over; how many is returned.

    Those for all sources are left: they hold back what others must not hear either.
    """
    incident = Incident.objects.select_related("source").get(pk=incident_id)
    mine = Silence.objects.filter(
        source=incident.source, family__in=("", incident.family), starts__lte=now, ends__gt=now
    )
    ended = [end_silence(silence_id=one.pk, actor=actor, now=now) for one in mine]
    if ended:
        named = ", ".join(f"#{one.pk}" for one in ended)
        kind = IncidentEvent.Kind.COMMENTED
        why = f"ended silence {named}"
        note(incident=incident, kind=kind, at=now, who=actor, via=via, why=why)
    return len(ended)


def end_silence(*, silence_id: int, actor: str, now: datetime) -> Silence:
    """The silence is over; what it held back is told if it still goes on."""
    silence = Silence.objects.get(pk=silence_id)
    if silence.ends > now:
        silence.ends = max(now, silence.starts)
        silence.reason = f"{silence.reason} (ended by {actor})".strip()[:200]
        silence.save(update_fields=["ends", "reason"])
    return silence
