"""What a new source takes over from its parent until it has days of its own.

A source that is new knows neither its mornings nor its codes. Sources of one parent are much alike,
so the parent's last week stands in for the days a child does not have: each day of its own weighs
as much as one of the parent's, and after four weeks the last of these is gone. How much traffic
there is, is the child's own matter: the week is scaled to it once two hours of it are known, and
again at the first midnight.
"""

import numpy as np

from detection.scoring.series import MINUTES_PER_DAY, Bools, Floats, Ints
from detection.scoring.shares import HOUR_PRIOR
from detection.scoring.state import HISTORY_DAYS, State

WEEK = 7
DAYS_OF_KIND = (5, 2)
# The parent's shares and widths weigh as much as this many transactions of the child's own,
# its hours of denials as the prior of an hour does, its drift as half a day.
SHARE_TRANSACTIONS = 300.0
WIDTH_TRANSACTIONS = 600.0
DRIFT_MINUTES = 720.0
# How much of a code the parent saw hardly matters to the child; that it has a name does.
CODE_USE = 1.0
# A child's own days lie a day or more after these, in whatever time zone.
DAYS_APART = 2


def has_season(parent: State) -> Bools:
    """Whether a source has days a child could take over, (S,)."""
    return np.asarray(parent.season_days.any(axis=1))


def inherit(parent: State, utc_minute: Ints) -> State:
    """Begin sources that know what their parents know.

    Parameters
    ----------
    parent : State
        The parent of each source as it is now; not changed.
    utc_minute : array (S,) of int64
        First minute of each source [minutes since 1970-01-01 UTC].

    Returns
    -------
    State
        New sources; a row whose parent knows no day yet takes over shares and widths only.
    """
    child = State.new(len(parent))
    _take_week(child, parent, utc_minute)
    _take_shares(child, parent)
    _take_widths(child, parent)
    return child


def _take_week(child: State, parent: State, utc_minute: Ints) -> None:
    """The parent's newest days, moved by whole weeks to before the child's first."""
    mean = np.maximum(parent.season.mean(axis=(1, 2)), 1e-6)
    known = has_season(parent)
    child.season[:] = np.where(known[:, None, None], parent.season / mean[:, None, None], 1)
    child.weekday_factor[:] = np.where(known[:, None], parent.weekday_factor, 1)
    newest = parent.history_day.max(axis=1)
    last = utc_minute // MINUTES_PER_DAY - DAYS_APART
    moved = (last - newest) // WEEK * WEEK
    week = (parent.history_day > (newest - WEEK)[:, None]) & (parent.history_day >= 0)
    history = _scaled(parent.history, 1 / mean)
    for row, slot in np.argwhere(week & known[:, None]):
        day = parent.history_day[row, slot] + moved[row]
        child.history[row, day % HISTORY_DAYS] = history[row, slot]
        child.history_day[row, day % HISTORY_DAYS] = day
    child.season_days[:] = np.minimum(parent.season_days, DAYS_OF_KIND)


def _take_shares(child: State, parent: State) -> None:
    part = _part(SHARE_TRANSACTIONS, parent.share_total)
    child.share_seen[:] = parent.share_seen * part
    child.share_total[:] = parent.share_total * part
    part = _part(HOUR_PRIOR, parent.hour_expected)
    child.hour_denied[:] = parent.hour_denied * part
    child.hour_expected[:] = parent.hour_expected * part
    child.codes[:] = parent.codes
    for name in ("routine_factor", "routine_strength", "routines"):
        getattr(child, name)[:] = getattr(parent, name)
    child.code_use[:] = np.minimum(parent.code_use, CODE_USE)


def _take_widths(child: State, parent: State) -> None:
    part = _part(WIDTH_TRANSACTIONS, parent.minute_expected)
    child.minute_square[:] = parent.minute_square * part
    child.minute_expected[:] = parent.minute_expected * part
    part = _part(DRIFT_MINUTES, parent.swing_weight)
    for name in ("swing_weight", "swing_x", "swing_xx", "swing_square", "swing_xy"):
        getattr(child, name)[:] = getattr(parent, name) * part


def _part(most: float, of: Floats) -> Floats:
    """Which part of an amount leaves at most so much of it."""
    return np.minimum(1.0, most / np.maximum(of, 1e-9))


def inherited_days(state: State) -> Bools:
    """Which days of the history are a parent's, shape (S, 28)."""
    born = (state.started // MINUTES_PER_DAY)[:, None]
    return (state.history_day >= 0) & (state.history_day <= born - DAYS_APART)


def scale_inherited(state: State, rows: Ints) -> None:
    """Bring what is inherited to the level that was found; nothing expected changes by that."""
    days = inherited_days(state)[rows]
    some = days.any(axis=1) & (state.level_seen[rows, 1] > 0)
    rows, days = rows[some], days[some]
    if not rows.size:
        return
    level = state.level_seen[rows, 1] / np.maximum(state.level_expected[rows, 1], 1e-9)
    state.season[rows] *= level[:, None, None]
    state.level_expected[rows] *= level[:, None]
    history = state.history[rows]
    state.history[rows] = np.where(days[:, :, None], _scaled(history, level), history)


def _scaled(history: Floats, factor: Floats) -> Floats:
    """Logarithms of volumes, of volumes so many times as large; what is doubtful remains so."""
    size = np.log1p(np.expm1(np.abs(history.astype(float))) * factor[:, None, None])
    scaled: Floats = np.copysign(size, history)
    return scaled
