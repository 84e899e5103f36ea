"""Work that only one worker may do at a time."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

from alerts.models import Turn


@contextmanager
def turn(work: str) -> Iterator[bool]:
    """Inside, True means that this is the only worker at `work` until the transaction ends.

    False means that another has it: there is nothing to do, its result will be the same.
    """
    Turn.objects.get_or_create(work=work)
    with transaction.atomic():
        yield Turn.objects.select_for_update(skip_locked=True).filter(work=work).exists()
