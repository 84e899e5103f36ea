"""What volume is normal at a minute: a season learned from past days times a level that follows."""

from dataclasses import dataclass

import numpy as np

from detection.scoring.inheriting import scale_inherited
from detection.scoring.minutes import SATURDAY, Moments, weekday_of
from detection.scoring.opening import (
    IDLE_PART,
    closings,
    idle_days,
    may_be_closed,
    once_empty,
    resting,
    shut_hours,
    shut_today,
)
from detection.scoring.phase import likely_phases, weigh_phases
from detection.scoring.series import MINUTES_PER_DAY, Bools, Floats, Ints
from detection.scoring.state import BIN_MINUTES, BINS, DAY_TYPES, HISTORY_DAYS, PHASES, State

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
# How long before and after it was seen a source may close or open another day [minutes].
AROUND_CLOSING = range(-45, 46, 15)
# A median needs three days; two say only that they differ.
MEDIAN_DAYS = 3


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


def open_season(state: State, local_minute: Ints) -> Floats:
    """Expected volume if the source has no other hours on this weekday, (S,) [a minute]."""
    rows = np.arange(len(state))
    day, minute = np.divmod(local_minute + state.phase, MINUTES_PER_DAY)
    position = (minute + 0.5) / BIN_MINUTES - 0.5
    first = np.floor(position).astype(np.int64)
    weight = position - first
    weekday = weekday_of(day)
    kind = (weekday >= SATURDAY).astype(np.int64)
    shape = (
        state.season[rows, kind, first % BINS] * (1 - weight)
        + state.season[rows, kind, (first + 1) % BINS] * weight
    )
    return shape * _weekday_factor(state.weekday_factor, rows, weekday, minute)


def _weekday_factor(factors: Floats, rows: Ints, weekday: Ints, minute: Ints) -> Floats:
    own = factors[rows, weekday]
    late = minute >= MINUTES_PER_DAY // 2
    distance = np.where(late, MINUTES_PER_DAY - minute, minute)
    neighbour = factors[rows, (weekday + np.where(late, 1, 6)) % 7]
    share = 0.5 * np.maximum(1 - distance / BLEND_MINUTES, 0)
    # A day off begins and ends at midnight.
    share[np.minimum(own, neighbour) < IDLE_PART * np.maximum(own, neighbour)] = 0
    return own + (neighbour - own) * share


def expect(state: State, moments: Moments) -> Expectation:
    """Expected volume of the minute against the fast, the slow and the usual level."""
    season = open_season(state, moments.local_minute)
    rows = resting(state)
    closing = may_be_closed(state, moments, season, rows)
    season = _as_open(state, moments.local_minute, season, rows)
    least, most = _other_readings(state, moments, season, closing)
    if moments.promotion is not None:
        season = season * moments.promotion
    known = state.level_expected > 0
    level = np.where(known, state.level_seen / np.where(known, state.level_expected, 1), 1.0)
    level = np.maximum(level, LEVEL_FLOOR)
    slow = season * level[:, 1]
    usual = np.where(state.season_days.any(1), season, slow)
    return Expectation(season, season * level[:, 0], slow, usual, least, most, closing)


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


def follow_level(state: State, expectation: Expectation, total: Floats, learned: Bools) -> None:
    """Advance the fast and slow level by one minute; rows not learned keep theirs."""
    volume = np.maximum(expectation.slow, 1e-3)
    minutes = np.empty((len(state), 2))
    minutes[:, 0] = _between(FAST_PACE / np.sqrt(volume), *FAST_MINUTES)
    minutes[:, 1] = _between(SLOW_PACE / volume, *SLOW_MINUTES)
    keep = 1 - 1 / minutes
    live = learned[:, None]
    season = expectation.season[:, None]
    state.level_seen[:] = np.where(live, state.level_seen * keep + total[:, None], state.level_seen)
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
    # Of an alarm nothing is learned, but that it was empty: who closes every night looks silent.
    empty = (state.clock_minutes[rows] >= BIN_MINUTES - 1) & (state.clock_sum[rows] == 0)
    mean = np.where(empty, 0.0, np.where(enough, mean, np.nan))
    state.history[rows, moments.day[rows] % HISTORY_DAYS, quarter] = np.log1p(mean)
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
    history = np.expm1(part.history.astype(float))
    season, factor, days = fit_season(history, part.history_day.astype(np.int64))
    fitted = days.max(axis=1) > 0
    state.season[rows] = np.where(fitted[:, None, None], season, part.season)
    state.weekday_factor[rows] = np.where(fitted[:, None], factor, part.weekday_factor)
    state.season_days[rows] = days
    after = open_season(state.take(rows), moments.local_minute[rows])
    ratio = np.where(before > 0, after / np.maximum(before, 1e-9), 1)
    state.level_expected[rows] = part.level_expected * ratio[:, None]


def fit_season(history: Floats, day: Ints) -> tuple[Floats, Floats, Floats]:
    """Fit shape and weekday factors to past days.

    Parameters
    ----------
    history : array (S, 28, 96)
        Mean volume by day and quarter hour [transactions a minute]; NaN = unknown.
    day : array (S, 28) of int64
        Local day since 1970-01-01 of each row, -1 = empty.

    Returns
    -------
    season : array (S, 2, 96)
        Volume of a typical weekday and weekend day [transactions a minute].
    factor : array (S, 7)
        What each weekday's total is of that.
    days : array (S, 2)
        Weekdays and weekend days the fit rests on.
    """
    known = np.isfinite(history)
    whole = (known.mean(axis=2) > 0.5) & (day >= 0)
    idle, stopped = idle_days(history, whole, day)
    whole &= ~stopped
    known &= (whole & ~idle)[:, :, None]
    known &= ~once_empty(history, known, day)
    known &= ~shut_hours(history, known, day, np.asarray(idle.any(1)))
    seen = np.where(known, history, 0.0)
    weekend = weekday_of(day) >= SATURDAY
    shape = _mean_shape(seen, known)
    factor = _ratio(seen.sum(2), (shape[:, None] * known).sum(2))
    seen = _without_outliers(seen, factor, known, weekend)
    for _ in range(2):
        shape = _mean_shape(seen, factor[:, :, None] * known)
        factor = _ratio(seen.sum(2), (shape[:, None] * known).sum(2))
    edges = closings(shape, known.sum(1))
    shape = smooth_circular(shape, edges)
    season = np.empty((len(history), DAY_TYPES, BINS))
    for kind in range(DAY_TYPES):
        weight = known & (whole & (weekend == bool(kind)))[:, :, None]
        exposure = (factor[:, :, None] * weight).sum(1)
        season[:, kind] = _toward(shape, (seen * weight).sum(1), exposure, edges)
    return (
        season,
        _weekday_factors(np.where(idle, 0.0, factor), whole, day),
        np.stack([whole & ~weekend, whole & weekend], axis=2).sum(1).astype(float),
    )


def _mean_shape(seen: Floats, exposure: Floats) -> Floats:
    """Volume of each quarter hour; the mean of the others where it was never seen, (S, 96)."""
    total, weight = seen.sum(1), exposure.sum(1)
    mean = total.sum(1) / np.maximum(weight.sum(1), 1e-9)
    return np.where(weight > 0, _ratio(total, weight), np.maximum(mean, 1e-6)[:, None])


def _without_outliers(seen: Floats, factor: Floats, known: Bools, weekend: Bools) -> Floats:
    """Bring quarter hours far from the median of their kind of day back to its edge."""
    relative = np.where(known, seen / np.maximum(factor, 1e-6)[:, :, None], np.nan)
    out = seen
    for kind in (False, True):
        mine = known & (weekend == kind)[:, :, None]
        enough = mine.any(2).sum(1) >= MEDIAN_DAYS
        if not enough.any():
            continue
        ordered = np.sort(np.where(mine, relative, np.inf), axis=1)
        count = mine.sum(1)
        middle = np.take_along_axis(ordered, (np.maximum(count - 1, 0) // 2)[:, None], 1)
        upper = np.take_along_axis(
            ordered,
            (count // 2 - (count > 0) * (count % 2 == 0) * 0)[:, None].clip(
                max=ordered.shape[1] - 1
            ),
            1,
        )
        middle = np.where(np.isfinite(upper), (middle + upper) / 2, middle)
        middle = np.where(np.isfinite(middle), middle, 0.0) * factor[:, :, None]
        reach = np.maximum(0.5 * middle, 4 * np.sqrt(middle / BIN_MINUTES))
        clipped = np.clip(seen, middle - reach, middle + reach)
        out = np.where(mine & enough[:, None, None], clipped, out)
    return out


def _toward(shape: Floats, total: Floats, exposure: Floats, edges: Bools) -> Floats:
    """Shape of one kind of day, drawn to the shape of all days as far as noise explains both.

    The pull is the empirical Bayes one: sampling variance over the variance between the kinds.
    """
    rate = np.where(exposure > 0, _ratio(total, exposure), shape)
    edges = edges | closings(rate, exposure)
    smooth_total, smooth_exposure = smooth_circular(total, edges), smooth_circular(exposure, edges)
    model = np.maximum(shape * smooth_exposure, 1e-9)
    noise = SMOOTHED_PART / np.maximum(BIN_MINUTES * model, 1e-9)
    distance = (smooth_total / model - 1) ** 2
    heavy = np.minimum(model, 5.0)
    between = ((distance - noise) * heavy).sum(1) / np.maximum(heavy.sum(1), 1e-9)
    pull = SMOOTHED_PART / BIN_MINUTES / np.maximum(between, LEAST_BETWEEN)[:, None]
    drawn: Floats = (smooth_total + pull) / (smooth_exposure + pull / np.maximum(shape, 1e-6))
    return drawn


def _weekday_factors(factor: Floats, whole: Bools, day: Ints) -> Floats:
    """Mean factor of each weekday, shrunk to the mean of all by half a day."""
    weekday = weekday_of(day)
    log = np.where(whole, np.log(np.maximum(factor, 1e-6)), 0.0)
    open_ = whole & (factor > 0)
    centre = (log * open_).sum(1) / np.maximum(open_.sum(1), 1)
    out = np.empty((len(factor), 7))
    for index in range(7):
        mine = whole & (weekday == index)
        out[:, index] = ((log * mine).sum(1) + 0.5 * centre) / (mine.sum(1) + 0.5)
    return np.exp(out)


SMOOTHING = np.hanning(7)[1:-1] / np.hanning(7)[1:-1].sum()


# Variance left after that averaging, and the least difference assumed between kinds of day.
SMOOTHED_PART = float((SMOOTHING**2).sum())
LEAST_BETWEEN = 0.003


def smooth_circular(shape: Floats, edges: Bools | None = None) -> Floats:
    """Average each quarter hour with its two neighbours on both sides, around midnight too.

    Parameters
    ----------
    edges : array (S, 96) of bool, optional
        Whether a source opens or closes at the end of the quarter hour: no average reaches past it.
    """
    edges = np.zeros(shape.shape, bool) if edges is None else edges
    out, whole = np.zeros_like(shape), np.zeros_like(shape)
    for offset, weight in zip(range(-2, 3), SMOOTHING, strict=True):
        part = np.where(_is_past_edge(edges, offset), 0.0, weight)
        out += part * np.roll(shape, offset, axis=-1)
        whole += part
    return out / whole


def _is_past_edge(edges: Bools, back: int) -> Bools:
    """Tell where an edge lies between a quarter hour and the one so many before it, (S, 96)."""
    past = np.zeros_like(edges)
    for step in range(min(back, 0) + 1, max(back, 0) + 1):
        past |= np.roll(edges, step, axis=-1)
    return past


def _ratio(numerator: Floats, denominator: Floats) -> Floats:
    return np.maximum(numerator, 1e-6) / np.maximum(denominator, 1e-6)


def seasoned(state: State, moments: Moments) -> Bools:
    """Whether days like this one have been seen often enough to expect their shape, (S,)."""
    kind = (moments.weekday >= SATURDAY).astype(np.int64)
    return state.season_days[np.arange(len(state)), kind] >= SEASON_DAYS
