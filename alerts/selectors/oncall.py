"""Who is on call, and how an incident escalates."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.db.models import Q

from alerts.models import EscalationPolicy, EscalationStep, Incident, Schedule
from alerts.oncall import Shift, Standing, Turns, on_duty, shifts
from alerts.policy import worse


@dataclass(frozen=True)
class OnCall:
    """Who holds a schedule now."""

    schedule: Schedule
    user: User | None
    by: str = ""


def person_on_call(schedule: Schedule, *, at: datetime) -> OnCall:
    """Return who holds the schedule at a moment; its user is None if nobody does."""
    zone = ZoneInfo(schedule.time_zone)
    duty = on_duty(_rotations(schedule), _overrides(schedule, at, at), at, zone)
    if duty is None:
        return OnCall(schedule, None)
    return OnCall(schedule, User.objects.filter(pk=duty.user).first(), duty.by)


def everybody_on_call(*, at: datetime) -> list[OnCall]:
    """Return who holds each schedule."""
    return [person_on_call(schedule, at=at) for schedule in Schedule.objects.all()]


def planned_shifts(schedule: Schedule, *, since: datetime, until: datetime) -> list[Shift]:
    """Return who holds the schedule when, between two moments."""
    return shifts(
        _rotations(schedule),
        _overrides(schedule, since, until),
        ZoneInfo(schedule.time_zone),
        since=since,
        until=until,
    )


def _rotations(schedule: Schedule) -> list[Turns]:
    return [
        Turns(
            name=rotation.name,
            members=[place.user_id for place in rotation.places.filter(user__is_active=True)],
            first_day=rotation.first_day,
            handover=rotation.handover,
            days=rotation.days,
            weekdays=frozenset(rotation.weekdays),
            from_time=rotation.from_time,
            until_time=rotation.until_time,
        )
        for rotation in schedule.rotations.order_by("rank", "id")
    ]


def _overrides(schedule: Schedule, since: datetime, until: datetime) -> list[Standing]:
    rows = schedule.overrides.filter(starts__lte=until, ends__gt=since, user__is_active=True)
    return [Standing(row.user_id, row.starts, row.ends) for row in rows]


def escalation_of(incident: Incident) -> tuple[EscalationPolicy, list[EscalationStep]] | None:
    """Return the first policy that means the incident, with its steps; None if none does.

    A part whose root escalates by the same policy needs no second call: None for it.
    """
    found = _first_policy(incident)
    if found is None or incident.parent is None:
        return found
    calls_already = _first_policy(incident.parent)
    return None if calls_already is not None and calls_already[0] == found[0] else found


def _first_policy(incident: Incident) -> tuple[EscalationPolicy, list[EscalationStep]] | None:
    sources = [incident.source_id, incident.source.parent_id]
    rows = EscalationPolicy.objects.filter(
        Q(source=None) | Q(source__in=[pk for pk in sources if pk is not None]),
        family__in=("", incident.family),
    ).order_by("rank", "id")
    for policy in rows:
        if not worse(policy.minimum_level, than=incident.level):
            steps = policy.steps.select_related("channel", "schedule").order_by("position")
            return policy, list(steps)
    return None
