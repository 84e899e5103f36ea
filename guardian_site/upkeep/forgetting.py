"""Deletes a source with everything: what it reported, what was made of that, and its keys."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from auditlog.context import disable_auditlog
from auditlog.models import LogEntry
from django.db import connection, transaction
from django.db.models import Model

from alerts.models import Incident
from detection.models import Anomaly, Band
from detection.services.forgetting import forget_memory
from ingest.models import MinuteCount, Report, Source, Transaction
from ingest.recording.holding import hold_recordings
from ingest.repeats.answers import forget_all_answers
from ingest.services import forget_keys, forget_sources
from ingest.timescale.aggregates import forget_sums

# Rows of one statement, so that a large source does not hold a lock for long.
ROWS_AT_ONCE = 5_000
REPORTED: tuple[type[Model], ...] = (Report, Transaction, MinuteCount)
JUDGED: tuple[type[Model], ...] = (Band, Anomaly)


def rows_of(source: Source) -> dict[str, int]:
    """Return how many rows of each kind a source has."""
    return {name: rows.count() for name, rows in _tables(source)}


def forget_source(*, source: Source, by: str, now: datetime) -> dict[str, int]:
    """The source, its reports, verdicts, incidents and keys are gone; how many rows is returned.

    The audit log keeps who changed what of it, and that it was deleted; it holds no transaction.
    """
    counts = rows_of(source)
    # By key it can report no more from here on; what it has sent is deleted with it.
    source.api_keys.all().delete()
    for model in (*REPORTED, *JUDGED):
        _delete_all(model, source.pk)
    with transaction.atomic():
        entry = {"deleted": [str(counts), f"by {by} at {now.isoformat()}"]}
        LogEntry.objects.log_create(
            source, force_log=True, action=LogEntry.Action.DELETE, changes=entry
        )
        with disable_auditlog():
            Incident.objects.filter(source=source).delete()
            # Delete what arrived meanwhile; with recordings held, nothing more can.
            hold_recordings()
            for model in REPORTED:
                _delete_all(model, source.pk)
            forget_sums(source.pk)
            source.delete()
    forget_sources()
    forget_keys()
    forget_memory()
    forget_all_answers()
    return counts


def _tables(source: Source) -> Iterator[tuple[str, Any]]:
    counted: tuple[type[Model], ...] = (*REPORTED, Incident)
    for model in counted:
        yield str(model._meta.verbose_name_plural), model._default_manager.filter(source=source)
    yield "anomalies", source.anomalies.all()
    yield "API keys", source.api_keys.all()


def _delete_all(model: type[Model], source_id: int) -> None:
    rows = model._default_manager.filter(source_id=source_id)
    while ids := list(rows.order_by("pk").values_list("pk", flat=True)[:ROWS_AT_ONCE]):
        chosen = model._default_manager.filter(source_id=source_id, pk__in=ids)
        # Without signals and cascades: nothing refers to these rows.
        chosen._raw_delete(connection.alias)
