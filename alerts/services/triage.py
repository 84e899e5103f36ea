"""What people do with an incident.

An incident, its parts and its whole are locked in more than one order: an act that the database
undid to let another pass is done again.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime

from django.db import IntegrityError, transaction

from alerts.lifecycle import ONGOING, Action, IllegalTransition, State, next_state
from alerts.models import Incident, IncidentEvent
from alerts.selectors.channels import own_channels
from alerts.selectors.people import people_who_may_act
from alerts.selectors.standing import ongoing_like
from alerts.services.announcing import tell_or_hold
from alerts.services.escalation import plan_reminder
from alerts.services.kinship import raise_root
from alerts.services.teaching import teach_label
from alerts.services.telling import (
    forget_assigned,
    forget_joined,
    tell_assigned,
    tell_resolved,
    tell_update,
)
from alerts.services.timeline import move, note
from ingest.insisting import insisting

Kind = IncidentEvent.Kind


def _locked(incident_id: int) -> Incident:
    rows = Incident.objects.select_for_update(of=("self",)).select_related("source", "parent")
    return rows.get(pk=incident_id)


@insisting
@transaction.atomic
def acknowledge(
    *, incident_id: int, actor: str, via: str, now: datetime, why: str = ""
) -> Incident:
    """Somebody has the incident: it escalates no further."""
    incident = _locked(incident_id)
    parts = _parts(incident, {State.OPEN})
    for each in [incident, *parts]:
        move(incident=each, action=Action.ACKNOWLEDGE, at=now, who=actor, via=via, why=why)
    plan_reminder(incident=incident, now=now)
    _show([incident, *parts], f"acknowledged by {actor}", now)
    return incident


@insisting
@transaction.atomic
def mitigate(*, incident_id: int, actor: str, via: str, now: datetime, why: str = "") -> Incident:
    """A workaround holds; the incident stays until it is over."""
    incident = _locked(incident_id)
    move(incident=incident, action=Action.MITIGATE, at=now, who=actor, via=via, why=why)
    _show([incident], f"mitigated by {actor}", now)
    return incident


@insisting
@transaction.atomic
def resolve(*, incident_id: int, actor: str, via: str, now: datetime, why: str = "") -> Incident:
    """The incident and its parts are over, and who was told of them hears so."""
    incident = _locked(incident_id)
    together = [*_parts(incident, ONGOING), incident]
    for each in together:
        move(incident=each, action=Action.RESOLVE, at=now, who=actor, via=via, why=why)
    _tell_over(together, f"resolved by {actor}", now)
    return incident


@insisting
@transaction.atomic
def close(
    *, incident_id: int, label: str, actor: str, via: str, now: datetime, why: str = ""
) -> Incident:
    """The incident and its parts are over and say what they were; who was told of them hears so."""
    if label not in Incident.Label.values:
        known = ", ".join(Incident.Label.values)
        raise ValueError(f"“{label}” is not a label; use one of {known}.")
    incident = _locked(incident_id)
    together = [*_parts(incident, {*ONGOING, State.RESOLVED}), incident]
    ended = [each for each in together if each.ongoing]
    reason = f"{label}: {why}" if why else label
    for each in together:
        each.label = label
        move(incident=each, action=Action.CLOSE, at=now, who=actor, via=via, why=reason)
    for part in _parts(incident, {State.MERGED}):
        teach_label(incident=incident, part=part, until=None, who=actor, why=reason, now=now)
    if incident in ended:
        _tell_over(ended, f"closed as {label} by {actor}", now)
    return incident


def mark_false_positive(
    *, incident_id: int, actor: str, via: str, now: datetime, why: str = ""
) -> Incident:
    """The incident is closed as a false positive; the run that caused it opens no other."""
    return close(
        incident_id=incident_id,
        label=Incident.Label.FALSE_POSITIVE,
        actor=actor,
        via=via,
        now=now,
        why=why,
    )


@insisting
@transaction.atomic
def reopen(*, incident_id: int, actor: str, via: str, now: datetime, why: str = "") -> Incident:
    """The incident goes on, and its whole if it is a part; who heard that it was over hears so."""
    incident = _locked(incident_id)
    with _alone_of_its_kind(incident):
        move(incident=incident, action=Action.REOPEN, at=now, who=actor, via=via, why=why)
    if incident.historical:
        # Nobody was called for it; from now on it is an incident like any other.
        incident.historical = False
        incident.save(update_fields=["historical"])
    if incident.parent is not None:
        raise_root(child=incident, now=now, reason=f"#{incident.pk} reopened by {actor}")
    tell_or_hold(incident=incident, kind="reopened", reason=f"reopened by {actor}", now=now)
    return incident


@insisting
@transaction.atomic
def merge(
    *, incident_id: int, into_id: int, actor: str, via: str, now: datetime, why: str = ""
) -> Incident:
    """The incident and its parts belong to the other one, which alone is told from now on."""
    if incident_id == into_id:
        raise IllegalTransition("An incident cannot be merged into itself.")
    first, second = (_locked(number) for number in sorted((incident_id, into_id)))
    incident, target = (first, second) if first.pk == incident_id else (second, first)
    if target.parent_id == incident.pk or target.state == State.MERGED:
        raise IllegalTransition(f"Incident #{target.pk} is itself a part: merge into its root.")
    next_state(incident.state, Action.MERGE)
    root = target if target.parent_id is None else _locked(target.parent_id)
    if root.state == State.CLOSED:
        raise IllegalTransition(
            f"Incident #{root.pk} is closed: reopen it first, or merge into an ongoing one."
        )
    incident.children.update(parent=root)
    incident.parent = root
    reason = f"into #{root.pk}" + (f": {why}" if why else "")
    move(incident=incident, action=Action.MERGE, at=now, who=actor, via=via, why=reason)
    note(incident=root, kind=Kind.LINKED, at=now, who=actor, via=via, why=f"took in #{incident.pk}")
    forget_joined(incident=incident, root=root, reason=f"merged into #{root.pk}")
    tell_update(incident=incident, reason=f"merged into #{root.pk}", now=now)
    _show([root], f"took in #{incident.pk}", now)
    return incident


@insisting
@transaction.atomic
def split(
    *,
    incident_id: int,
    actor: str,
    via: str,
    now: datetime,
    why: str = "",
    from_id: int | None = None,
) -> Incident:
    """The part stands for itself: what was merged is as it was before, and told if it goes on.

    What had been merged into it earlier stays with the whole. Of a whole that is over, a merged
    part is over too. Who saw it as a part of `from_id` splits it off no other.
    """
    part, whole = _part_and_whole(incident_id, from_id)
    reason = f"from #{whole.pk}" + (f": {why}" if why else "")
    part.parent = None
    if part.state == State.MERGED:
        _take_back(part, whole, at=now, who=actor, via=via, why=reason)
    else:
        part.save(update_fields=["parent"])
        note(incident=part, kind=Kind.SPLIT, at=now, who=actor, via=via, why=reason)
    note(incident=whole, kind=Kind.SPLIT, at=now, who=actor, via=via, why=f"#{part.pk}")
    if part.ongoing:
        tell_or_hold(incident=part, kind="reopened", reason=f"split off from #{whole.pk}", now=now)
    if part.state == State.ACKNOWLEDGED:
        plan_reminder(incident=part, now=now)
    _show([part], f"split off from #{whole.pk}", now)
    _show([whole], f"split off #{part.pk}", now)
    return part


@insisting
@transaction.atomic
def assign(
    *,
    incident_id: int,
    to: str,
    actor: str,
    via: str,
    now: datetime,
    why: str = "",
    was: str | None = None,
) -> Incident:
    """The incident is this person's, who hears of it; nobody's where `to` is empty.

    It escalates as before. `was` is whose it was when the caller looked: if it is another's by
    now, nothing changes and the act is refused.
    """
    incident = _locked(incident_id)
    before = incident.assigned_to
    if not incident.ongoing:
        raise IllegalTransition(
            f"An incident that is {incident.state} cannot be assigned; only an ongoing one can."
        )
    if to == before:
        raise IllegalTransition(f"It is assigned to {before or 'nobody'} already.")
    if was is not None and was != before:
        raise IllegalTransition(f"Meanwhile it was assigned to {before or 'nobody'}.")
    able = {one.get_username(): one for one in people_who_may_act(incident)}
    if to and to not in able:
        raise ValueError(f"“{to}” may not act on incidents of this source.")
    incident.assigned_to = to
    incident.save(update_fields=["assigned_to"])
    reason = (f"to {to}" if to else f"no longer to {before}") + (f": {why}" if why else "")
    note(incident=incident, kind=Kind.ASSIGNED, at=now, who=actor, via=via, why=reason)
    forget_assigned(incident=incident, reason=f"no longer assigned to {before}")
    if to and to != actor:
        told = own_channels(able[to])
        tell_assigned(incident=incident, channels=told, reason=f"assigned by {actor}", now=now)
    _show([incident], f"assigned to {to}" if to else f"no longer assigned to {before}", now)
    return incident


@insisting
@transaction.atomic
def comment(*, incident_id: int, text: str, actor: str, via: str, now: datetime) -> IncidentEvent:
    """The timeline holds what somebody found out."""
    if not text.strip():
        raise ValueError("A comment cannot be empty.")
    incident = _locked(incident_id)
    return note(incident=incident, kind=Kind.COMMENTED, at=now, who=actor, via=via, why=text)


def _part_and_whole(part_id: int, seen_whole: int | None) -> tuple[Incident, Incident]:
    """Return both, locked in the order in which merging locks them."""
    whole_id = Incident.objects.values_list("parent", flat=True).get(pk=part_id)
    if whole_id is not None and seen_whole in (None, whole_id):
        locked = {number: _locked(number) for number in sorted((part_id, whole_id))}
        if locked[part_id].parent_id == whole_id:
            return locked[part_id], locked[whole_id]
    raise IllegalTransition(
        f"Incident #{part_id} is not part of another incident, or no longer of that one."
    )


def _take_back(
    part: Incident, whole: Incident, *, at: datetime, who: str, via: str, why: str
) -> None:
    merged = part.events.filter(kind=Kind.MERGED).latest("id")
    before = State(merged.state_from) if whole.ongoing else State.RESOLVED
    if before == State.RESOLVED and part.resolved is None:
        part.resolved, part.resolved_by = whole.resolved or at, whole.resolved_by
    with _alone_of_its_kind(part) if before in ONGOING else nullcontext():
        move(
            incident=part,
            action=Action.SPLIT,
            at=at,
            who=who,
            via=via,
            why=why,
            back_to=before,
        )


@contextmanager
def _alone_of_its_kind(incident: Incident) -> Iterator[None]:
    """In this block the incident goes on again; refused while another of its kind is ongoing."""
    _refuse_beside_twin(incident)
    try:
        with transaction.atomic():
            yield
    except IntegrityError:
        # Another one was opened while this one was being brought back.
        _refuse_beside_twin(incident)
        raise


def _refuse_beside_twin(incident: Incident) -> None:
    twin = ongoing_like(incident)
    if twin is not None and twin.pk != incident.pk:
        raise IllegalTransition(f"Incident #{twin.pk} of the same kind is already ongoing.")


def _parts(incident: Incident, states: "frozenset[State] | set[State]") -> list[Incident]:
    rows = incident.children.select_for_update(of=("self",)).select_related("source", "parent")
    return list(rows.filter(state__in=states).order_by("id"))


def _show(incidents: list[Incident], reason: str, now: datetime) -> None:
    """Messages that show these, or the roots of which they are parts, show them as they are."""
    shown = {each.pk: each for each in incidents}
    shown |= {each.parent.pk: each.parent for each in incidents if each.parent is not None}
    for each in shown.values():
        tell_update(incident=each, reason=reason, now=now)


def _tell_over(incidents: list[Incident], reason: str, now: datetime) -> None:
    """Whoever was told of one of these hears that it is over; the root that goes on shows it."""
    for each in incidents:
        tell_resolved(incident=each, reason=reason, now=now)
    last = incidents[-1]
    if last.parent is not None:
        _show([last.parent], reason, now)
