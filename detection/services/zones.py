"""A source whose time zone is corrected has other days: what is normal is learned anew."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models.signals import post_save, pre_save

from detection.clock import minute_of, moment_of
from detection.scoring.state import HISTORY_DAYS
from detection.selectors.baselines import first_minutes
from detection.services.storing import drop_learned
from ingest import steady_clock
from ingest.models import Source

# What is normal rests on so many days.
RELEARNED = timedelta(days=HISTORY_DAYS)


def connect() -> None:
    """A day that was learned by another clock would be off by hours, for weeks."""
    pre_save.connect(_saving, sender=Source, dispatch_uid="detection.zones.saving")
    post_save.connect(_saved, sender=Source, dispatch_uid="detection.zones.saved")


def _saving(sender: Any, instance: Any, **_: Any) -> None:
    stored = Source.objects.filter(pk=instance.pk).values_list("time_zone", flat=True)
    instance.zone_before = stored.first()


def _saved(sender: Any, instance: Any, created: bool, **_: Any) -> None:
    if not created and instance.zone_before != instance.time_zone:
        begin_again(instance, now=steady_clock.now())


def begin_again(source: Source, *, now: datetime) -> None:
    """The minutes of the last weeks are judged again by the next sweeps, and nothing else known."""
    begin = moment_of(minute_of(now - RELEARNED))
    first = first_minutes([source.pk]).get(source.pk)
    with transaction.atomic():
        drop_learned(
            source_ids=[source.pk],
            now=now,
            through=begin if first is not None and first <= begin else None,
            reported=None,
            # Until it has caught up it is no sign that detection is late.
            live=False,
        )
