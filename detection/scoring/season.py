"""The shape of a source's day, fitted to the days that have passed."""

import numpy as np

from detection.scoring.minutes import SATURDAY, weekday_of
from detection.scoring.opening import closings, idle_days, once_empty, shut_hours
from detection.scoring.recurring import with_weekday, without_doubtful
from detection.scoring.series import Bools, Floats, Ints
from detection.scoring.state import BIN_MINUTES, BINS, DAY_TYPES
from detection.scoring.steps import steps

# A median needs three days; two say only that they differ.
MEDIAN_DAYS = 3
SMOOTHING = np.hanning(7)[1:-1] / np.hanning(7)[1:-1].sum()
# Variance left after that averaging, and the least difference assumed between kinds of day.
SMOOTHED_PART = float((SMOOTHING**2).sum())
LEAST_BETWEEN = 0.003


def fit_season(
    history: Floats, day: Ints, today: Ints | None = None
) -> tuple[Floats, Floats, Floats]:
    """Fit shape and weekday factors to past days.

    Parameters
    ----------
    history : array (S, 28, 96)
        Mean volume by day and quarter hour [transactions a minute]; negative = counted in an
        alarm, NaN = unknown.
    day : array (S, 28) of int64
        Local day since 1970-01-01 of each row, -1 = empty.
    today : array (S,) of int64, optional
        The local day that begins: what its weekday has unlike others is in the shape of its kind.

    Returns
    -------
    season : array (S, 2, 96)
        Volume of a typical weekday and weekend day [transactions a minute].
    factor : array (S, 7)
        What each weekday's total is of that.
    days : array (S, 2)
        Weekdays and weekend days the fit rests on.
    """
    plain = history >= 0
    history, known = without_doubtful(history, day)
    whole = ((plain | known).mean(axis=2) > 0.5) & (day >= 0)
    idle, stopped = idle_days(history, whole, day)
    whole &= ~stopped
    known &= (whole & ~idle)[:, :, None]
    known &= ~once_empty(history, known, day)
    known &= ~shut_hours(history, known, day, np.asarray(idle.any(1)))
    seen = np.where(known, history, 0.0)
    weekend = weekday_of(day) >= SATURDAY
    shape = _mean_shape(seen, known.astype(float))
    factor = _ratio(seen.sum(2), (shape[:, None] * known).sum(2))
    seen = _without_outliers(seen, factor, known, weekend)
    for _ in range(2):
        shape = _mean_shape(seen, factor[:, :, None] * known)
        factor = _ratio(seen.sum(2), (shape[:, None] * known).sum(2))
    exposure = factor[:, :, None] * known
    edges = closings(shape, known.sum(1)) | steps(shape, smooth_circular(shape), seen, exposure)
    shape = smooth_circular(shape, edges)
    season = np.empty((len(history), DAY_TYPES, BINS))
    for kind in range(DAY_TYPES):
        weight = exposure * (whole & (weekend == bool(kind)))[:, :, None]
        season[:, kind] = _toward(shape, np.where(weight > 0, seen, 0.0), weight, edges)
    if today is not None:
        mine = np.arange(len(season)), (weekday_of(today) >= SATURDAY).astype(np.int64)
        part = factor * (whole & ~idle)
        season[mine] = with_weekday(season[mine], history, part, day, today)
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
            (count // 2)[:, None].clip(max=ordered.shape[1] - 1),
            1,
        )
        middle = np.where(np.isfinite(upper), (middle + upper) / 2, middle)
        middle = np.where(np.isfinite(middle), middle, 0.0) * factor[:, :, None]
        reach = np.maximum(0.5 * middle, 4 * np.sqrt(middle / BIN_MINUTES))
        clipped = np.clip(seen, middle - reach, middle + reach)
        out = np.where(mine & enough[:, None, None], clipped, out)
    return out


def _toward(shape: Floats, seen: Floats, exposures: Floats, edges: Bools) -> Floats:
    """Shape of one kind of day, drawn to the shape of all days as far as noise explains both.

    The pull is the empirical Bayes one: sampling variance over the variance between the kinds.
    """
    total, exposure = seen.sum(1), exposures.sum(1)
    rate = np.where(exposure > 0, _ratio(total, exposure), shape)
    edges = edges | closings(rate, exposure) | steps(rate, smooth_circular(rate), seen, exposures)
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
