"""Which sources begin with what their parent knows, so that each time they begin the same way."""

import logging
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models.signals import post_save
from msgspec.structs import replace

from detection.clock import minute_of
from detection.models import Baseline
from detection.scoring.inheriting import has_season, inherit, inherited_days
from detection.scoring.state import State
from detection.selectors import baselines
from detection.services.storing import drop_learned
from detection.services.watch import watch
from detection.services.watched import Watched, unread
from ingest import steady_clock
from ingest.models import Source

logger = logging.getLogger(__name__)


def connect() -> None:
    """A source without days of its own begins again when a parent is named for it."""
    post_save.connect(_saved, sender=Source, dispatch_uid="detection.parents")


def _saved(sender: Any, instance: Source, created: bool, **_: Any) -> None:
    if not created:
        begin_with_parent(instance)


def newborn(first: Mapping[int, int]) -> dict[int, State]:
    """First states of sources that begin now, where their parent has days to hand on.

    Parameters
    ----------
    first : mapping of int to int
        Source id -> its first minute [minutes since 1970-01-01 UTC].
    """
    states = as_born(list(first))
    parents: dict[int, int] = dict(
        Source.objects.filter(id__in=first.keys() - states.keys())
        .exclude(parent=None)
        .order_by()
        .values_list("id", "parent_id")
    )
    known = watch.get(set(parents.values())) if parents else {}
    for child, parent in parents.items():
        if has_season(known[parent].state)[0]:
            states[child] = inherit(known[parent].state, np.array([first[child]]))
    return states


def as_born(source_ids: Collection[int]) -> dict[int, State]:
    """The states with which sources once began, for those that inherited one."""
    kept = Baseline.objects.filter(source_id__in=source_ids).order_by()
    states = {}
    for source_id, blob in kept.values_list("source_id", "inherited"):
        if blob is None:
            continue
        try:
            states[source_id] = State.unpack([bytes(blob)])
        except ValueError as error:
            # Written by another release: it inherits once more.
            logger.warning("What source %s inherited is taken anew: %s", source_id, error)
    return states


def beginnings(source_ids: Sequence[int], not_before: int = 0) -> dict[int, Watched]:
    """Each source just before its first count, as it was born.

    A source whose first count lies before `not_before` begins there instead, and knows nothing.
    """
    found = baselines.first_minutes(source_ids)
    first = {source_id: minute_of(moment) for source_id, moment in found.items()}
    states = as_born([source_id for source_id, minute in first.items() if minute >= not_before])
    return {
        source_id: replace(
            unread(source_id),
            state=states.get(source_id, unread(source_id).state),
            through=max(minute, not_before) - 1,
        )
        for source_id, minute in first.items()
    }


def begin_with_parent(source: Source) -> bool:
    """A source that knows no days of its own yet begins again, with what its parent knows.

    All its minutes are judged again by the next sweep. False when there is nothing to gain: it
    has days of its own or its parent's already, or the parent knows none either.
    """
    if source.parent_id is None or not _is_young(source.pk):
        return False
    if not has_season(watch.get([source.parent_id], fresh=0)[source.parent_id].state)[0]:
        return False
    with transaction.atomic():
        drop_learned(source_ids=[source.pk], now=steady_clock.now(), through=None, inherited=None)
    return True


def _is_young(source_id: int) -> bool:
    known = watch.get([source_id], fresh=0)[source_id]
    state = known.state
    return known.through >= 0 and not has_season(state)[0] and not inherited_days(state).any()
