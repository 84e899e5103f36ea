"""What volume is normal at a minute: a season learned from past days times a level that follows."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from detection.scoring.inheriting import scale_inherited
from detection.scoring.minutes import SATURDAY, Moments, weekday_of
from detection.scoring.opening import (
    IDLE_PART,
    TELLING,
    may_be_closed,
    resting,
    shut_today,
)
from detection.scoring.phase import likely_phases, weigh_phases
from detection.scoring.season import fit_season
from detection.scoring.series import MINUTES_PER_DAY, Bools, Floats, Ints
from detection.scoring.state import BIN_MINUTES, BINS, HISTORY_DAYS, PHASES, State
from detection.scoring.steps import bins_about, is_step, near_step

# Weekday totals do not jump at midnight: traffic passes from one day's factor to the next within
# about five hours around it.
BLEND_MINUTES = 150

# The fast level remembers 155 / sqrt(mu) minutes: the optimum of a Kalman filter for a level that
# wanders by about 3.5 % within the hour under Poisson noise (45 minutes at 12 a minute).
FAST_PACE = 155.0
FAST_MINUTES = (20.0, 300.0)
# The slow level remembers 300 transactions, within three to ten hours: a shift of work.
SLOW_PACE = 300.0
SLOW_MINUTES = (180.0, 600.0)
# While the fast level runs ahead the slow one rises as if so much more came than it expects, or at
# least this part of what does: what doubles for an hour is no level, and its end no loss.
RISE_TAKEN_IN = 1.2
LEAST_TAKEN_IN = 0.4
LEVEL_FLOOR = 0.02
PHASE_FIELDS = ("phase", "phase_seen", "phase_expected", "phase_evidence")
SEASON_FIELDS = ("season", "weekday_factor", "phase", "history", "history_day")
CLOCK_FIELDS = (
    *("season", "weekday_factor", "history", "history_day"),
    *("season_days", "level_seen", "level_expected", "clock_sum", "clock_minutes", *PHASE_FIELDS),
)
# What is left of the volume of a source where its day of the week is closed.
SHUT = 1e-3
# Before so many days of a kind are known every morning would be a surge.
SEASON_DAYS = 2
# Days of a kind that must be known before they tell the time.
CLOCK_DAYS = 4
# Which of the two shapes each day of the week has, Monday first.
KIND_OF_DAY = (np.arange(7) >= SATURDAY).astype(np.int64)
# How long before and after it was seen a source may close or open another day [minutes].
AROUND_CLOSING = range(-45, 46, 15)


@dataclass(frozen=True)
class Expectation:
    """Expected volume of one minute against each memory [transactions a minute], shape (S,)."""

    season: Floats
    fast: Floats
    slow: Floats
    usual: Floats
    # what another reading of the clock, while it is likely, would make of it, or closing earlier or
    # later than usual: least and most
    least: Floats
    most: Floats
    # whether the source may be closed already or still
    closing: Bools
    # whether a step of its day is so near that it may be on either side of it
    stepping: Bools

    @property
    def channels(self) -> Floats:
        """The three volume channels in the order of designs.VOLUME_CHANNELS, shape (S, 3).

        A fall is measured from the fast level, unless both memories behind it say that the fast
        one is high (the end of a campaign). A rise is measured from the highest of the three, so
        that a source coming back after an outage is no surge. A drift hides from the fast level:
        it is measured from the lower of the other two. While the clock may have jumped the reading
        counts that asks for less.
        """
        highest = np.maximum(self.slow, self.usual)
        out = np.empty((len(self.season), 3))
        np.minimum(self.fast, highest, out=out[:, 0])
        np.maximum(self.fast, highest, out=out[:, 1])
        np.minimum(self.slow, self.usual, out=out[:, 2])
        out[:, ::2] *= self.least[:, None]
        out[:, 1] *= self.most
        return out


def season_at(state: State, local_minute: Ints) -> Floats:
    """Expected volume before the level is applied, shape (S,) [transactions a minute]."""
    return _as_open(state, local_minute, open_season(state, local_minute), resting(state))


def _as_open(state: State, local_minute: Ints, season: Floats, rows: Ints) -> Floats:
    if not rows.size:
        return season
    return np.where(shut_today(state, local_minute, season, rows), season * SHUT, season)


class _Clock(NamedTuple):
    """What the clock of each source says, (S,): minute of the day, weekday, kind of day."""

    minute: Ints
    weekday: Ints
    kind: Ints

    @classmethod
    def of(cls, state: State, local_minute: Ints) -> "_Clock":
        day, minute = np.divmod(local_minute + state.phase, MINUTES_PER_DAY)
        weekday = weekday_of(day)
        return cls(minute, weekday, KIND_OF_DAY[weekday])


def open_season(state: State, local_minute: Ints) -> Floats:
    """Expected volume if the source has no other hours on this weekday, (S,) [a minute]."""
    return _open_season(state, _Clock.of(state, local_minute))


def _open_season(state: State, clock: _Clock) -> Floats:
    rows = np.arange(len(state))
    position = (clock.minute + 0.5) / BIN_MINUTES - 0.5
    first = np.floor(position).astype(np.int64)
    weight = position - first
    one = state.season[rows, clock.kind, first % BINS]
    other = state.season[rows, clock.kind, (first + 1) % BINS]
    weight = np.where(is_step(one, other), weight >= 0.5, weight)
    shape = one * (1 - weight) + other * weight
    return shape * _weekday_factor(state.weekday_factor, rows, clock.weekday, clock.minute)


def _weekday_factor(factors: Floats, rows: Ints, weekday: Ints, minute: Ints) -> Floats:
    own = factors[rows, weekday]
    late = minute >= MINUTES_PER_DAY // 2
    distance = np.where(late, MINUTES_PER_DAY - minute, minute)
    neighbour = factors[rows, (weekday + np.where(late, 1, 6)) % 7]
    share = 0.5 * np.maximum(1 - distance / BLEND_MINUTES, 0)
    # A day off begins and ends at midnight.
    share[np.minimum(own, neighbour) < IDLE_PART * np.maximum(own, neighbour)] = 0
    return own + (neighbour - own) * share


def _peak(state: State) -> Floats:
    """Expected volume of the busiest quarter hour of the week, (S,) [a minute]."""
    peak: Floats = (state.season.max(2)[:, KIND_OF_DAY] * state.weekday_factor).max(1)
    return peak


def expect(state: State, moments: Moments) -> Expectation:
    """Expected volume of the minute against the fast, the slow and the usual level."""
    clock = _Clock.of(state, moments.local_minute)
    season = _open_season(state, clock)
    rows = resting(state)
    closing = may_be_closed(state, moments, season, rows)
    season = _as_open(state, moments.local_minute, season, rows)
    least, most = _other_readings(state, moments, season, closing)
    stepping = _widen_about_steps(state, clock, season, least, most)
    if moments.promotion is not None:
        season = season * moments.promotion
    known = state.level_expected > 0
    level = np.where(known, state.level_seen / np.where(known, state.level_expected, 1), 1.0)
    level = np.maximum(level, LEVEL_FLOOR)
    slow = season * level[:, 1]
    usual = np.where(state.season_days.any(1), season, slow)
    return Expectation(season, season * level[:, 0], slow, usual, least, most, closing, stepping)


def _other_readings(
    state: State, moments: Moments, season: Floats, closing: Bools
) -> tuple[Floats, Floats]:
    """Factors of the season as something else that is likely would make of it, (S,) each.

    That is another reading of the clock; or, where a source may be closed or open, everything from
    nothing to what it has around that time.
    """
    least, most = np.ones(len(state)), np.ones(len(state))
    rows, shift = likely_phases(state)
    if rows.size:
        other = season_at(state.take(rows, SEASON_FIELDS), moments.local_minute[rows] + shift)
        factor = other / np.maximum(season[rows], 1e-9)
        least[rows], most[rows] = np.minimum(factor, 1.0), np.maximum(factor, 1.0)
    rows = np.flatnonzero(closing)
    if rows.size:
        part, minute = state.take(rows, SEASON_FIELDS), moments.local_minute[rows]
        around = np.stack([season_at(part, minute + ahead) for ahead in AROUND_CLOSING])
        least[rows] = 0.0
        most[rows] = np.maximum(most[rows], around.max(0) / np.maximum(season[rows], 1e-9))
    return least, most


def _widen_about_steps(
    state: State, clock: _Clock, season: Floats, least: Floats, most: Floats
) -> Bools:
    """Let factors reach to both sides of a step that is near; tell where one is, (S,)."""
    stepping = np.zeros(len(state), bool)
    each, near = np.arange(len(state))[:, None], bins_about(clock.minute)
    around = state.season[each, clock.kind[:, None], near]
    rows, lowest, highest = near_step(around)
    if rows.size:
        usual = np.maximum(season[rows] / state.weekday_factor[rows, clock.weekday[rows]], 1e-9)
        least[rows] = np.minimum(least[rows], lowest / usual)
        most[rows] = np.maximum(most[rows], highest / usual)
        stepping[rows] = True
    return stepping


def follow_level(state: State, expectation: Expectation, total: Floats, learned: Bools) -> None:
    """Advance the fast and slow level by one minute; rows not learned keep theirs.

    What comes to a source that is closed is no part of any level, nor that nothing comes to one
    that may be closed.
    """
    open_ = expectation.season >= IDLE_PART * _peak(state)
    open_ &= ~expectation.closing | (total > 0)
    open_ &= ~expectation.stepping
    volume = np.maximum(expectation.slow, 1e-3)
    minutes = np.empty((len(state), 2))
    minutes[:, 0] = _between(FAST_PACE / np.sqrt(volume), *FAST_MINUTES)
    minutes[:, 1] = _between(SLOW_PACE / volume, *SLOW_MINUTES)
    keep = 1 - 1 / minutes
    live = (learned & open_)[:, None]
    season = expectation.season[:, None]
    rise = expectation.fast / np.maximum(expectation.slow, 1e-9)
    taken_in = np.maximum(RISE_TAKEN_IN * expectation.slow, LEAST_TAKEN_IN * expectation.fast)
    came = np.stack([total, np.where(rise > RISE_TAKEN_IN, taken_in, total)], axis=1)
    state.level_seen[:] = np.where(live, state.level_seen * keep + came, state.level_seen)
    state.level_expected[:] = np.where(
        live, state.level_expected * keep + season, state.level_expected
    )


def _between(values: Floats, low: float, high: float) -> Floats:
    return np.minimum(np.maximum(values, low), high)


def record_history(
    state: State, moments: Moments, total: Floats, learned: Bools, told: Bools, width: Floats
) -> None:
    """Add the minute to its quarter hour; close the quarter hour and the day when they end.

    `learned` are the rows whose minute belongs into the season, `told` those whose volume is known
    at all; `width` is variance over mean.
    """
    _open_day(state, moments)
    state.bin_sum += np.where(learned, total, 0)
    state.bin_minutes += learned
    state.clock_sum += np.where(told, total, 0)
    state.clock_minutes += told
    rows = np.flatnonzero(moments.minute_of_day % BIN_MINUTES == BIN_MINUTES - 1)
    if not rows.size:
        return
    minutes = state.bin_minutes[rows]
    mean = state.bin_sum[rows] / np.maximum(minutes, 1)
    quarter = (moments.minute_of_day[rows] + state.phase[rows]) // BIN_MINUTES % BINS
    enough = minutes >= BIN_MINUTES // 2
    # Of an alarm nothing is learned at once, but that it was empty: who closes every night looks
    # silent.
    told = state.clock_minutes[rows] >= BIN_MINUTES - 1
    whole = state.clock_sum[rows] / np.maximum(state.clock_minutes[rows], 1)
    alarmed = told & (minutes < state.clock_minutes[rows])
    value = np.where(enough, np.log1p(mean), np.nan)
    value = np.where(alarmed, -np.log1p(whole), value)
    value = np.where(told & (state.clock_sum[rows] == 0), 0.0, value)
    state.history[rows, moments.day[rows] % HISTORY_DAYS, quarter] = value
    _weigh_clock(state, rows, moments.local_minute[rows], width[rows])
    for name in ("bin_sum", "bin_minutes", "clock_sum", "clock_minutes"):
        getattr(state, name)[rows] = 0


def _weigh_clock(state: State, rows: Ints, minute: Ints, width: Floats) -> None:
    """Ask whether the quarter hour that ends fits an hour earlier or later better.

    A jump raises alarms of its own: what is counted in an alarm tells the time too.
    """
    part = state.take(rows, CLOCK_FIELDS)
    mean = part.clock_sum / np.maximum(part.clock_minutes, 1)
    middle = minute - BIN_MINUTES // 2
    seasons = np.stack([season_at(part, middle + phase) for phase in PHASES], axis=1)
    of_day = minute % MINUTES_PER_DAY
    # around midnight one day's volume passes into the next: that is no clock
    judged = (of_day > BLEND_MINUTES) & (of_day < MINUTES_PER_DAY - BLEND_MINUTES)
    kind = (weekday_of(minute // MINUTES_PER_DAY) >= SATURDAY).astype(np.int64)
    known = part.season_days[np.arange(len(part)), kind] >= CLOCK_DAYS
    judged &= known & (part.clock_minutes >= BIN_MINUTES - 1)
    # of a shop that is shut on this weekday, or in an outage, nothing comes at any reading
    judged &= ~shut_today(part, middle, open_season(part, middle), resting(part))
    judged &= (mean > 0) | (seasons.min(1) * BIN_MINUTES < TELLING)
    weigh_phases(part, seasons, mean, float(BIN_MINUTES), width, judged)
    for name in PHASE_FIELDS:
        getattr(state, name)[rows] = getattr(part, name)


def _open_day(state: State, moments: Moments) -> None:
    fresh = np.flatnonzero(moments.day > state.day)
    if not fresh.size:
        return
    known = fresh[state.day[fresh] >= 0]
    if known.size:
        _relearn(state, known, moments)
    slot = moments.day[fresh] % HISTORY_DAYS
    state.history[fresh, slot] = np.nan
    state.history_day[fresh, slot] = moments.day[fresh]
    state.day[fresh] = moments.day[fresh]


def _relearn(state: State, rows: Ints, moments: Moments) -> None:
    """Fit the season of the closed days; the level is carried over so that nothing jumps."""
    young = state.through[rows] - state.started[rows] < MINUTES_PER_DAY
    scale_inherited(state, rows[young])
    part = state.take(rows)
    before = open_season(part, moments.local_minute[rows])
    history = part.history.astype(float)
    history = np.copysign(np.expm1(np.abs(history)), history)
    season, factor, days = fit_season(history, part.history_day.astype(np.int64), moments.day[rows])
    fitted = days.max(axis=1) > 0
    state.season[rows] = np.where(fitted[:, None, None], season, part.season)
    state.weekday_factor[rows] = np.where(fitted[:, None], factor, part.weekday_factor)
    state.season_days[rows] = days
    after = open_season(state.take(rows), moments.local_minute[rows])
    _carry_level(state, rows, part, before, after)


def _carry_level(state: State, rows: Ints, part: State, before: Floats, after: Floats) -> None:
    """Keep what is expected now; where that is nothing, by night, it says nothing of the level."""
    peak, old_peak = _peak(state)[rows], _peak(part)
    closed = (after < IDLE_PART * peak) | (before < IDLE_PART * old_peak)
    ratio = np.where(closed, peak / np.maximum(old_peak, 1e-9), after / np.maximum(before, 1e-9))
    expected = part.level_expected * ratio[:, None]
    # The first season of its own is of volumes as they were: they are its level.
    first = closed & ~part.season_days.any(1)
    state.level_expected[rows] = np.where(first[:, None], part.level_seen, expected)


def seasoned(state: State, moments: Moments) -> Bools:
    """Whether days like this one have been seen often enough to expect their shape, (S,)."""
    kind = (moments.weekday >= SATURDAY).astype(np.int64)
    return state.season_days[np.arange(len(state)), kind] >= SEASON_DAYS
