"""Incidents with one cause hang together under one root; only the root is told."""

from datetime import datetime

from django.db.models import Q, QuerySet

from alerts import conf
from alerts.lifecycle import ONGOING, Action, State
from alerts.models import Incident, IncidentEvent
from alerts.policy import LOW_FAMILIES, Kin, is_another, relation, worse
from alerts.selectors.standing import newest_report, ongoing_like, standing_of
from alerts.selectors.suppression import suppression_of
from alerts.services.announcing import announce, tell_or_hold
from alerts.services.telling import tell_update
from alerts.services.timeline import move, note


def link_to_root(*, incident: Incident, now: datetime) -> list[int]:
    """The new incident hangs under the ongoing one it belongs to, if there is one."""
    found = _root_for(incident, now)
    if found is None:
        return []
    root, reason = found
    incident.parent = root
    incident.save(update_fields=["parent"])
    note(incident=incident, kind=IncidentEvent.Kind.LINKED, at=now, why=f"{reason}: #{root.pk}")
    # Who sees the root need not see this source: its name is found behind the number.
    named = f"#{incident.pk} {incident.get_family_display()}: {reason}"
    note(incident=root, kind=IncidentEvent.Kind.LINKED, at=now, why=named)
    return raise_root(child=incident, now=now, reason=named)


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
    rows = Incident.objects.select_for_update(of=("self",)).select_related("source", "parent")
    root = rows.get(pk=part.parent.pk)
    again = None if root.ongoing else ongoing_like(root)
    if again is None:
        return root
    part.parent = rows.get(pk=again.parent_id or again.pk)
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


def _root_for(incident: Incident, now: datetime) -> tuple[Incident, str] | None:
    last_heard = newest_report() if incident.family in LOW_FAMILIES else None
    for other in _may_explain(incident):
        kin = kin_of(incident), kin_of(other)
        reason = relation(*kin, conf.rules(), last_heard=last_heard)
        if reason is None:
            continue
        root = other.parent or other
        # Who silenced what they were told of needs no message about what is no worse.
        known = root.announced is not None and not worse(incident.level, than=root.level)
        if known or not _holds_back(root, incident, now):
            return root, reason
    return None


def _may_explain(incident: Incident) -> QuerySet[Incident]:
    """Return what is ongoing: every root, and the parts that are of the incident's own source."""
    return (
        Incident.objects.select_for_update(of=("self",))
        .select_related("source", "parent__source")
        .filter(Q(parent=None) | Q(source=incident.source_id), state__in=ONGOING)
        .filter(historical=False, key="")
        .exclude(pk=incident.pk)
        .order_by("opened", "id")
    )


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
