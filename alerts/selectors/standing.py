"""What is known of the incidents an anomaly may belong to."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta

from django.db.models import Case, Max, OuterRef, Q, QuerySet, Subquery, When

from alerts.lifecycle import ONGOING, State
from alerts.models import Incident
from alerts.policy import Standing
from alerts.selectors.extent import minutes_known
from alerts.selectors.together import ids_together
from detection.models import Anomaly, Band
from ingest.models import Source


def latest_incident(anomaly: Anomaly, direction: str) -> Incident | None:
    """Return the incident of the anomaly's source, family and direction, locked: the ongoing one.

    Where none is, the latest. One that somebody reopened may be older than others.
    """
    ongoing = Q(state__in=ONGOING)
    mine = _same_kind(anomaly, direction).filter(ongoing | Q(historical=False))
    over = Case(When(ongoing, then=0), default=1)
    return mine.order_by(over, "-last_anomaly", "-id").first()


def past_incident(anomaly: Anomaly, direction: str, reach: timedelta) -> Incident | None:
    """Return the incident that a past minute lies in or next to, locked."""
    return (
        _same_kind(anomaly, direction)
        .exclude(state=State.MERGED)
        .filter(first_anomaly__lte=anomaly.minute + reach, last_anomaly__gte=anomaly.minute - reach)
        .order_by("historical", "-last_anomaly")
        .first()
    )


def just_recorded(anomaly: Anomaly, direction: str, reach: timedelta) -> Incident | None:
    """Return what was recorded of past minutes next before the anomaly, locked, if untouched."""
    mine = _same_kind(anomaly, direction).filter(historical=True, state=State.RESOLVED)
    near = mine.filter(last_anomaly__gte=anomaly.minute - reach, resolved_by="")
    return near.order_by("-last_anomaly").first()


def _same_kind(anomaly: Anomaly, direction: str) -> QuerySet[Incident]:
    return (
        Incident.objects.select_for_update(of=("self",))
        .select_related("source", "parent")
        .filter(source=anomaly.source_id, family=anomaly.family, direction=direction, key="")
    )


def ongoing_like(incident: Incident) -> Incident | None:
    """Return the ongoing incident of the same kind, of which there is one at most."""
    return Incident.objects.filter(
        source=incident.source_id,
        family=incident.family,
        direction=incident.direction,
        key=incident.key,
        state__in=ONGOING,
    ).first()


def standing_of(incident: Incident) -> Standing:
    """Return what the policy needs to know of an incident when one more anomaly comes.

    What was merged itself has its own minutes and stands as its target does. What was merged into
    one that is over counts with it; while it goes on it does not matter when that was last bad.
    """
    return _standing(incident, incident.last_anomaly if incident.ongoing else _last(incident))


def standing_to_its_end(incident: Incident) -> Standing:
    """Return what the policy needs to know to tell whether an ongoing incident is over."""
    return _standing(incident, _last(incident))


def _last(incident: Incident) -> datetime:
    """Return the last bad minute of the incident and of what was merged into it."""
    merged = incident.children.filter(state=State.MERGED).aggregate(last=Max("last_anomaly"))
    return max(incident.last_anomaly, merged["last"] or incident.last_anomaly)


def _standing(incident: Incident, last_anomaly: datetime) -> Standing:
    stands = incident.parent if incident.state == State.MERGED else incident
    stands = stands or incident
    return Standing(
        state=stands.state,
        level=incident.level,
        first_anomaly=incident.first_anomaly,
        last_anomaly=last_anomaly,
        resolved=stands.resolved,
        by_hand=bool(stands.resolved_by),
        false_positive=stands.label == Incident.Label.FALSE_POSITIVE,
        reopened=stands.reopened,
        reopened_by_hand=stands.reopened_by_hand,
    )


def ongoing_by_family(sources: Collection[int]) -> dict[int, dict[str, int]]:
    """Return source -> family -> the ongoing incident: of a part, the whole that is told."""
    rows = Incident.objects.filter(source__in=sources, state__in=ONGOING, key="").order_by("-id")
    found: dict[int, dict[str, int]] = defaultdict(dict)
    for source, family, number, whole in rows.values_list("source_id", "family", "pk", "parent_id"):
        found[source][family] = whole or number
    return dict(found)


def last_bad_minute(incident: Incident) -> datetime | None:
    """Return the last minute of the incident that was not withdrawn; None if all of them were."""
    last: datetime | None = Anomaly.objects.filter(
        source=incident.source_id,
        family=incident.family,
        minute__range=(incident.first_anomaly, incident.last_anomaly),
        withdrawn=None,
    ).aggregate(last=Max("minute"))["last"]
    return last


def is_taken_back(incident: Incident) -> bool:
    """Say whether late counts have shown of every minute of the incident that it was none."""
    found = Anomaly.objects.filter(
        source=incident.source_id,
        family=incident.family,
        minute__range=(incident.first_anomaly, incident.last_anomaly),
    )
    if incident.reopened_by_hand is not None or found.filter(withdrawn=None).exists():
        return False
    return found.exists() and not incident.children.filter(state=State.MERGED).exists()


def judged_through(sources: Collection[int]) -> dict[int, datetime | None]:
    """Return the last minute of each source that detection has judged; None if there is none."""
    bands = Band.objects.filter(source=OuterRef("pk")).order_by("-minute")
    rows = Source.objects.filter(pk__in=sources).values_list(
        "pk", Subquery(bands.values("minute")[:1]), "baseline__through"
    )
    return {
        source: max((minute for minute in (judged, learned) if minute is not None), default=None)
        for source, judged, learned in rows
    }


def newest_report() -> datetime | None:
    """Return the newest minute that any watched source reported; None if none ever did."""
    watched = Source.objects.filter(enabled=True).exclude(name=Source.CANARY)
    return minutes_known(ids_together(watched)).newest
