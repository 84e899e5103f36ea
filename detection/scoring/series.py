"""The words all scoring modules share: statuses, families, levels, judged series."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

STATUSES = ("approved", "denied", "failed", "reversed", "backend_reversed", "refunded")
FAMILIES = (
    "decline",
    "technical_failure",
    "reversal",
    "volume_low",
    "volume_high",
    "silence",
    "code_mix",
)
LEVELS = ("NORMAL", "WARNING", "CRITICAL")

# Seven named authorisation codes per source cover 99 % of the denials of the reference files;
# the eighth slot pools the rest so that a code never seen before is a count, not an error.
CODE_SLOTS = 8
OTHER_SLOT = CODE_SLOTS - 1
# Longest code kept by name; ISO 8583 codes have two characters.
CODE_LENGTH = 12

# A rate series is judged as a share of the minute's total.
RATE_SERIES = (
    "not_approved",
    "denied",
    "failed",
    "reversed",
    "backend_reversed",
    "refunded",
    *(f"code_{slot}" for slot in range(CODE_SLOTS)),
)
RATES = len(RATE_SERIES)
FIRST_CODE = 6

MINUTES_PER_DAY = 1440


def rate_counts(status: Floats, code: Floats) -> Floats:
    """Arrange one minute's counts as the rate series.

    Parameters
    ----------
    status : array (S, 6)
        Transactions by status, in the order of `STATUSES` [transactions].
    code : array (S, 8)
        Denied transactions by code slot [transactions].

    Returns
    -------
    array (S, 14)
        Transactions by rate series, in the order of `RATE_SERIES` [transactions].

    Examples
    --------
    >>> rate_counts(np.array([[90.0, 7, 2, 1, 0, 0]]), np.zeros((1, 8)))[0, :4].tolist()
    [10.0, 7.0, 2.0, 1.0]
    """
    out = np.empty((len(status), RATES))
    np.add.reduce(status[:, 1:5], axis=1, out=out[:, 0])
    out[:, 1:FIRST_CODE] = status[:, 1:]
    out[:, FIRST_CODE:] = code
    return out
