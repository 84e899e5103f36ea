"""Alarms that come back at the same hour day after day: they are how the day goes by now.

What is counted in an alarm is kept as doubtful, by a negative sign, and teaches nothing. After some
days in a row that were alike it is a habit: the days before it no longer tell that quarter hour.
What comes back every week, as Monday's settlement does, is a habit of that day of the week.
"""

import numpy as np

from detection.scoring.minutes import SATURDAY, weekday_of
from detection.scoring.series import Bools, Floats, Ints
from detection.scoring.state import BIN_MINUTES
from detection.scoring.steps import SCATTER, STEP_PART, SURE

# So many doubtful days of a kind in a row make a habit; at the weekend fewer, if weekdays have it.
HABIT_DAYS = 3
WEEKEND_DAYS = 2
# With fewer plain days of a kind than a median needs the doubtful ones count too.
FEW_DAYS = 3
# Days are alike whose volumes differ by less than this factor.
ALIKE = 2.0
# So many of the newest days of one weekday are asked, and so many must be known.
WEEKS_ASKED, WEEKS_KNOWN = 3, 2
# What is left of the volume where a weekday has nothing.
NOTHING = 1e-6
# Volumes that are less than this part of the usual one are alike, however much they differ.
ABOUT_NOTHING = 0.1


def without_doubtful(history: Floats, day: Ints) -> tuple[Floats, Bools]:
    """Return the volumes and which of them tell how the day goes by now.

    Parameters
    ----------
    history, day : arrays (S, 28, 96) and (S, 28)
        As `fit_season` takes them.

    Returns
    -------
    volume : array (S, 28, 96)
        The same without signs; NaN also where a habit has begun since.
    known : array (S, 28, 96) of bool
        What is known and not doubted, and of a habit what came since it began.
    """
    doubtful = history < 0
    known: Bools = np.isfinite(history) & (day >= 0)[:, :, None]
    volume = np.abs(history)
    if not doubtful.any():
        return volume, known
    weekend = weekday_of(day) >= SATURDAY
    since = _habit_since(volume, doubtful, known & ~weekend[:, :, None], day, HABIT_DAYS)
    needed = np.where(since >= 0, WEEKEND_DAYS, HABIT_DAYS)
    since_weekend = _habit_since(volume, doubtful, known & weekend[:, :, None], day, needed)
    begun = np.where(weekend[:, :, None], since_weekend[:, None], since[:, None])
    past = day[:, :, None] < begun
    believed = (begun >= 0) | ~doubtful | _few(known & ~doubtful, weekend)
    return np.where(past, np.nan, volume), known & ~past & believed


def _few(plain: Bools, weekend: Bools) -> Bools:
    """Where so few plain days of a kind are known that none can be doubted, (S, 28, 96)."""
    few = [
        (plain & kind[:, :, None]).sum(1, keepdims=True) < FEW_DAYS for kind in (~weekend, weekend)
    ]
    told: Bools = np.where(weekend[:, :, None], few[1], few[0])
    return told


def _habit_since(
    volume: Floats, doubtful: Bools, mine: Bools, day: Ints, needed: Ints | int
) -> Ints:
    """Day on which the newest habit of each quarter hour began, -1 = none, (S, 96)."""
    needed = np.broadcast_to(needed, (len(volume), volume.shape[2]))
    since = np.full(needed.shape, -1)
    rows = np.flatnonzero(((doubtful & mine).sum(1) >= needed).any(1))
    if rows.size:
        since[rows] = _newest_run(volume[rows], doubtful[rows], mine[rows], day[rows], needed[rows])
    return since


def _newest_run(volume: Floats, doubtful: Bools, mine: Bools, day: Ints, needed: Ints) -> Ints:
    began, run = np.full(needed.shape, -1), np.zeros(needed.shape, np.int64)
    last, since = np.zeros(needed.shape), np.full(needed.shape, -1)
    rows = np.arange(len(volume))
    for slot in np.argsort(day, axis=1).T:
        now, asked = volume[rows, slot], mine[rows, slot]
        alike = (np.maximum(now, last) < ALIKE * np.minimum(now, last)) & (run > 0)
        run = np.where(asked, np.where(doubtful[rows, slot], np.where(alike, run + 1, 1), 0), run)
        began = np.where(asked & (run == 1), day[rows, slot][:, None], began)
        last = np.where(asked, now, last)
        since = np.where(asked & (run >= needed), began, since)
    return since


def with_weekday(season: Floats, volume: Floats, factor: Floats, day: Ints, today: Ints) -> Floats:
    """Return the season of a day with the quarter hours in which its weekday is unlike the others.

    Parameters
    ----------
    season : array (S, 96)
        Volume of a typical day of this kind [transactions a minute].
    volume : array (S, 28, 96)
        Mean volume by day and quarter hour, also of alarms [transactions a minute]; NaN = unknown.
    factor : array (S, 28)
        What each day has of a typical one, 0 = unknown.
    day, today : arrays (S, 28) and (S,) of int64
        Local days since 1970-01-01; -1 = empty.
    """
    usual = factor[:, :, None] * season[:, None]
    seen, meant = np.zeros_like(season), np.zeros_like(season)
    least, most = np.full(season.shape, np.inf), np.zeros_like(season)
    weeks = np.zeros(season.shape)
    rows = np.arange(len(season))
    for back in range(1, WEEKS_ASKED + 1):
        that_day = day == (today - 7 * back)[:, None]
        slot = that_day.argmax(1)
        had, should = volume[rows, slot], usual[rows, slot]
        asked = that_day.any(1)[:, None] & np.isfinite(had) & (should > 0)
        part = had / np.maximum(should, 1e-9)
        least = np.where(asked, np.minimum(least, part), least)
        most = np.where(asked, np.maximum(most, part), most)
        seen += np.where(asked, had, 0.0)
        meant += np.where(asked, should, 0.0)
        weeks += asked
    unlike = (least > 1 / STEP_PART) | (most < STEP_PART)
    alike = most + ABOUT_NOTHING < ALIKE * (least + ABOUT_NOTHING)
    sure = np.abs(seen - meant) > SURE * np.sqrt(SCATTER * (seen + meant) / BIN_MINUTES)
    own = (weeks >= WEEKS_KNOWN) & unlike & alike & sure
    ratio = np.maximum(seen / np.maximum(meant, 1e-9), NOTHING)
    return np.where(own, ratio * season, season)
