"""The forest in use, kept by each process; putting another in its place, and back."""

import logging
import threading
import time
from datetime import datetime

from django.db import transaction

from detection import metrics
from detection.models import ForestVersion
from detection.scoring.forest import Forest
from detection.selectors import forests

logger = logging.getLogger(__name__)
# How long a process may go on with the forest it knows after another was promoted [seconds].
TRUSTED_SECONDS = 10.0

_lock = threading.Lock()
_kept: tuple[float, int | None, Forest | None] = (float("-inf"), None, None)


def live_forest() -> Forest | None:
    """The promoted forest, None while there is none to read; at most TRUSTED_SECONDS old."""
    global _kept
    asked, number, forest = _kept
    if time.monotonic() - asked < TRUSTED_SECONDS:
        return forest
    with _lock:
        mark = forests.live_mark()
        if mark is None:
            number, forest = None, None
        elif mark[0] != number:
            number, forest = mark[0], readable_forest(ForestVersion.objects.get(pk=mark[0]))
            if forest is not None:
                metrics.FOREST_TRAINED.set(mark[1].timestamp())
        _kept = (time.monotonic(), number, forest)
    return forest


def live_number() -> int | None:
    """The number of the promoted forest; None while there is none to read."""
    return None if live_forest() is None else _kept[1]


def read_forest(version: ForestVersion) -> Forest:
    """The arrays of a stored version; ValueError says why they cannot be read."""
    try:
        return Forest.unpack(bytes(version.model))
    except ValueError as error:
        raise ValueError(f"Forest {version.pk} cannot be read: {error}") from None


def readable_forest(version: ForestVersion) -> Forest | None:
    """The same; None, and a line in the log, where they cannot be read."""
    try:
        return read_forest(version)
    except ValueError as error:
        logger.warning("%s; it is judged without it.", error)
        return None


def forget_forest() -> None:
    """The next call asks the database: for the process that has just promoted another."""
    global _kept
    _kept = (float("-inf"), None, None)


def promote_forest(*, number: int, now: datetime) -> ForestVersion:
    """The version is live, and the one before it is kept to go back to.

    Raises
    ------
    ValueError
        If it cannot be read; the one before it goes on.
    """
    with transaction.atomic():
        version = ForestVersion.objects.select_for_update().get(pk=number)
        read_forest(version)
        live = ForestVersion.objects.filter(state=ForestVersion.State.LIVE).exclude(pk=number)
        # Who puts an older one in its place goes back, by whatever way.
        live.filter(trained__gt=version.trained).update(rolled_back=now)
        live.update(state=ForestVersion.State.RETIRED)
        version.state = ForestVersion.State.LIVE
        version.promoted = now
        version.save(update_fields=["state", "promoted"])
    forget_forest()
    return version


def roll_back_forest(*, now: datetime) -> ForestVersion | None:
    """The forest that served before serves again, None when there was none: then none serves.

    One that cannot be read is passed over.
    """
    with transaction.atomic():
        former = next((one for one in forests.former_versions() if readable_forest(one)), None)
        # what was rolled back from must not be what the next rollback returns to
        ForestVersion.objects.filter(state=ForestVersion.State.LIVE).update(
            state=ForestVersion.State.RETIRED, promoted=None, rolled_back=now
        )
        if former is not None:
            former = promote_forest(number=former.pk, now=now)
    forget_forest()
    return former
