"""What share of the traffic each status and code normally has."""

from collections.abc import Mapping, Sequence

import numpy as np

from detection.scoring.series import CODE_LENGTH, FIRST_CODE, Bools, Floats
from detection.scoring.state import State

# A share remembers about this many of its own transactions, within these minutes: eight hours
# follows the hour-to-hour drift of denials, ten days lets a status that never occurs stay rare.
SHARE_TRANSACTIONS = 300.0
SHARE_MINUTES = (480.0, 14400.0)
# With nothing seen in n transactions the share is taken as 1/n: between the estimate 0 and the
# rule of three's bound 3/n (95 %).
UNSEEN = 1.0


def shares(state: State) -> Floats:
    """Expected share of each rate series in the minute's total, shape (S, 14), 0..1."""
    total = np.maximum(state.share_total, 1.0)
    return np.minimum((state.share_seen + UNSEEN) / (total + UNSEEN), 1.0)


def learn_shares(state: State, rates: Floats, total: Floats, volume: Floats, live: Bools) -> None:
    """Add one minute to the shares of the series marked live, shape (S, 14)."""
    pace = SHARE_TRANSACTIONS / np.maximum(shares(state) * volume[:, None], 1e-6)
    keep = 1 - 1 / np.clip(pace, *SHARE_MINUTES)
    state.share_seen[:] = np.where(live, state.share_seen * keep + rates, state.share_seen)
    state.share_total[:] = np.where(
        live, state.share_total * keep + total[:, None], state.share_total
    )


# How much a code is used is remembered for about a week.
USE_KEEP = 1 - 1 / 10080.0
# A named code gives way only to one that comes this many times more often in a minute than the
# named one did in a week.
HARDLY_USED = 4.0


def adopt_codes(state: State, code: Floats, pooled: Sequence[Mapping[str, float]]) -> None:
    """Give codes seen outside the named slots one: a free one, or that of a code hardly used.

    Parameters
    ----------
    code : array (S, 8)
        Denied transactions by slot.
    pooled : sequence of mappings
        Per source, what is behind the last slot: name -> transactions.
    """
    state.code_use *= USE_KEEP
    state.code_use += code[:, :-1]
    for row, names in enumerate(pooled):
        for name in sorted(names, key=lambda one: (-names[one], one)):
            if name:
                _adopt(state, row, name[:CODE_LENGTH], names[name])


def _adopt(state: State, row: int, name: str, count: float) -> None:
    use = np.where(state.codes[row] == "", -1.0, state.code_use[row])
    slot = int(use.argmin())
    if use[slot] * HARDLY_USED >= count:
        return
    state.codes[row, slot] = name
    state.code_use[row, slot] = count
    # all that was seen of the code so far was pooled: a newcomer starts at nothing
    state.share_seen[row, FIRST_CODE + slot] = 0
