"""Ends what is over, and tells what may be told by now."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from alerts import conf
from alerts.lifecycle import ONGOING, Action
from alerts.messages.timeline import TAKEN_BACK
from alerts.models import Incident, IncidentEvent
from alerts.policy import MINUTE, decide_resolution
from alerts.selectors.standing import (
    is_taken_back,
    judged_through,
    last_bad_minute,
    standing_to_its_end,
)
from alerts.services.announcing import announce, those_to_ask_about
from alerts.services.telling import tell_resolved, tell_update
from alerts.services.timeline import move, note
from alerts.services.turns import turn

# Incidents locked at once: whoever acknowledges one meanwhile waits for so many at most.
AT_ONCE = 20


def settle_incidents(*, now: datetime) -> list[int]:
    """What is over is resolved; what nothing holds back any more is in the outbox."""
    written: list[int] = []
    ongoing = Incident.objects.filter(state__in=ONGOING).values_list("pk", "parent_id")
    waiting = [pk for pk, _ in sorted(ongoing, key=lambda one: (one[1] is None, one[0]))]
    for first in range(0, len(waiting), AT_ONCE):
        with turn("absorb") as mine:
            if not mine:
                return written
            some = _ongoing(pk__in=waiting[first : first + AT_ONCE])
            through = judged_through({incident.source_id for incident in some})
            written += _settle(some, through=through, now=now)
    return written


def settle_source(*, source: int, before: datetime, now: datetime) -> list[int]:
    """What ended at the source before a minute is resolved, as it would have been at the time.

    A worker that catches up takes many minutes at once; what people are told must not depend on
    how many. The caller has the turn.
    """
    return _settle(_ongoing(source=source), through={source: before - MINUTE}, now=now)


def _ongoing(**which: Any) -> list[Incident]:
    """Return what is ongoing, parts before their roots: a root waits for its parts."""
    rows = (
        Incident.objects.select_for_update(of=("self",))
        .select_related("source", "parent__source")
        .filter(state__in=ONGOING, **which)
        .order_by("id")
    )
    return sorted(rows, key=lambda incident: (incident.parent_id is None, incident.pk))


def _settle(
    some: Sequence[Incident], *, through: Mapping[int, datetime | None], now: datetime
) -> list[int]:
    written: list[int] = []
    unannounced = those_to_ask_about([incident for incident in some if incident.announced is None])
    for incident in some:
        if incident.pk in unannounced:
            written += announce(incident=incident, now=now)
        # What another system told us is over when that system says so.
        if not incident.key and (why := _over(incident, through[incident.source_id])):
            written += resolve_quiet_incident(incident=incident, at=now, why=why)
    return written


def _over(incident: Incident, through: datetime | None) -> str | None:
    if incident.source.enabled and _goes_on(incident, through):
        return None
    if incident.children.filter(state__in=ONGOING).exists():
        return None
    if not incident.source.enabled:
        return "the source is no longer watched"
    # What is bad now was not taken back.
    quiet = through is not None and through > incident.last_anomaly
    if _cut_back(incident, through) or (quiet and is_taken_back(incident)):
        return TAKEN_BACK.english
    standing = standing_to_its_end(incident)
    resolution = decide_resolution(standing, judged_through=through, rules=conf.rules())
    return resolution.reason if resolution.over else None


def _goes_on(incident: Incident, through: datetime | None) -> bool:
    """Say whether the newest judged minute was bad: then it is not over, and no query is needed."""
    return through is None or through == incident.last_anomaly


def _cut_back(incident: Incident, through: datetime | None) -> bool:
    """Take from the incident what a clock found that ran ahead; tell whether nothing is left."""
    if through is None or incident.last_anomaly <= through:
        return False
    last = last_bad_minute(incident)
    if last is None:
        incident.first_anomaly = min(incident.first_anomaly, through)
        incident.onset = min(incident.onset, through)
    incident.last_anomaly = last or incident.first_anomaly
    return last is None


def resolve_quiet_incident(*, incident: Incident, at: datetime, why: str) -> list[int]:
    """The incident is over by itself, and who was told of it hears so."""
    move(incident=incident, action=Action.RESOLVE, at=at, why=why)
    written = tell_resolved(incident=incident, reason=why, now=at)
    if (root := incident.parent) is None:
        return written
    named = f"#{incident.pk} {incident.get_family_display()} is over"
    note(incident=root, kind=IncidentEvent.Kind.LINKED, at=at, why=named)
    return written + (tell_update(incident=root, reason=named, now=at) if root.ongoing else [])
