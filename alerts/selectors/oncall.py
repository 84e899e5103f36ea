"""Who is on call, and how an incident escalates."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User

from alerts.models import EscalationPolicy, EscalationStep, Incident, Schedule
from alerts.oncall import Standing, Turns, on_duty
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
    duty = on_duty(_rotations(schedule), _overrides(schedule, at), at, zone)
    if duty is None:
        return OnCall(schedule, None)
    return OnCall(schedule, User.objects.filter(pk=duty.user).first(), duty.by)


def everybody_on_call(*, at: datetime) -> list[OnCall]:
    """Return who holds each schedule."""
    return [person_on_call(schedule, at=at) for schedule in Schedule.objects.all()]


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


def _overrides(schedule: Schedule, at: datetime) -> list[Standing]:
    rows = schedule.overrides.filter(starts__lte=at, ends__gt=at, user__is_active=True)
    return [Standing(row.user_id, row.starts, row.ends) for row in rows]


def escalation_of(incident: Incident) -> tuple[EscalationPolicy, list[EscalationStep]] | None:
    """Return the first policy that means the incident, with its steps; None if none does.

    A part whose root escalates by the same policy needs no second call: None for it.
    """
    policy = _policy_of(incident, _policies())
    if policy is None:
        return None
    return policy, list(policy.steps.select_related("channel", "schedule").order_by("position"))


def escalating(incidents: Iterable[Incident]) -> set[int]:
    """Return the ids of those that a policy means; for very many at once."""
    policies = _policies()
    return {one.pk for one in incidents if _policy_of(one, policies) is not None}


def _policies() -> list[EscalationPolicy]:
    return list(EscalationPolicy.objects.order_by("rank", "id"))


def _policy_of(incident: Incident, policies: Sequence[EscalationPolicy]) -> EscalationPolicy | None:
    found = _first_meaning(incident, policies)
    if found is None or incident.parent is None:
        return found
    return None if _first_meaning(incident.parent, policies) == found else found


def _first_meaning(
    incident: Incident, policies: Sequence[EscalationPolicy]
) -> EscalationPolicy | None:
    for policy in policies:
        here = policy.source_id in (None, incident.source_id, incident.source.parent_id)
        of_its_kind = policy.family in ("", incident.family)
        if here and of_its_kind and not worse(policy.minimum_level, than=incident.level):
            return policy
    return None
