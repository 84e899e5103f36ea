"""Work that only one worker may do at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from alerts.models import Turn


@contextmanager
def turn(work: str, *, waits: bool = False) -> Iterator[bool]:
    """Inside, True means that this is the only worker at `work` until the transaction ends.

    False means that another has it: there is nothing to do, its result will be the same. Who has
    work that is its own alone `waits` until the other has ended.
    """
    with transaction.atomic():
        free = Turn.objects.select_for_update(skip_locked=not waits).filter(work=work)
        mine = free.exists()
        if not mine:
            # Another has it, or nobody has ever done this work and there is no row to hold.
            _row, made = Turn.objects.get_or_create(work=work)
            mine = (made or waits) and free.exists()
        yield mine


def lease_turn(work: str, *, now: datetime, length: timedelta) -> Turn | None:
    """The work is the caller's alone until the lease ends; None if another has it."""
    Turn.objects.get_or_create(work=work)
    free = Turn.objects.filter(Q(leased_until=None) | Q(leased_until__lte=now), work=work)
    if not free.update(leased_until=now + length):
        return None
    return Turn.objects.get(work=work)


def advance_turn(turn: Turn, *, position: int) -> None:
    """The work is known to have come so far."""
    Turn.objects.filter(work=turn.work).update(position=position)


def release_turn(turn: Turn) -> None:
    """Anybody may take the work up."""
    Turn.objects.filter(work=turn.work, leased_until=turn.leased_until).update(leased_until=None)
