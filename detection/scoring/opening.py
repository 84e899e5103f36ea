"""When a source is open: what past days were empty, again and again, is no outage."""

import numpy as np

from detection.scoring.minutes import SATURDAY, Moments, weekday_of
from detection.scoring.series import MINUTES_PER_DAY, Bools, Floats, Ints
from detection.scoring.state import BIN_MINUTES, BINS, State

# A source closes at an hour which so many days like this one found empty, and this part of them.
CLOSED_DAYS = 2
CLOSED_PART = 1 / 3
# An empty quarter hour says something only where so many transactions should have been in it.
TELLING = 5.0
# From this many days on one that was empty stands out.
ENOUGH_DAYS = 3
# A day with less than this part of the best one is a day off.
IDLE_PART = 0.02
# Who never has less than this part of its best hour, on no day of the week, never closes.
REST_PART = 0.1
# Volume falls or rises to this part from one quarter hour to the next where a source closes or
# opens, if that many transactions prove it.
EDGE_PART = 0.1
EDGE_TRANSACTIONS = 20.0
# A weekday has hours of its own where this part of its days was empty and other days were not.
SHUT_PART = 2 / 3


def resting(state: State) -> Ints:
    """Rows of the sources that close at all, by night or for a day."""
    rest = state.season.min((1, 2)) < REST_PART * state.season.max((1, 2))
    rest |= state.weekday_factor.min(1) < REST_PART
    rows: Ints = np.flatnonzero(rest)
    return rows


def may_be_closed(state: State, moments: Moments, season: Floats, rows: Ints) -> Bools:
    """Tell which sources close or open about now, as past days like this one did, (S,).

    Parameters
    ----------
    season : array (S,)
        Transactions a minute of a usual day.
    rows : array of int
        The sources that close at all.
    """
    closing = np.zeros(len(season), bool)
    rows = rows[season[rows] * BIN_MINUTES >= TELLING]
    if rows.size:
        local_minute = moments.local_minute[rows] + state.phase[rows]
        closing[rows] = _often_empty(state.history[rows], state.history_day[rows], local_minute)
    return closing


def _often_empty(history: Floats, history_day: Ints, local_minute: Ints) -> Bools:
    """Tell whether a quarter hour about now was empty on many of the past days like this one."""
    day, minute = np.divmod(local_minute, MINUTES_PER_DAY)
    near = (minute[:, None] // BIN_MINUTES + np.arange(-1, 2)) % BINS
    counts = np.take_along_axis(history, near[:, None, :], axis=2)
    past = (history_day >= 0) & (history_day != day[:, None]) & np.isfinite(counts).any(2)
    weekday = weekday_of(history_day.astype(np.int64))
    today = weekday_of(day)[:, None]
    same = past & (weekday == today)
    kind = past & ((weekday >= SATURDAY) == (today >= SATURDAY))
    alike = np.where((kind.sum(1) >= CLOSED_DAYS)[:, None], kind, past)
    empty = (counts == 0).any(2)
    # Saturdays know best whether shops open on Saturdays.
    never = (same.sum(1) >= CLOSED_DAYS) & ~(empty & same).any(1)
    # On its second day a source is known by the first alone.
    yesterday = (past.sum(1) == 1) & (empty & past).any(1)
    often: Bools = (_often(empty, alike) | _often(empty, same) | yesterday) & ~never
    return often


def shut_today(state: State, local_minute: Ints, season: Floats, rows: Ints) -> Bools:
    """Tell which sources are closed now on this weekday though open on others, (S,).

    Parameters
    ----------
    local_minute : array (S,)
        Minutes since 1970-01-01, local.
    season : array (S,)
        Transactions a minute of a day on which they are open.
    rows : array of int
        The sources that close at all.
    """
    shut = np.zeros(len(season), bool)
    rows = rows[season[rows] * BIN_MINUTES >= TELLING]
    if not rows.size:
        return shut
    day, minute = np.divmod(local_minute[rows] + state.phase[rows], MINUTES_PER_DAY)
    counts = state.history[rows, :, minute // BIN_MINUTES]
    known_day = state.history_day[rows].astype(np.int64)
    same = (known_day >= 0) & (known_day != day[:, None]) & np.isfinite(counts)
    same &= weekday_of(known_day) == weekday_of(day)[:, None]
    times = ((counts == 0) & same).sum(1)
    proven = season[rows] * BIN_MINUTES * times >= EDGE_TRANSACTIONS
    shut[rows] = proven & (times >= CLOSED_DAYS) & (times >= SHUT_PART * same.sum(1))
    return shut


def shut_hours(history: Floats, known: Bools, day: Ints, rests: Bools) -> Bools:
    """Tell the quarter hours closed on that day of the week though open on others, (S, 28, 96).

    Parameters
    ----------
    known : array (S, 28, 96) of bool
        What is known and neither of a day off nor of an outage.
    rests : array (S,) of bool
        Sources with days off; of the others only those are meant that rest by night.
    """
    shut: Bools = known & (history == 0)
    if not shut.any():
        return shut
    weekday = weekday_of(day)
    missing = np.zeros(shut.shape)
    for index in range(7):
        mine = known & (weekday == index)[:, :, None]
        times = (shut & mine).sum(1)
        always = (times >= CLOSED_DAYS) & (times >= SHUT_PART * mine.sum(1))
        missing += mine * (times * always)[:, None]
    shut &= missing > 0
    open_ = known & ~shut
    mean = np.where(open_, history, 0.0).sum(1) / np.maximum(open_.sum(1), 1) * BIN_MINUTES
    rests = rests | (mean.min(1) < REST_PART * mean.max(1))
    telling = (mean >= TELLING) & rests[:, None]
    out: Bools = shut & telling[:, None] & (missing * mean[:, None] >= EDGE_TRANSACTIONS)
    return out


def _often(empty: Bools, days: Bools) -> Bools:
    """Tell whether so many of these days were empty that it is no chance; days are the axis 1."""
    times: Ints = (empty & days).sum(1)
    often: Bools = (times >= CLOSED_DAYS) & (times >= CLOSED_PART * days.sum(1))
    return often


def idle_days(history: Floats, whole: Bools, day: Ints) -> tuple[Bools, Bools]:
    """Tell the days off from those on which a source that should have been open was not.

    Parameters
    ----------
    history : array (S, 28, 96)
        Mean volume by day and quarter hour [transactions a minute]; NaN = unknown.
    whole : array (S, 28) of bool
        Days of which enough is known.
    day : array (S, 28) of int64
        Local day since 1970-01-01.

    Returns
    -------
    idle, stopped : arrays (S, 28) of bool
        Days without traffic of a weekday that has several of them; those of the others.
    """
    total = np.where(whole, np.nansum(history, axis=2), 0.0)
    best = total.max(1, keepdims=True)
    without = whole & (total <= IDLE_PART * best) & (best > 0)
    idle = np.zeros_like(whole)
    if without.any():
        weekday = weekday_of(day)
        for index in range(7):
            mine = without & (weekday == index)
            idle |= mine & (mine.sum(1, keepdims=True) >= CLOSED_DAYS)
    return idle, without & ~idle


def once_empty(history: Floats, known: Bools, day: Ints) -> Bools:
    """Tell the quarter hours that were empty though those of like days were not, (S, 28, 96)."""
    empty: Bools = known & (history == 0)
    if not empty.any():
        return empty
    weekday = weekday_of(day)
    usual = np.zeros_like(empty)
    stands_out = np.zeros_like(empty)
    kinds = [weekday < SATURDAY, weekday >= SATURDAY]
    for days in (*kinds, *(weekday == index for index in range(7))):
        mine = known & days[:, :, None]
        usual |= mine & _often(empty, mine)[:, None]
    for days in kinds:
        mine = known & days[:, :, None]
        times = mine.sum(1)
        mean = np.where(mine, history, 0.0).sum(1) / np.maximum(times, 1)
        telling = (mean * BIN_MINUTES >= TELLING) & (times >= ENOUGH_DAYS)
        stands_out |= mine & telling[:, None]
    once: Bools = empty & stands_out & ~usual
    return once


def closings(shape: Floats, days: Floats) -> Bools:
    """Tell at the end of which quarter hours a source opens or closes, (S, 96).

    Parameters
    ----------
    shape : array (S, 96)
        Transactions a minute of a typical day.
    days : array (S, 96)
        How many days that rests on.
    """
    after = np.roll(shape, -1, axis=-1)
    low, high = np.minimum(shape, after), np.maximum(shape, after)
    proven = high * BIN_MINUTES * np.minimum(days, np.roll(days, -1, axis=-1)) >= EDGE_TRANSACTIONS
    edges: Bools = (low < EDGE_PART * high) & proven
    return edges
