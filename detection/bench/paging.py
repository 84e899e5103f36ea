"""When a sequence of levels pages, as the harness counts it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

# A page is the start of an alarm and every hour it lasts; pauses this short do not end one.
PAUSE_MINUTES = 5
REPEAT_MINUTES = 60


def pages(level: NDArray[np.int8]) -> list[int]:
    """Minutes at which one source pages.

    Examples
    --------
    >>> pages(np.array([0, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0], np.int8))
    [1, 12]
    """
    return [at for begin, end in alarms(level) for at in range(begin, end + 1, REPEAT_MINUTES)]


def alarms(level: NDArray[Any]) -> list[tuple[int, int]]:
    """First and last minute of each alarm of one source.

    Examples
    --------
    >>> alarms(np.array([0, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0]))
    [(1, 4), (12, 12)]
    """
    on = np.flatnonzero(level >= 1)
    if not on.size:
        return []
    cut = np.flatnonzero(np.diff(on) > PAUSE_MINUTES + 1)
    first, last = np.r_[on[0], on[cut + 1]], np.r_[on[cut], on[-1]]
    return list(zip(first.tolist(), last.tolist(), strict=True))
