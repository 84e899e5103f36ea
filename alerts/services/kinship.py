"""Incidents with one cause hang together under one root; only the root is told."""

from datetime import datetime

from alerts import conf
from alerts.lifecycle import ONGOING, Action, State
from alerts.models import Incident, IncidentEvent
from alerts.policy import LOW_FAMILIES, WAVE, Kin, is_another, relation, worse
from alerts.selectors.kinship import (
    alone_in_wave,
    began_near,
    is_part_of_wave,
    locked,
    possible_kin,
    roots_of_wave,
)
from alerts.selectors.standing import newest_report, ongoing_like, standing_of
from alerts.selectors.suppression import Quiet
from alerts.services.announcing import announce, tell_or_hold
from alerts.services.telling import forget_joined, tell_update
from alerts.services.timeline import move, note


def link_to_root(*, incident: Incident, now: datetime) -> list[int]:
    """The new incident hangs under the ongoing one it belongs to, if there is one."""
    wave, quiet = is_part_of_wave(incident), Quiet(now)
    found = _root_for(incident, quiet) or (_root_of_wave(incident, quiet) if wave else None)
    if found is None:
        return []
    root, reason = found
    written = _link(incident, root, reason, now)
    return written + (_gather(incident, root.pk, quiet) if wave else [])


def _gather(incident: Incident, root_id: int, quiet: Quiet) -> list[int]:
    """Those of its wave that told for themselves, before there were enough, are told with it."""
    alone = list(alone_in_wave(incident).exclude(pk=root_id))
    if not alone:
        return []
    root, now = locked(root_id), quiet.now
    if not began_near(incident, root) or quiet.holding(root) is not None:
        return []
    written: list[int] = []
    for other in alone:
        other.children.update(parent=root)
        written += _link(other, root, WAVE, now)
        forget_joined(incident=other, root=root, reason=f"{WAVE}: #{root.pk}")
    return written


def _link(part: Incident, root: Incident, reason: str, now: datetime) -> list[int]:
    part.parent = root
    part.save(update_fields=["parent"])
    note(incident=part, kind=IncidentEvent.Kind.LINKED, at=now, why=f"{reason}: #{root.pk}")
    # Not everybody who sees the root may see this source, so the part is named by its number.
    named = f"#{part.pk} {part.get_family_display()}: {reason}"
    note(incident=root, kind=IncidentEvent.Kind.LINKED, at=now, why=named)
    return raise_root(child=part, now=now, reason=named)


def raise_root(*, child: Incident, now: datetime, reason: str) -> list[int]:
    """The root of a group is ongoing and at least as grave as each of its parts.

    A part leaves its root where only one of the two is held back, so that a silence of the root
    hides no part, and a part that is held back is not told by way of its root. It also leaves if it
    comes back by itself long after the root was over.
    """
    root = _root_of(child, now)
    by_itself = child.state != State.MERGED and child.reopened_by_hand is None
    if by_itself and is_another(child.last_anomaly, standing_of(root), conf.rules()):
        _set_apart(child, f"comes back without #{root.pk}, which is over", now)
        return link_to_root(incident=child, now=now)
    news = root.announced is None or not root.ongoing or worse(child.level, than=root.level)
    if news and child.state != State.MERGED and (why := _why_apart(root, child, now)):
        _set_apart(child, why, now)
        return announce(incident=child, now=now)
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
    """Return the root of a part; if it is over and its like goes on, that becomes the root."""
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


def _holds_back(root: Incident, part: Incident, quiet: Quiet) -> bool:
    """Say whether something keeps the root from being told, and nothing the part."""
    return quiet.holding(root) is not None and quiet.holding(part) is None


def _why_apart(root: Incident, part: Incident, now: datetime) -> str | None:
    """Return why news of the part is none of the root: one of them alone is held back."""
    quiet = Quiet(now)
    of_root, of_part = quiet.holding(root), quiet.holding(part)
    if of_root and of_part is None:
        return f"tells for itself, as nobody may be told of #{root.pk}: {of_root.reason}"
    if of_part and of_root is None:
        return f"stands apart from #{root.pk}, as nobody may be told of it: {of_part.reason}"
    return None


def _set_apart(part: Incident, why: str, now: datetime) -> None:
    part.parent = None
    part.save(update_fields=["parent"])
    note(incident=part, kind=IncidentEvent.Kind.LINKED, at=now, why=why)


def _root_for(incident: Incident, quiet: Quiet) -> tuple[Incident, str] | None:
    last_heard = newest_report() if incident.family in LOW_FAMILIES else None
    for other in possible_kin(incident):
        kin = kin_of(incident), kin_of(other)
        reason = relation(*kin, conf.rules(), last_heard=last_heard)
        root = other.parent or other
        if reason is None or not root.ongoing:
            continue
        # Somebody who was told of the root, and silenced it, need not hear of what is no worse.
        known = root.announced is not None and not worse(incident.level, than=root.level)
        if known or not _holds_back(root, incident, quiet):
            return root, reason
    return None


def _root_of_wave(incident: Incident, quiet: Quiet) -> tuple[Incident, str] | None:
    for root in roots_of_wave(incident):
        # A silence of one source says nothing of all the others.
        if not _holds_back(root, incident, quiet):
            return root, WAVE
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
    )


def _returned(incident: Incident) -> datetime | None:
    if not incident.reopened:
        return None
    back = incident.events.filter(kind=IncidentEvent.Kind.REOPENED)
    return back.order_by("id").values_list("at", flat=True).last()
