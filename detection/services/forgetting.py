"""Starting to learn again, because what was learned is no longer wanted."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from detection.models import Anomaly, Baseline, Checkpoint
from detection.services.provisional import stored
from detection.services.replaying import heads
from detection.services.storing import drop_learned
from detection.services.watch import watch


@transaction.atomic
def forget_learned(*, source_ids: Collection[int], now: datetime) -> tuple[int, int]:
    """The sources learn from their present minute on, and what waits for an incident does not.

    Counts, verdicts and incidents stay as they are. How many sources had learned something and
    how many anomalies were withdrawn is returned.
    """
    forgotten = drop_learned(source_ids=source_ids, now=now, inherited=None)
    Checkpoint.objects.bulk_create(
        Checkpoint(
            source_id=row.source_id,
            through=row.through,
            reported=row.reported,
            state=bytes(row.state),
        )
        for row in Baseline.objects.filter(source_id__in=source_ids)
        if row.through is not None
    )
    withdrawn = Anomaly.objects.filter(
        source_id__in=source_ids, absorbed=None, withdrawn=None
    ).update(withdrawn=now)
    forget_memory()
    return forgotten, withdrawn


def forget_memory() -> None:
    """This process trusts nothing it knows of any source, and reads it afresh."""
    watch.forget()
    heads.forget()
    stored.forget()
