"""Turns the alerts of an Alertmanager into incidents."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts import conf
from alerts.lifecycle import ONGOING, Action, State
from alerts.messages.phrases import ADVICE
from alerts.models import Incident, IncidentEvent
from alerts.models.incident import EXTERNAL
from alerts.policy import Standing, within_patience, worse
from alerts.selectors.standing import standing_of
from alerts.services.announcing import announce, tell_or_hold
from alerts.services.channels import sync_builtin_channels
from alerts.services.kinship import raise_root
from alerts.services.settling import resolve_quiet_incident
from alerts.services.timeline import note, stir
from alerts.services.turns import turn
from ingest.models import Source

SOURCE = VIA = "alertmanager"
OVER = "Alertmanager says it is over"
# What we pushed to Alertmanager ourselves must not come back as news.
OURS = "TransactionGuardianIncident"
GRAVE = frozenset({"critical", "page", "error", "emergency"})
ALERTS_AT_MOST = 500


@dataclass(frozen=True)
class ExternalAlert:
    """One alert of another system, valid."""

    name: str
    summary: str
    labels: dict[str, str]
    firing: bool
    started: datetime
    fingerprint: str = ""
    link: str = ""
    runbook: str = ""

    @property
    def key(self) -> str:
        """What tells it apart: its fingerprint, or its labels."""
        if self.fingerprint:
            return self.fingerprint[:64]
        return hashlib.sha256(json.dumps(self.labels, sort_keys=True).encode()).hexdigest()

    @property
    def level(self) -> str:
        return "CRITICAL" if self.labels.get("severity", "").lower() in GRAVE else "WARNING"


def take_external_alerts(*, alerts: Iterable[ExternalAlert], now: datetime) -> list[int]:
    """Each firing alert has one ongoing incident, each resolved one has none.

    Returns
    -------
    list of int
        The notifications that were written.
    """
    sync_builtin_channels()
    written: list[int] = []
    with turn("external", waits=True):
        for alert in alerts:
            if alert.name == OURS:
                continue
            written += _fire(alert, now) if alert.firing else _clear(alert, now)
    return written


def _source_of(alert: ExternalAlert) -> Source:
    known = Source.objects.filter(name=alert.labels.get("source", "")).first()
    if known is not None:
        return known
    # Not watched itself: it reports no transactions, and its silence means nothing.
    made, _created = Source.objects.get_or_create(
        name=SOURCE, defaults={"title": "Alertmanager", "enabled": False}
    )
    return made


def _latest(alert: ExternalAlert, source: Source) -> Incident | None:
    rows = Incident.objects.select_for_update(of=("self",)).select_related("source", "parent")
    found = rows.filter(source=source, family=EXTERNAL, key=alert.key)
    # One that somebody reopened goes on, though others were opened after it.
    return found.filter(state__in=ONGOING).first() or found.order_by("-opened", "-id").first()


def _fire(alert: ExternalAlert, now: datetime) -> list[int]:
    source = _source_of(alert)
    incident = _latest(alert, source)
    if incident is None:
        return _open(alert, source, now)
    standing = standing_of(incident)
    if standing.ongoing:
        return _goes_on(incident, alert, now)
    if _is_known(incident, standing, alert, now):
        return _take_in(incident, now)
    recent = timedelta(minutes=conf.rules().reopen_minutes)
    ended = standing.resolved
    if standing.state == State.RESOLVED and ended is not None and now - ended <= recent:
        return _reopen(incident, now)
    return _open(alert, source, now)


def _is_known(incident: Incident, standing: Standing, alert: ExternalAlert, now: datetime) -> bool:
    """Say whether somebody ended the incident knowing of this alert, of which this is a repeat."""
    ended = standing.resolved
    if ended is None or not standing.by_hand or worse(alert.level, than=incident.level):
        return False
    if standing.state != State.CLOSED:
        return within_patience(standing, now, conf.rules())
    said_over = incident.events.filter(kind=IncidentEvent.Kind.RESOLVED, who="", at__gte=ended)
    return alert.started <= ended and not said_over.exists()


def _take_in(incident: Incident, now: datetime) -> list[int]:
    incident.last_anomaly = max(incident.last_anomaly, now)
    incident.save(update_fields=["last_anomaly"])
    return []


def _goes_on(incident: Incident, alert: ExternalAlert, now: datetime) -> list[int]:
    if not worse(alert.level, than=incident.level):
        return _take_in(incident, now)
    incident.last_anomaly = max(incident.last_anomaly, now)
    incident.level = alert.level
    return _stir(incident, Action.RAISE, f"rose to {alert.level}", "escalated", now)


def _reopen(incident: Incident, now: datetime) -> list[int]:
    incident.last_anomaly = now
    return _stir(incident, Action.REOPEN, "the alert fires again", "reopened", now)


def _stir(incident: Incident, action: Action, reason: str, kind: str, now: datetime) -> list[int]:
    stir(incident=incident, action=action, at=now, via=VIA, why=reason)
    written = raise_root(child=incident, now=now, reason=reason) if incident.parent_id else []
    return written + tell_or_hold(incident=incident, kind=kind, reason=reason, now=now)


def _open(alert: ExternalAlert, source: Source, now: datetime) -> list[int]:
    began = min(alert.started, now)
    incident = Incident.objects.create(
        source=source,
        family=EXTERNAL,
        direction=Incident.Direction.HIGH,
        key=alert.key,
        title=alert.name[:200],
        level=alert.level,
        onset=began,
        detected=now,
        opened=now,
        first_anomaly=began,
        last_anomaly=now,
        peak_score=1.0,
        reasons=[alert.summary] if alert.summary else [],
        contributions=[{"label": name, "value": value} for name, value in alert.labels.items()],
        recommendation=_advice(alert)[:300],
    )
    note(
        incident=incident,
        kind=IncidentEvent.Kind.OPENED,
        at=now,
        via=VIA,
        why=f"alert {alert.name} fires",
        states=("", incident.state),
    )
    return announce(incident=incident, now=now)


def _advice(alert: ExternalAlert) -> str:
    address = alert.runbook or alert.link
    return ADVICE.say(address=address) if address else ""


def _clear(alert: ExternalAlert, now: datetime) -> list[int]:
    incident = _latest(alert, _source_of(alert))
    if incident is None or incident.state == State.RESOLVED:
        return []
    if not incident.ongoing:
        _note_over(incident, now)
        return []
    incident.last_anomaly = max(now - timedelta(minutes=1), incident.first_anomaly)
    return resolve_quiet_incident(incident=incident, at=now, why=OVER)


def _note_over(incident: Incident, now: datetime) -> None:
    """What somebody closed or merged is over where it came from; if it fires again, it is news."""
    last = incident.events.last()
    if last is None or last.why != OVER:
        note(incident=incident, kind=IncidentEvent.Kind.RESOLVED, at=now, via=VIA, why=OVER)
