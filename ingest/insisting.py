"""Work that the database undid to let another pass is done again."""

import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import OperationalError, connection

from ingest import metrics

Given = ParamSpec("Given")
Done = TypeVar("Done")
# A deadlock or a serialization failure undid everything: the same work may simply run again.
_AGAIN = frozenset({"40001", "40P01"})
_ATTEMPTS = 4
_PAUSE_SECONDS = 0.01


def insisting(work: Callable[Given, Done]) -> Callable[Given, Done]:
    """Return `work`, which is one transaction, done again where the database undid it."""

    @wraps(work)
    def done(*args: Given.args, **named: Given.kwargs) -> Done:
        for attempt in range(1, _ATTEMPTS):
            try:
                return work(*args, **named)
            except OperationalError as error:
                state = getattr(error.__cause__, "sqlstate", None)
                # Inside a transaction of the caller there is nothing left to run it in.
                if state not in _AGAIN or connection.in_atomic_block:
                    raise
                metrics.write_retries.inc()
                time.sleep(_PAUSE_SECONDS * attempt)
        return work(*args, **named)

    return done
