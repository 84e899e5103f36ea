"""Goes on calling while nobody answers, and reminds who answered and went silent."""

from datetime import datetime, timedelta

from alerts import conf
from alerts.lifecycle import State
from alerts.models import Channel, EscalationStep, Incident, IncidentEvent
from alerts.selectors.channels import own_channels, speakers
from alerts.selectors.oncall import escalation_of, person_on_call
from alerts.selectors.suppression import suppression_of
from alerts.services.telling import tell_alive, tell_reminder
from alerts.services.timeline import note
from alerts.services.turns import turn

MINUTE = timedelta(minutes=1)
Kind = IncidentEvent.Kind


def begin_escalation(*, incident: Incident, now: datetime) -> None:
    """The incident's first step has its due time, if a policy means it."""
    found = escalation_of(incident)
    if found is None or not found[1]:
        return
    incident.step = 0
    incident.step_due = now + found[1][0].after_minutes * MINUTE
    incident.save(update_fields=["step", "step_due"])


def plan_reminder(*, incident: Incident, now: datetime) -> None:
    """Who acknowledged is reminded once the policy's time has passed."""
    found = escalation_of(incident)
    minutes = found[0].remind_after_minutes if found else 0
    incident.step_due, incident.reminders = None, 0
    incident.reminder_due = now + minutes * MINUTE if minutes else None
    incident.save(update_fields=["step_due", "reminders", "reminder_due"])


def escalate_incidents(*, now: datetime) -> list[int]:
    """Every step and reminder that was due is in the outbox.

    Returns
    -------
    list of int
        The notifications that were written.
    """
    steps = Incident.objects.filter(state=State.OPEN, step_due__lte=now).order_by("id")
    reminders = Incident.objects.filter(state=State.ACKNOWLEDGED, reminder_due__lte=now)
    if not steps.exists() and not reminders.exists():
        return []
    written: list[int] = []
    with turn("absorb") as mine:
        if not mine:
            return []
        for incident in steps.select_for_update(of=("self",)).select_related("source", "parent"):
            # What a silence holds back stays due: it is told when the silence ends.
            if suppression_of(incident, now=now) is None:
                written += _take_step(incident, now)
        for incident in reminders.select_for_update(of=("self",)).select_related(
            "source", "parent"
        ):
            if suppression_of(incident, now=now) is None:
                written += _remind(incident, now)
    return written


def _take_step(incident: Incident, now: datetime) -> list[int]:
    found = escalation_of(incident)
    if found is None or not found[1] or incident.step >= len(found[1]) * found[0].rounds:
        incident.step_due = None
        incident.save(update_fields=["step_due"])
        return []
    policy, steps = found
    step = steps[incident.step % len(steps)]
    channels, whom = _targets(step, now)
    # Who is called again from the first step is called: each call is an occasion of its own.
    occasion = f"call:{incident.events.filter(kind=Kind.ESCALATED).count()}"
    incident.step += 1
    following = steps[incident.step % len(steps)]
    ended = incident.step >= len(steps) * policy.rounds
    # Nobody to call is no reason to lose minutes: the next step is due at once.
    wait = following.after_minutes * MINUTE if channels else timedelta()
    incident.step_due = None if ended else now + wait
    incident.save(update_fields=["step", "step_due"])
    why = f"{policy.name}, step {incident.step}: {whom}"
    note(incident=incident, kind=Kind.ESCALATED, at=now, why=why)
    return tell_alive(
        incident=incident,
        kind="escalated",
        reason=why,
        now=now,
        channels=channels,
        occasion=occasion,
    )


def _targets(step: EscalationStep, now: datetime) -> tuple[list[Channel], str]:
    if step.channel is not None:
        return speakers([step.channel] if step.channel.enabled else []), str(step.channel)
    assert step.schedule is not None
    person = person_on_call(step.schedule, at=now).user
    if person is None:
        return [], f"nobody is on call in {step.schedule}"
    channels = own_channels(person)
    if not channels:
        return [], f"{person.get_username()} ({step.schedule}) has no channel"
    return channels, f"{person.get_username()} ({step.schedule})"


def _remind(incident: Incident, now: datetime) -> list[int]:
    found = escalation_of(incident)
    minutes = found[0].remind_after_minutes if found else 0
    incident.reminders += 1
    goes_on = minutes and incident.reminders < conf.REMINDERS_AT_MOST
    incident.reminder_due = now + minutes * MINUTE if goes_on else None
    incident.save(update_fields=["reminders", "reminder_due"])
    why = f"acknowledged by {incident.acknowledged_by}, still going on"
    note(incident=incident, kind=Kind.REMINDED, at=now, why=why)
    return tell_reminder(incident=incident, reason=why, now=now)
