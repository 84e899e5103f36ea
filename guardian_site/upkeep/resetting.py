"""POST /reset: clears what was learned of one source or all, and resolves open incidents."""

from dataclasses import dataclass
from datetime import datetime

from auditlog.models import LogEntry
from django.db import transaction

from alerts.lifecycle import ONGOING
from alerts.models import Incident
from alerts.services.triage import resolve
from detection.services.forgetting import forget_learned
from ingest.models import Source
from ingest.repeats.answers import forget_all_answers

WHY = "reset: learned state and open anomalies were cleared"


@dataclass(frozen=True)
class Cleared:
    """What a reset did."""

    sources: int
    baselines: int
    anomalies: int
    incidents: int


def reset_learning(*, source: Source | None, actor: str, now: datetime) -> Cleared:
    """The source (None: every one) learns afresh, and its open incidents are resolved.

    The audit log says so. Counts, history, keys, limits and sessions are untouched.
    """
    sources = [source] if source is not None else list(Source.objects.all())
    ids = [one.pk for one in sources]
    with transaction.atomic():
        baselines, anomalies = forget_learned(source_ids=ids, now=now)
        incidents = _resolve_open(ids, actor, now)
        for one in sources:
            LogEntry.objects.log_create(
                one,
                force_log=True,
                action=LogEntry.Action.UPDATE,
                changes={"learned state": ["kept", "cleared by reset"]},
            )
    forget_all_answers()
    return Cleared(len(sources), baselines, anomalies, incidents)


def _resolve_open(source_ids: list[int], actor: str, now: datetime) -> int:
    # A part is resolved together with its parent.
    rows = Incident.objects.filter(source_id__in=source_ids, state__in=sorted(ONGOING))
    done = 0
    for pk in list(rows.order_by("-parent_id", "pk").values_list("pk", flat=True)):
        if Incident.objects.filter(pk=pk, state__in=sorted(ONGOING)).exists():
            resolve(incident_id=pk, actor=actor, via="api", now=now, why=WHY)
            done += 1
    return done
