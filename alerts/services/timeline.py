"""Every change of an incident goes through here, so that none lacks its line in the timeline."""

from datetime import datetime

from alerts.lifecycle import ONGOING, Action, IllegalTransition, State, next_state
from alerts.models import Incident, IncidentEvent
from alerts.services.teaching import take_back_label, teach_label

Kind = IncidentEvent.Kind
KIND_OF = {
    Action.ACKNOWLEDGE: Kind.ACKNOWLEDGED,
    Action.MITIGATE: Kind.MITIGATED,
    Action.RESOLVE: Kind.RESOLVED,
    Action.CLOSE: Kind.CLOSED,
    Action.MERGE: Kind.MERGED,
    Action.SPLIT: Kind.SPLIT,
    Action.REOPEN: Kind.REOPENED,
    Action.RAISE: Kind.RAISED,
}
# What people do to an incident, and can do no second time.
LEADS_TO = {
    Action.ACKNOWLEDGE: State.ACKNOWLEDGED,
    Action.MITIGATE: State.MITIGATED,
    Action.RESOLVE: State.RESOLVED,
    Action.CLOSE: State.CLOSED,
    Action.REOPEN: State.OPEN,
}
WHY_AT_MOST = 500


def note(
    *,
    incident: Incident,
    kind: str,
    at: datetime,
    who: str = "",
    via: str = "system",
    why: str = "",
    states: tuple[str, str] = ("", ""),
) -> IncidentEvent:
    """The timeline has one line more."""
    return IncidentEvent.objects.create(
        incident=incident,
        kind=kind,
        at=at,
        who=who[:120],
        via=via,
        why=why[:WHY_AT_MOST],
        state_from=states[0],
        state_to=states[1],
    )


def move(
    *,
    incident: Incident,
    action: Action,
    at: datetime,
    who: str = "",
    via: str = "system",
    why: str = "",
    back_to: State | None = None,
) -> None:
    """The incident is in the state that the action leads to, stamped, saved and in the timeline.

    What it was closed as is taught to detection, and taken back when it is opened again.

    What takes an action back leads `back_to` the state before it. The caller holds the incident's
    row; `IllegalTransition` leaves everything as it was.
    """
    before = incident.state
    _refuse_twice(incident, action)
    allowed = next_state(before, action)
    incident.state = back_to or allowed
    _stamp(incident, action, at, who)
    incident.save()
    if action is Action.CLOSE:
        went_on = before in ONGOING
        teach_label(incident=incident, until=at if went_on else None, who=who, why=why, now=at)
    elif before == State.CLOSED:
        take_back_label(incident=incident, now=at)
    note(
        incident=incident,
        kind=KIND_OF[action],
        at=at,
        who=who,
        via=via,
        why=why,
        states=(before, incident.state),
    )


def stir(
    *, incident: Incident, action: Action, at: datetime, via: str = "system", why: str = ""
) -> None:
    """Move the incident; what was merged stays merged, and its target is moved for it."""
    if incident.state == State.MERGED:
        incident.reopened += action is Action.REOPEN
        incident.save()
        note(incident=incident, kind=KIND_OF[action], at=at, via=via, why=why)
    else:
        move(incident=incident, action=action, at=at, via=via, why=why)


def _refuse_twice(incident: Incident, action: Action) -> None:
    """Who was slower is told who was faster, and not what the state would allow."""
    if incident.state != LEADS_TO.get(action):
        return
    done = incident.events.filter(state_to=incident.state).last()
    if done and done.who:
        raise IllegalTransition(f"It is {incident.state} already, by {done.who}.")
    raise IllegalTransition(f"It is {incident.state} already.")


def _stamp(incident: Incident, action: Action, at: datetime, who: str) -> None:
    if action is Action.ACKNOWLEDGE:
        # The first answer counts: MTTA is the time until somebody looked.
        incident.acknowledged = incident.acknowledged or at
        incident.acknowledged_by = who[:120]
    elif action is Action.MITIGATE:
        incident.mitigated = at
    elif action is Action.RESOLVE:
        incident.resolved, incident.resolved_by = at, who[:120]
    elif action is Action.CLOSE:
        incident.closed = at
        if incident.resolved is None:
            incident.resolved, incident.resolved_by = at, who[:120]
    elif action is Action.REOPEN:
        incident.resolved, incident.resolved_by, incident.closed = None, "", None
        incident.label = ""
        incident.reopened += 1
        incident.reopened_by_hand = at if who else None
    # Steps belong to an open incident, reminders to an acknowledged one.
    if incident.state != State.OPEN:
        incident.step_due = None
    if incident.state != State.ACKNOWLEDGED:
        incident.reminder_due = None
