"""Tells people of an incident, or writes down what holds that back."""

from collections.abc import Collection
from datetime import datetime

from alerts.models import Incident, IncidentEvent, Notification
from alerts.selectors.channels import channels_for, named_among
from alerts.selectors.oncall import escalating, escalation_of
from alerts.selectors.suppression import suppression_of
from alerts.services.escalation import begin_escalation
from alerts.services.telling import BY_LEVEL, hold_waiting, tell_alive, tell_held
from alerts.services.timeline import note

Kind = Notification.Kind
State = Notification.State


def announce(*, incident: Incident, now: datetime) -> list[int]:
    """People are told of the incident as soon as nothing holds it back."""
    if not _is_heard(incident):
        return []
    told = incident.notifications.filter(kind__in=BY_LEVEL).exclude(state=State.SUPPRESSED)
    why = f"{incident.level} {incident.get_family_display().lower()} at {incident.source}"
    kind = Kind.ESCALATED if told.exists() else Kind.OPENED
    return tell_or_hold(incident=incident, kind=kind, reason=why, now=now)


def tell_or_hold(*, incident: Incident, kind: str, reason: str, now: datetime) -> list[int]:
    """The change is in the outbox; or it waits, unannounced, until nothing holds it back.

    Of a part only those hear who hear nothing of its root.
    """
    if not _is_heard(incident):
        return []
    held = suppression_of(incident, now=now)
    incident.announced = None if held else now
    incident.save(update_fields=["announced"])
    if held:
        _note_held(incident, held, now)
        return []
    begin_escalation(incident=incident, now=now)
    occasion = f"{kind}:{incident.reopened}"
    if kind == Kind.ESCALATED:
        occasion = f"{occasion}:{incident.level}"
    return tell_alive(incident=incident, kind=kind, reason=reason, now=now, occasion=occasion)


def hold_back(*, incident: Incident, reason: str, now: datetime) -> None:
    """What waits to be told of the incident is told when nothing holds it back any more."""
    kinds = hold_waiting(incident=incident, reason=reason)
    if not set(kinds).isdisjoint(BY_LEVEL):
        incident.announced = None
        incident.save(update_fields=["announced"])
    _note_held(incident, reason, now)


def those_to_ask_about(incidents: Collection[Incident]) -> set[int]:
    """Return the ids of the incidents that somebody may hear of, in the same few queries for all.

    Of most parts nobody hears, so that nothing more has to be asked about them.
    """
    parts = [one for one in incidents if one.parent_id is not None]
    if not parts:
        return {one.pk for one in incidents}
    named = named_among([pk for one in parts for pk in (one.source_id, one.source.parent_id) if pk])
    called = escalating(parts)
    return {
        one.pk
        for one in incidents
        if one.parent_id is None
        or one.pk in called
        or not named.isdisjoint((one.source_id, one.source.parent_id))
    }


def _is_heard(incident: Incident) -> bool:
    """Say whether anybody hears of it; of a part only those do who hear nothing of its root."""
    alone = incident.parent_id is None
    return alone or bool(channels_for(incident)) or escalation_of(incident) is not None


def _note_held(incident: Incident, reason: str, now: datetime) -> None:
    last = incident.events.filter(kind=IncidentEvent.Kind.SUPPRESSED).last()
    if last is None or last.why != reason:
        note(incident=incident, kind=IncidentEvent.Kind.SUPPRESSED, at=now, why=reason)
        tell_held(incident=incident, reason=reason, now=now)
