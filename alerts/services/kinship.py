"""Incidents with one cause hang together under one root; only the root is told."""

from dataclasses import dataclass
from datetime import datetime

from alerts import conf
from alerts.lifecycle import ONGOING, Action, State
from alerts.models import Incident, IncidentEvent
from alerts.policy import LOW_FAMILIES, WAVE, Kin, is_another, relation, worse
from alerts.selectors.kinship import alone_in_wave, is_part_of_wave, locked, possible_kin
from alerts.selectors.standing import newest_report, ongoing_like, standing_of
from alerts.selectors.suppression import suppression_of
from alerts.services.announcing import announce, tell_or_hold
from alerts.services.telling import forget_joined, tell_update
from alerts.services.timeline import move, note


def link_to_root(*, incident: Incident, now: datetime) -> list[int]:
    """The new incident hangs under the ongoing one it belongs to, if there is one."""
    new = _new_of(incident)
    found = _root_for(new, now)
    if found is None:
        return []
    root, reason = found
    written = _link(incident, root, reason, now)
    if reason == WAVE and suppression_of(root, now=now) is None:
        root = locked(root.pk)  # as grave as its new part by now
        for other in alone_in_wave(incident).exclude(pk=root.pk):
            other.children.update(parent=root)
            written += _link(other, root, reason, now)
            forget_joined(incident=other, root=root, reason=f"{reason}: #{root.pk}")
    return written


def _link(part: Incident, root: Incident, reason: str, now: datetime) -> list[int]:
    part.parent = root
    part.save(update_fields=["parent"])
    note(incident=part, kind=IncidentEvent.Kind.LINKED, at=now, why=f"{reason}: #{root.pk}")
    # Who sees the root need not see this source: its name is found behind the number.
    named = f"#{part.pk} {part.get_family_display()}: {reason}"
    note(incident=root, kind=IncidentEvent.Kind.LINKED, at=now, why=named)
    return raise_root(child=part, now=now, reason=named)


def raise_root(*, child: Incident, now: datetime, reason: str) -> list[int]:
    """The root of a group is ongoing and at least as grave as each of its parts.

    Where nobody may be told that of the root, a part of which they may be told leaves it. So does
    one that comes back by itself long after the root was over: that is not back.
    """
    root = _root_of(child, now)
    by_itself = child.state != State.MERGED and child.reopened_by_hand is None
    if by_itself and is_another(child.last_anomaly, standing_of(root), conf.rules()):
        _set_apart(child, f"comes back without #{root.pk}, which is over", now)
        return link_to_root(incident=child, now=now)
    news = root.announced is None or not root.ongoing or worse(child.level, than=root.level)
    if news and child.state != State.MERGED and (held := _holds_back(root, child, now)):
        return _leave(child, root, held, now)
    kind = "updated"
    if root.state not in ONGOING:
        kind = "reopened"
        move(incident=root, action=Action.REOPEN, at=now, why=reason)
    if worse(child.level, than=root.level):
        kind = "escalated"
        root.level = child.level
        move(incident=root, action=Action.RAISE, at=now, why=f"as grave as #{child.pk}")
    if root.announced is None:
        return announce(incident=root, now=now)
    if kind == "updated":
        return tell_update(incident=root, reason=reason, now=now)
    return tell_or_hold(incident=root, kind=kind, reason=reason, now=now)


def _root_of(part: Incident, now: datetime) -> Incident:
    """Return the root of a part; of one that is over, what goes on of its kind takes its place."""
    assert part.parent is not None
    root = locked(part.parent.pk)
    again = None if root.ongoing else ongoing_like(root)
    if again is None:
        return root
    part.parent = locked(again.parent_id or again.pk)
    part.save(update_fields=["parent"])
    why = f"what was #{root.pk} goes on as #{part.parent.pk}"
    note(incident=part, kind=IncidentEvent.Kind.LINKED, at=now, why=why)
    return part.parent


def _holds_back(root: Incident, part: Incident, now: datetime) -> str | None:
    """Return what keeps the root from being told where nothing keeps the part; else None."""
    held = suppression_of(root, now=now)
    return held if held and suppression_of(part, now=now) is None else None


def _leave(part: Incident, root: Incident, held: str, now: datetime) -> list[int]:
    _set_apart(part, f"tells for itself, as nobody may be told of #{root.pk}: {held}", now)
    return announce(incident=part, now=now)


def _set_apart(part: Incident, why: str, now: datetime) -> None:
    part.parent = None
    part.save(update_fields=["parent"])
    note(incident=part, kind=IncidentEvent.Kind.LINKED, at=now, why=why)


@dataclass(frozen=True)
class _New:
    """An incident that looks for its root, and what is asked about it once."""

    incident: Incident
    kin: Kin
    last_heard: datetime | None
    wave: bool

    def relation_to(self, other: Incident) -> str | None:
        return relation(
            self.kin, kin_of(other), conf.rules(), last_heard=self.last_heard, wave=self.wave
        )


def _new_of(incident: Incident) -> _New:
    low = incident.family in LOW_FAMILIES
    return _New(
        incident, kin_of(incident), newest_report() if low else None, is_part_of_wave(incident)
    )


def _root_for(new: _New, now: datetime) -> tuple[Incident, str] | None:
    related = [(new.relation_to(one), one) for one in possible_kin(new.incident, wave=new.wave)]
    # Whom it is akin to explains more than who else began then.
    for reason, other in sorted(related, key=lambda found: found[0] == WAVE):
        if reason is None:
            continue
        root = other if other.parent_id is None else locked(other.parent_id)
        if not root.ongoing:
            continue
        # Who silenced what they were told of needs no message about what is no worse, but a
        # silence of one source says nothing of all the others in a wave.
        told = root.announced is not None and not worse(new.incident.level, than=root.level)
        known = told and reason != WAVE
        if known or not _holds_back(root, new.incident, now):
            return root, reason
    return None


def kin_of(incident: Incident) -> Kin:
    """Return what the policy needs to tell whether incidents belong together."""
    return Kin(
        source=incident.source_id,
        source_parent=incident.source.parent_id,
        family=incident.family,
        level=incident.level,
        onset=incident.onset,
        first_anomaly=incident.first_anomaly,
        returned=_returned(incident),
        last_anomaly=incident.last_anomaly,
        direction=incident.direction,
    )


def _returned(incident: Incident) -> datetime | None:
    if not incident.reopened:
        return None
    back = incident.events.filter(kind=IncidentEvent.Kind.REOPENED)
    return back.order_by("id").values_list("at", flat=True).last()
