"""Judge one minute of many sources, and learn from it. Scoring never learns."""

from dataclasses import dataclass, replace

import numpy as np

from detection.scoring import alarm as alarms
from detection.scoring import designs
from detection.scoring.baseline import Expectation, expect, follow_level, record_history, seasoned
from detection.scoring.calibration import z_surprise
from detection.scoring.cusum import accumulate, negative_binomial_gain
from detection.scoring.dispersion import Dispersion, dispersion, learn_dispersion
from detection.scoring.explain import Explanation, explain
from detection.scoring.forecast import forecast
from detection.scoring.forest import Forest, features
from detection.scoring.minutes import Counts, Moments, tally
from detection.scoring.policy import Policy
from detection.scoring.series import RATES, Bools, Floats, Ints, rate_counts
from detection.scoring.shares import adopt_codes, learn_shares, shares
from detection.scoring.silence import learn_habits, reports_zeros, silence_gain
from detection.scoring.state import MAXIMA_DAYS, WINDOWS, State
from detection.scoring.tails import stabilised_z
from detection.scoring.thresholds import gumbel_threshold, unlearned

__all__ = ["Explanation", "Scores", "explain", "forecast", "learn", "score", "tally"]

# One minute may add at most this part of the threshold: no single minute pages.
CAP = 0.6
# A source is learning until it has reported this many minutes.
LEARNING_MINUTES = 120
BAND_WIDTH = 3.0
ZS = 7
SHIFT_KEEP = 1 - 1 / 20.0
MILDEST = (1 + designs.RHO) / 2
USEFUL_MINUTES = 300.0
INFORMATION = designs.RHO * designs.LOG_RHO - designs.RHO_LESS_1
MUST_BE_USEFUL = (designs.RHO > 0) & (designs.RHO < 3)
# A share is known well enough to notice its fall from this many transactions on.
FALL_TRANSACTIONS = 50.0
GAP_MINUTES = 15


@dataclass(frozen=True)
class Running:
    """Evidence of each test after this minute, all of shape (S, T)."""

    gain: Floats
    evidence: Floats
    onset: Ints
    seen: Floats
    meant: Floats
    shift_seen: Floats
    shift_meant: Floats
    clearing: Floats
    alarm: Ints
    alarm_since: Ints
    threshold: Floats


@dataclass(frozen=True)
class Scores:
    """The judgement of one minute, every field with a leading axis of sources.

    Attributes
    ----------
    level : (S,) int, 0 NORMAL, 1 WARNING, 2 CRITICAL
    family_level : (S, 7) int, the same by family
    anomaly_score, ml_score, z_score : (S,) float, 0..1 on one scale; ml_score NaN without a forest
    z : (S,) float, largest signed distance [standard deviations]
    zscore : (S, 6) float, signed distance by status
    expected, lower, upper : (S, 6) float [transactions in this minute]
    total_expected, total_lower, total_upper : (S,) float [transactions in this minute]
    evidence : (S, 7) float, evidence over threshold; 1 raises an alarm
    probability : (S,) float, tail probability of the largest z
    onset_utc_minute : (S, 7) int, first minute of the deviation, -1 = none
    excess, excess_low, excess_high : (S, 7) float [transactions since the onset]
    learning : (S,) bool, True while too little is known
    """

    level: Ints
    family_level: Ints
    anomaly_score: Floats
    z: Floats
    z_total: Floats
    z_score: Floats
    ml_score: Floats
    zscore: Floats
    expected: Floats
    lower: Floats
    upper: Floats
    total_expected: Floats
    total_lower: Floats
    total_upper: Floats
    evidence: Floats
    probability: Floats
    onset_utc_minute: Ints
    excess: Floats
    excess_low: Floats
    excess_high: Floats
    learning: Bools
    best_test: Ints
    expectation: Expectation
    channel_seen: Floats
    channel_meant: Floats
    channel_centre: Floats
    dispersion: Dispersion
    running: Running


def score(
    state: State,
    policy: Policy,
    moments: Moments,
    counts: Counts,
    *,
    closed: Bools,
    past: Bools | None = None,
    forest: Forest | None = None,
) -> Scores:
    """Judge one minute; the state is not changed, so judging again gives the same answer.

    Parameters
    ----------
    closed : array (S,) of bool
        The minute is complete. False: a report of a minute still filling; then only what the
        counts so far prove is judged (shares given the total, surges), never low volume or silence.
    past : array (S,) of bool, optional
        The minute is not the one after the last learned: judged on its own, without the running
        evidence.
    forest : Forest, optional
        The second opinion; without it the z alone makes the anomaly score.
    """
    size = len(state)
    past = np.zeros(size, bool) if past is None else past
    expectation = expect(state, moments)
    total = counts.status.sum(1)
    rates = rate_counts(counts.status, counts.code)
    share = shares(state)
    seen = np.empty((size, designs.FIRST_RATE + RATES))
    meant = np.empty_like(seen)
    seen[:, : designs.FIRST_RATE] = total[:, None]
    seen[:, designs.FIRST_RATE :] = rates
    visible = np.where(counts.reported, 1.0, 1 - reports_zeros(state))
    meant[:, : designs.FIRST_RATE] = expectation.channels * visible[:, None]
    meant[:, designs.FIRST_RATE :] = share * total[:, None]
    centre = meant.copy()
    centre[:, :2] = (expectation.fast * visible)[:, None]
    centre[:, 2:4] = (expectation.slow * visible)[:, None]
    width = dispersion(state, meant)
    running = _accumulate(state, policy, moments, counts, closed, past, seen, meant, width)
    return _judge(
        state, policy, running, expectation, counts, seen, meant, centre, width, share, forest
    )


def _accumulate(
    state: State,
    policy: Policy,
    moments: Moments,
    counts: Counts,
    closed: Bools,
    past: Bools,
    seen: Floats,
    meant: Floats,
    width: Dispersion,
) -> Running:
    threshold = np.where(state.threshold > 0, state.threshold, unlearned(len(state)))
    total_width = width.total
    x = np.take(seen / total_width, designs.CHANNEL, axis=1)
    m = np.take(meant / total_width, designs.CHANNEL, axis=1)
    gain = negative_binomial_gain(
        np.take(seen, designs.CHANNEL, axis=1),
        np.take(meant, designs.CHANNEL, axis=1),
        np.take(width.scatter, designs.CHANNEL, axis=1),
        designs.RHO,
    ) / np.take(width.swing, designs.CHANNEL, axis=1)
    gain[:, designs.SILENCE] = silence_gain(state, meant[:, 0], width, counts.reported)
    gain = np.where(~closed[:, None] & designs.FALLS, 0.0, gain)
    gain = np.where(_testable(state, moments), gain, 0.0)
    useful = m * INFORMATION * USEFUL_MINUTES >= threshold
    gain = np.where(useful | ~MUST_BE_USEFUL, gain, np.minimum(gain, 0.0))
    fresh = past | (moments.utc_minute - state.through > GAP_MINUTES)
    keep = ~fresh[:, None]
    before = np.where(keep, state.evidence, 0)
    cap = np.where(past[:, None], np.inf, CAP * threshold)
    evidence = accumulate(before - alarms.FADING, gain, cap, alarms.TOP_FACTOR * threshold)
    started = (before <= 0) & (evidence > 0)
    now = moments.utc_minute[:, None]
    onset = np.where(started, now, np.where(evidence > 0, state.onset, -1))
    returning = (state.alarm > 0) & (state.clearing > 0)
    adds = ~returning
    seen_since = np.where(started, 0, state.seen) + np.take(seen, designs.CHANNEL, axis=1) * adds
    meant_since = np.where(started, 0, state.meant) + np.take(meant, designs.CHANNEL, axis=1) * adds
    allowed = _allowed(state, policy, seen_since, meant_since)
    previous = np.where(keep, state.alarm, 0)
    level = alarms.next_alarm(previous, evidence, threshold, gain, now - onset + 1, allowed)
    shift_seen = np.where(
        returning,
        state.shift_seen,
        state.shift_seen * SHIFT_KEEP + np.take(seen, designs.CHANNEL, axis=1),
    )
    shift_meant = np.where(
        returning,
        state.shift_meant,
        state.shift_meant * SHIFT_KEEP + np.take(meant, designs.CHANNEL, axis=1),
    )
    ratio = alarms.shift_seen(shift_seen, shift_meant)
    ratio = np.where(designs.FALLS, np.minimum(ratio, MILDEST), np.maximum(ratio, MILDEST))
    back = np.where(previous > 0, state.clearing, 0) + np.minimum(
        alarms.return_gain(x, m, ratio) + alarms.RETURN_HAZARD, alarms.RETURN_EVIDENCE / 2
    )
    clearing = np.maximum(back, 0) * (previous > 0)
    clearing[:, designs.SILENCE] = np.where(counts.reported, np.inf, 0)
    cleared = (previous > 0) & (clearing >= alarms.RETURN_EVIDENCE)
    over = cleared.any(1)[:, None] & (previous > 0) & (clearing > 0)
    cleared |= over
    level = np.where(cleared, 0, level).astype(np.int8)
    evidence = np.where(cleared, 0, evidence)
    since = np.where((previous == 0) & (level > 0), now, np.where(level > 0, state.alarm_since, -1))
    return Running(
        gain,
        evidence,
        onset,
        seen_since,
        meant_since,
        shift_seen,
        shift_meant,
        clearing,
        level,
        since,
        threshold,
    )


def _allowed(state: State, policy: Policy, seen: Floats, meant: Floats) -> Bools:
    """Which tests may raise an alarm now, shape (S, T)."""
    excess = np.abs(seen - meant)
    large = excess >= policy.minimum_excess[:, None]
    changed = excess >= policy.minimum_relative_change[:, None] * meant
    on = policy.families_on[:, designs.FAMILY]
    silent = np.arange(designs.TESTS) == designs.SILENCE
    return (large & changed | silent) & on


def _testable(state: State, moments: Moments) -> Bools:
    """Which tests have the history they need, shape (S, T)."""
    known = seasoned(state, moments)[:, None]
    needs_season = designs.IS_VOLUME & (designs.RHO > 0.1)
    learned = state.minutes[:, None] >= LEARNING_MINUTES
    rate = np.maximum(designs.CHANNEL - designs.FIRST_RATE, 0)
    common = np.take(state.share_seen, rate, axis=1) >= FALL_TRANSACTIONS
    needs_count = designs.FALLS & ~designs.IS_VOLUME
    return learned & (known | ~needs_season) & (common | ~needs_count)


def _judge(
    state: State,
    policy: Policy,
    running: Running,
    expectation: Expectation,
    counts: Counts,
    seen: Floats,
    meant: Floats,
    centre: Floats,
    width: Dispersion,
    share: Floats,
    forest: Forest | None,
) -> Scores:
    size = len(state)
    relative = running.evidence / running.threshold
    member = designs.IN_FAMILY
    by_family = np.where(member[None], relative[:, :, None], -1)
    best = by_family.argmax(1)
    evidence = np.take_along_axis(relative, best, 1)
    family_level = np.where(member[None], running.alarm[:, :, None], 0).max(1)
    excess = np.take_along_axis(running.seen - running.meant, best, 1)
    spread = np.sqrt(
        np.take_along_axis(running.meant, best, 1)
        * np.take(width.total, designs.CHANNEL, axis=1)[np.arange(size)[:, None], best]
        + 1
    )
    active = evidence > 0
    expected = np.empty((size, 6))
    basis = np.where(counts.reported, seen[:, 0], expectation.fast)[:, None]
    expected[:, 1:] = share[:, 1:6] * basis
    expected[:, 0] = expectation.fast * (1 - share[:, 0] - share[:, 5])
    widths = np.concatenate([width.total[:, :1], width.total[:, 5:10]], axis=1)
    z = stabilised_z(counts.status, expected, widths)
    total_z = stabilised_z(seen[:, 0], expectation.fast, width.total[:, 0])
    z = np.where(counts.reported[:, None], z, 0)
    every = np.concatenate([z, np.where(counts.reported, total_z, 0)[:, None]], axis=1)
    largest = np.take_along_axis(every, np.abs(every).argmax(1)[:, None], 1)[:, 0]
    z_score = z_surprise(largest, ZS)
    total_z = np.where(counts.reported, total_z, 0)
    half = BAND_WIDTH * np.sqrt(widths)
    total_half = BAND_WIDTH * np.sqrt(width.total[:, 0])
    root = np.sqrt(expected)
    total_root = np.sqrt(expectation.fast)
    found = Scores(
        level=family_level.max(1),
        family_level=family_level,
        anomaly_score=z_score,
        z=largest,
        z_total=total_z,
        z_score=z_score,
        ml_score=np.full(size, np.nan),
        zscore=z,
        expected=expected,
        lower=np.maximum(root - half / 2, 0) ** 2,
        upper=(root + half / 2 + 0.5) ** 2,
        total_expected=expectation.fast,
        total_lower=np.maximum(total_root - total_half / 2, 0) ** 2,
        total_upper=(total_root + total_half / 2 + 0.5) ** 2,
        evidence=evidence,
        probability=np.exp(-np.maximum(largest**2 / 2, 0)),
        onset_utc_minute=np.where(active, np.take_along_axis(running.onset, best, 1), -1),
        excess=np.where(active, excess, 0),
        excess_low=np.where(active, excess - 1.96 * spread, 0),
        excess_high=np.where(active, excess + 1.96 * spread, 0),
        learning=state.minutes < LEARNING_MINUTES,
        best_test=best,
        expectation=expectation,
        channel_seen=seen,
        channel_meant=meant,
        channel_centre=centre,
        dispersion=width,
        running=running,
    )
    return found if forest is None else _with_forest(state, policy, counts, found, forest)


def _with_forest(
    state: State, policy: Policy, counts: Counts, scores: Scores, forest: Forest
) -> Scores:
    """Add the forest's opinion: the anomaly score is the weighted mean of both."""
    opinion = forest.surprise(features(state, scores, counts))
    whole = np.maximum(policy.weight_ml + policy.weight_z, 1e-9)
    mixed = (policy.weight_ml * opinion + policy.weight_z * scores.z_score) / whole
    return replace(scores, ml_score=opinion, anomaly_score=mixed)


def learn(state: State, policy: Policy, moments: Moments, counts: Counts, scores: Scores) -> None:
    """Advance the state by one closed minute: evidence, baseline, dispersion and thresholds."""
    running = scores.running
    total = scores.channel_seen[:, 0]
    _close_day(state, policy, moments)
    for name in (
        "evidence",
        "onset",
        "seen",
        "meant",
        "shift_seen",
        "shift_meant",
        "clearing",
        "alarm",
        "alarm_since",
    ):
        getattr(state, name)[:] = getattr(running, name)
    quiet = np.where(running.alarm == 0, running.evidence, 0)
    np.maximum(state.day_maximum, quiet, out=state.day_maximum)
    recent = moments.utc_minute[:, None] - running.onset < alarms.NEW_LEVEL_MINUTES
    suspect = (running.alarm > 0) | ((running.evidence > 0.7 * running.threshold) & recent)
    _adopt_new_levels(state, moments)
    volume_suspect = (suspect & designs.IS_VOLUME).any(1)
    counted = counts.reported | (reports_zeros(state) < 0.5)
    alarmed = ((running.alarm > 0) & designs.IS_VOLUME).any(1)
    normal = counted & ~(alarmed & seasoned(state, moments))
    calm = counts.reported & ~suspect.any(1)
    follow_level(state, scores.expectation, total, counted, volume_suspect)
    record_history(state, moments, total, normal)
    rates = scores.channel_seen[:, designs.FIRST_RATE :]
    live = np.broadcast_to(calm[:, None], rates.shape)
    learn_shares(state, rates, total, scores.expectation.slow, live)
    warm = state.minutes >= LEARNING_MINUTES / 2
    learn_dispersion(
        state, scores.channel_seen, scores.channel_centre, (calm & warm)[:, None] & True
    )
    learn_habits(state, scores.expectation.fast, total, scores.dispersion, counts.reported)
    adopt_codes(state, counts.code, counts.pooled)
    _advance_windows(state, scores, counts)
    state.family_level[:] = scores.family_level
    state.minutes += counts.reported
    state.started[:] = np.where(state.started < 0, moments.utc_minute, state.started)
    state.through[:] = moments.utc_minute


def _adopt_new_levels(state: State, moments: Moments) -> None:
    """After four hours the shift is the new normal: the alarm ends and the baseline moves."""
    age = moments.utc_minute[:, None] - state.alarm_since
    window_ratio = alarms.shift_seen(state.window_seen[:, 1, -1], state.window_expected[:, 1, -1])
    patience = np.where(designs.IS_VOLUME, alarms.NEW_VOLUME_MINUTES, alarms.NEW_LEVEL_MINUTES)
    mild = (window_ratio > 0.5) & (window_ratio < 1.9)
    patience = np.where(mild[:, None], patience, alarms.NEW_LEVEL_MINUTES)
    old = (state.alarm > 0) & (age >= patience)
    old[:, designs.SILENCE] = False
    if not old.any():
        return
    rows = np.flatnonzero(old.any(1))
    ratio = alarms.shift_seen(state.window_seen[rows, -1], state.window_expected[rows, -1])
    moved = (old & designs.IS_VOLUME)[rows].any(1)
    fast = state.level_seen[rows, 0] / np.maximum(state.level_expected[rows, 0], 1e-9)
    adopted = (fast * ratio[:, -1])[:, None] * state.level_expected[rows]
    state.level_seen[rows] = np.where(moved[:, None], adopted, state.level_seen[rows])
    for series in range(6):
        mine = old[rows][:, designs.FIRST_RATE + series == designs.CHANNEL].any(1)
        known = series > 0
        change = ratio[:, series] if known else np.ones(len(rows))
        state.share_seen[rows, series] *= np.where(mine, change, 1)
    state.alarm[old] = 0
    state.evidence[old] = 0


def _close_day(state: State, policy: Policy, moments: Moments) -> None:
    """At the end of a local day its largest evidence joins the maxima and thresholds are reset."""
    rows = np.flatnonzero((state.day >= 0) & (moments.day > state.day))
    if not rows.size:
        return
    # a day begun or spent learning says nothing about quiet traffic
    whole = rows[state.minutes[rows] >= 2 * LEARNING_MINUTES]
    slot = state.day[whole] % MAXIMA_DAYS
    yesterday = Moments(moments.utc_minute - 1, moments.local_minute - 1)
    fit = seasoned(state, yesterday)[whole, None] | ~designs.IS_VOLUME
    state.maxima[whole, slot] = np.where(fit, state.day_maximum[whole], np.nan)
    state.day_maximum[rows] = 0
    maxima = state.maxima[rows].astype(float)
    state.threshold[rows] = gumbel_threshold(maxima, policy.pages_per_week[rows])


def _advance_windows(state: State, scores: Scores, counts: Counts) -> None:
    keep = (1 - 1 / np.array(WINDOWS))[None, :, None]
    seen = np.concatenate([counts.status, scores.channel_seen[:, :1]], axis=1)
    meant = np.concatenate([scores.expected, scores.total_expected[:, None]], axis=1)
    state.window_seen[:] = state.window_seen * keep + seen[:, None]
    state.window_expected[:] = state.window_expected * keep + meant[:, None]
