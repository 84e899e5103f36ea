"""What share of the traffic each status and code normally has."""

from collections.abc import Mapping, Sequence

import numpy as np

from detection.scoring.series import CODE_LENGTH, FIRST_CODE, RATE_SERIES, Bools, Floats, Ints
from detection.scoring.state import HOURS, State

# A share remembers about this many of its own transactions, within these minutes: eight hours
# follows the hour-to-hour drift of denials, ten days lets a status that never occurs stay rare.
SHARE_TRANSACTIONS = 300.0
SHARE_MINUTES = (480.0, 14400.0)
# With nothing seen in n transactions the share is taken as 1/n: between the estimate 0 and the
# rule of three's bound 3/n (95 %).
UNSEEN = 1.0


# Series that follow the hour of the day: all that is made of denials.
HOURLY = np.array([name in ("not_approved", "denied") or "code" in name for name in RATE_SERIES])
# The hours' factors rest on about ten days; so many denials weigh against the factor one.
HOUR_KEEP = 1 - 1 / 10.0
HOUR_PRIOR = 150.0
DENIED = 1


def shares(state: State) -> Floats:
    """Expected share of each rate series in the minute's total, shape (S, 14), 0..1."""
    total = np.maximum(state.share_total, 1.0)
    return np.minimum((state.share_seen + UNSEEN) / (total + UNSEEN), 1.0)


def hour_factor(state: State, minute_of_day: Ints) -> Floats:
    """How many times the usual part is denied at this time of day, shape (S,).

    Interpolated between the middles of the hours, so that nothing jumps at a full one.
    """
    rows = np.arange(len(state))
    hour, minute = np.divmod(minute_of_day - 30, 60)
    weight = minute / 60.0
    return _hour(state, rows, hour % HOURS) * (1 - weight) + (
        _hour(state, rows, (hour + 1) % HOURS) * weight
    )


def _hour(state: State, rows: Ints, hour: Ints) -> Floats:
    denied, expected = state.hour_denied[rows, hour], state.hour_expected[rows, hour]
    return (denied + HOUR_PRIOR) / (expected + HOUR_PRIOR)


def by_hour(factor: Floats) -> Floats:
    """The factor of each rate series, shape (S, 14): one for those no hour belongs to."""
    return np.where(HOURLY, factor[:, None], 1.0)


def learn_shares(
    state: State, minute_of_day: Ints, rates: Floats, total: Floats, volume: Floats, live: Bools
) -> None:
    """Add one minute to the shares and to its hour where marked live, shape (S, 1) or (S, 14).

    Parameters
    ----------
    minute_of_day : array (S,) of int64
        Local time.
    rates : array (S, 14)
        Transactions by rate series.
    total, volume : array (S,)
        Transactions seen and usually expected in the minute.
    """
    level, live = shares(state), np.broadcast_to(live, rates.shape)
    # Of a source that has only begun to report no share is known that an hour could differ from.
    known = live[:, DENIED] & (state.share_total[:, DENIED] >= total)
    factor = hour_factor(state, minute_of_day)
    pace = SHARE_TRANSACTIONS / np.maximum(level * volume[:, None], 1e-6)
    keep = 1 - 1 / np.minimum(np.maximum(pace, SHARE_MINUTES[0]), SHARE_MINUTES[1])
    exposure = by_hour(factor) * total[:, None]
    state.share_seen[:] = np.where(live, state.share_seen * keep + rates, state.share_seen)
    state.share_total[:] = np.where(live, state.share_total * keep + exposure, state.share_total)
    rows, hour = np.arange(len(state)), minute_of_day // 60
    state.hour_denied[rows, hour] += rates[:, DENIED] * known
    state.hour_expected[rows, hour] += level[:, DENIED] * total * known


def close_hours(state: State, rows: Ints) -> None:
    """At the end of a day the hours' counts fade, so that the factors follow the season."""
    state.hour_denied[rows] *= HOUR_KEEP
    state.hour_expected[rows] *= HOUR_KEEP


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
    state.routine_strength[row, :, FIRST_CODE + slot] = 0
