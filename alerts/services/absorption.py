"""Takes anomalies from detection's queue into incidents."""

import logging
from datetime import datetime, timedelta

from django.db import DatabaseError
from django.db.models import Count, Subquery
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce

from alerts import conf
from alerts.lifecycle import Action, State
from alerts.models import Incident, IncidentEvent
from alerts.policy import (
    EXPLAINS_FIRST,
    MINUTE,
    Decision,
    Finding,
    Step,
    decide,
    direction_of,
    quiet_needed,
    worse,
)
from alerts.selectors.costs import cost_before, cost_of
from alerts.selectors.standing import just_recorded, latest_incident, past_incident, standing_of
from alerts.services.announcing import announce, tell_or_hold
from alerts.services.canary import advance_canaries
from alerts.services.channels import sync_builtin_channels
from alerts.services.kinship import link_to_root, raise_root
from alerts.services.settling import settle_incidents, settle_source
from alerts.services.timeline import note, stir
from alerts.services.turns import turn
from detection.models import Anomaly
from ingest.models import Source

logger = logging.getLogger(__name__)
# What one more minute may change in an incident that people decide nothing about.
TAKEN_IN = (
    *("first_anomaly", "last_anomaly", "onset", "anomaly_count", "level", "resolved"),
    *("excess", "excess_low", "excess_high", "peak_score", "status", "auth_code"),
    *("seen", "expected", "lower", "upper", "violations", "reasons", "contributions"),
    *("owner", "recommendation"),
)


def absorb_anomalies(*, now: datetime) -> list[int]:
    """Every waiting anomaly belongs to an incident, and the outbox says what people must hear.

    Returns
    -------
    list of int
        The notifications that were written.

    Raises
    ------
    Exception
        What is wrong with a source, where it is a fault of ours, once all else is done.
    """
    sync_builtin_channels()
    written: list[int] = []
    fault: Exception | None = None
    canary = Source.objects.filter(name=Source.CANARY).values_list("pk", flat=True).first()
    for source in waiting_sources():
        try:
            written += _absorb_source(source, now, watched=source != canary)
        except DatabaseError:
            # Rolled back as a whole: the anomalies still wait, the other sources go on.
            logger.exception("anomalies of source %s not absorbed", source)
        except Exception as error:
            logger.exception("anomalies of source %s not absorbed", source)
            fault = error
    written += settle_incidents(now=now)
    written += advance_canaries(now=now)
    if fault is not None:
        # The database comes back by itself; this does not, and a task that fails is seen.
        raise fault
    return written


def waiting_sources() -> list[int]:
    """Return the sources with anomalies in the queue."""
    waiting = Anomaly.objects.filter(absorbed=None, provisional=False).order_by()
    return list(waiting.values_list("source_id", flat=True).distinct())


def _absorb_source(source: int, now: datetime, *, watched: bool = True) -> list[int]:
    written: list[int] = []
    with turn("absorb") as mine:
        if not mine:
            return []
        reached = None
        claimed = _claim(source, now)
        # The canary has no customers: whatever is odd about it is about us, and watched elsewhere.
        for anomaly in claimed if watched else ():
            if not anomaly.past and anomaly.minute != reached:
                reached = anomaly.minute
                written += settle_source(source=source, before=reached, now=now)
            written += _absorb(anomaly, now)
    return written


def _claim(source: int, now: datetime) -> list[Anomaly]:
    waiting = (
        Anomaly.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("source__parent")
        .filter(source=source, absorbed=None, provisional=False)
        .order_by("minute", "id")[: conf.BATCH]
    )
    claimed = list(waiting)
    Anomaly.objects.filter(pk__in=[a.pk for a in claimed], absorbed=None).update(absorbed=now)
    claimed.sort(key=lambda one: (one.minute, EXPLAINS_FIRST.index(one.family), one.pk))
    # Late data may have withdrawn an anomaly before it was absorbed.
    return [anomaly for anomaly in claimed if anomaly.withdrawn is None]


def _absorb(anomaly: Anomaly, now: datetime) -> list[int]:
    rules = conf.rules()
    direction = direction_of(anomaly.family, anomaly.excess_high)
    finding = Finding(anomaly.minute, anomaly.level, anomaly.past)
    if anomaly.past:
        reach = quiet_needed(0, rules) * MINUTE
        incident = past_incident(anomaly, direction, reach)
    else:
        incident = latest_incident(anomaly, direction)
    standing = standing_of(incident) if incident else None
    decision = decide(finding, standing, now=now, rules=rules)
    return _apply(decision, anomaly, incident, direction, now)


def _apply(
    decision: Decision, anomaly: Anomaly, incident: Incident | None, direction: str, now: datetime
) -> list[int]:
    if incident is None or decision.step in (Step.OPEN, Step.RECORD):
        past = decision.step is Step.RECORD
        reach = quiet_needed(0, conf.rules()) * MINUTE
        if not past and (begun := just_recorded(anomaly, direction, reach)):
            return _go_on(begun, anomaly, decision.reason, now)
        return _open(anomaly, direction, decision.reason, now, historical=past)
    _take_in(incident, anomaly)
    if decision.step is Step.REOPEN:
        return _reopen(incident, anomaly, decision.reason, now)
    if decision.step is Step.RAISE:
        return _raise(incident, anomaly, decision.reason, now)
    _keep(incident)
    return []


def _open(
    anomaly: Anomaly, direction: str, reason: str, now: datetime, *, historical: bool
) -> list[int]:
    begin = anomaly.minute
    incident = Incident(
        source=anomaly.source,
        family=anomaly.family,
        direction=direction,
        level=anomaly.level,
        onset=min(anomaly.onset or begin, begin),
        detected=anomaly.detected,
        opened=anomaly.detected if historical else now,
        first_anomaly=begin,
        last_anomaly=begin,
        historical=historical,
        peak_score=-1.0,
    )
    _take_in(incident, anomaly)
    kind = IncidentEvent.Kind.OPENED
    if historical:
        kind = IncidentEvent.Kind.RECORDED
        incident.state = "resolved"
    incident.save()
    note(incident=incident, kind=kind, at=now, why=reason, states=("", incident.state))
    if historical:
        return []
    return link_to_root(incident=incident, now=now) + announce(incident=incident, now=now)


def _go_on(incident: Incident, anomaly: Anomaly, reason: str, now: datetime) -> list[int]:
    """An incident recorded of past minutes goes on now: it is opened, and people are called."""
    before = incident.state
    incident.historical, incident.state = False, State.OPEN
    incident.opened, incident.resolved = now, None
    _take_in(incident, anomaly)
    if worse(anomaly.level, than=incident.level):
        incident.level = anomaly.level
    incident.save()
    kind = IncidentEvent.Kind.OPENED
    note(incident=incident, kind=kind, at=now, why=reason, states=(before, incident.state))
    return link_to_root(incident=incident, now=now) + announce(incident=incident, now=now)


def _reopen(incident: Incident, anomaly: Anomaly, reason: str, now: datetime) -> list[int]:
    incident.level = anomaly.level
    stir(incident=incident, action=Action.REOPEN, at=now, why=reason)
    written = raise_root(child=incident, now=now, reason=reason) if incident.parent_id else []
    return written + tell_or_hold(incident=incident, kind="reopened", reason=reason, now=now)


def _raise(incident: Incident, anomaly: Anomaly, reason: str, now: datetime) -> list[int]:
    incident.level = anomaly.level
    stir(incident=incident, action=Action.RAISE, at=now, why=reason)
    written = raise_root(child=incident, now=now, reason=reason) if incident.parent_id else []
    if incident.announced is None:
        return written + announce(incident=incident, now=now)
    return written + tell_or_hold(incident=incident, kind="escalated", reason=reason, now=now)


def _keep(incident: Incident) -> None:
    """What a minute more has changed is stored: no decision, of which the audit log would ask."""
    known = {name: getattr(incident, name) for name in TAKEN_IN}
    Incident.objects.filter(pk=incident.pk).update(**known)


def _take_in(incident: Incident, anomaly: Anomaly) -> None:
    if anomaly.excess is not None and anomaly.minute >= incident.last_anomaly:
        _take_in_cost(incident, anomaly)
    incident.first_anomaly = min(incident.first_anomaly, anomaly.minute)
    incident.last_anomaly = max(incident.last_anomaly, anomaly.minute)
    incident.onset = min(incident.onset, incident.first_anomaly)
    if incident.pk is not None:
        incident.anomaly_count = _bad_minutes(incident)
    if _is_worse(anomaly, incident):
        _remember_peak(incident, anomaly)
    if incident.historical:
        incident.resolved = incident.last_anomaly + timedelta(minutes=1)
        # Nobody was told of it at another level, so it is as grave as its worst minute.
        if worse(anomaly.level, than=incident.level):
            incident.level = anomaly.level


def _take_in_cost(incident: Incident, anomaly: Anomaly) -> None:
    """The incident has cost what its earlier runs cost and what this anomaly counts so far.

    An anomaly of another status or code that counts less leaves the cost as it is: the status
    that cost more is back to normal before it. So does a late minute in between.
    """
    cost = cost_before(incident, anomaly) + cost_of(anomaly)
    same = (anomaly.status, anomaly.auth_code) == (incident.status, incident.auth_code)
    if same or incident.excess is None or abs(cost.excess) >= abs(incident.excess):
        incident.excess, incident.excess_low, incident.excess_high = (
            cost.excess,
            cost.low,
            cost.high,
        )


def _is_worse(anomaly: Anomaly, incident: Incident) -> bool:
    """Compare by score; scores end at 1, so among equals by the distance from normal."""
    if anomaly.score != incident.peak_score:
        return anomaly.score > incident.peak_score
    away = anomaly.count - (anomaly.expected or 0.0)
    worst = incident.seen - (incident.expected or 0.0)
    if incident.direction == Incident.Direction.SHIFT:
        return abs(away) >= abs(worst)
    # In a rise a minute without transactions is not the worst, however many were expected.
    return away >= worst if incident.direction == Incident.Direction.HIGH else away <= worst


def _bad_minutes(incident: Incident) -> Combinable:
    """Return what the database counts when the incident is stored."""
    found = Anomaly.objects.filter(
        source=incident.source_id,
        family=incident.family,
        minute__range=(incident.first_anomaly, incident.last_anomaly),
        withdrawn=None,
    )
    counted = found.order_by().values("family").annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted), 1)


def _remember_peak(incident: Incident, anomaly: Anomaly) -> None:
    incident.peak_score = anomaly.score
    incident.status, incident.auth_code = anomaly.status, anomaly.auth_code
    incident.seen, incident.expected = anomaly.count, anomaly.expected
    incident.lower, incident.upper = anomaly.lower, anomaly.upper
    incident.violations, incident.reasons = anomaly.violations, anomaly.reasons
    incident.contributions = anomaly.contributions
    incident.owner = anomaly.owner
    incident.recommendation = anomaly.recommendation
