"""What one closed minute teaches: evidence, level, season, shares, widths and thresholds."""

import numpy as np

from detection.scoring import alarm, designs
from detection.scoring.baseline import follow_level, record_history, seasoned
from detection.scoring.dispersion import learn_dispersion
from detection.scoring.evidence import Running
from detection.scoring.inheriting import scale_inherited
from detection.scoring.minutes import Counts, Moments
from detection.scoring.opening import TELLING
from detection.scoring.outlook import LEARNING_MINUTES
from detection.scoring.policy import Policy
from detection.scoring.routines import learn_routines
from detection.scoring.scores import Scores
from detection.scoring.series import FIRST_CODE, MINUTES_PER_DAY, RATES, Bools, Floats, Ints
from detection.scoring.shares import UNSEEN, adopt_codes, close_hours, learn_shares
from detection.scoring.silence import learn_habits, reports_zeros
from detection.scoring.state import MAXIMA_DAYS, WINDOWS, State
from detection.scoring.thresholds import gumbel_threshold

# From this part of the threshold on, a minute is too doubtful to learn from.
DOUBTFUL = 0.7
# With less than this part of the usual volume declared, what comes tells no season.
LEAST_FACTOR = 0.1
# Less than this part of what was expected lately is nothing.
NOTHING = 0.01
WINDOW_KEEP = 1 - 1 / np.array(WINDOWS)[None, :, None]
# Before a source is half a day old its shares are not known well enough to see when they rise.
ROUTINE_MINUTES = MINUTES_PER_DAY / 2
SHORT, MIDDLE, LONG = range(3)
CARRIED = (
    "evidence",
    "onset",
    "seen",
    "meant",
    "shift_seen",
    "shift_meant",
    "clearing",
    "alarm",
    "alarm_since",
    "strong",
)


def learn(state: State, policy: Policy, moments: Moments, counts: Counts, scores: Scores) -> None:
    """Advance the state by one closed minute: evidence, baseline, dispersion and thresholds."""
    running, channels = scores.running, scores.channels
    total = channels.seen[:, 0]
    _close_day(state, policy, moments)
    for name in CARRIED:
        getattr(state, name)[:] = getattr(running, name)
    watched = policy.families_on[:, designs.FAMILY]
    quiet = np.where(watched & (running.alarm == 0), running.evidence, 0)
    np.maximum(state.day_maximum, quiet, out=state.day_maximum)
    suspect = _suspect(running, moments)
    _adopt_new_levels(state, moments)
    known = counts.reported | (reports_zeros(state) < 0.5)
    # Nothing is known yet of how it says "none": a whole quarter hour of silence may be its way.
    told = counts.reported | (reports_zeros(state) <= 0.5)
    volume_suspect = suspect[:, designs.IS_VOLUME].any(1)
    volume_alarm = (running.alarm[:, designs.IS_VOLUME] > 0).any(1)
    calm = (counts.reported & ~suspect.any(1))[:, None]
    follow_level(state, scores.expectation, total, known & ~volume_suspect)
    ordinary = known & ~(volume_alarm & seasoned(state, moments))
    plain, usable = undeclared(moments, total)
    width = channels.width.total[:, 0]
    record_history(state, moments, plain, ordinary & usable, told & usable, width)
    rates = channels.seen[:, designs.FIRST_RATE :]
    usual = scores.expectation.slow
    usable_rates = calm & ~_is_odd(running, moments)[:, None]
    no_routine = channels.routine == 1
    learn_shares(state, moments.minute_of_day, rates, total, usual, usable_rates & no_routine)
    learn_routines(
        state,
        moments,
        rates,
        channels.meant[:, designs.FIRST_RATE :] / channels.routine,
        channels.width.total[:, designs.FIRST_RATE :],
        counts.reported & (state.minutes >= ROUTINE_MINUTES),
    )
    warm = calm & (state.minutes >= LEARNING_MINUTES / 2)[:, None]
    # About a step, or in a routine, too little is known to tell how much counts vary.
    steady = np.repeat(warm, len(designs.CHANNELS), axis=1)
    steady[:, : designs.FIRST_RATE] &= ~scores.expectation.stepping[:, None]
    steady[:, designs.FIRST_RATE :] &= no_routine
    learn_dispersion(state, channels.seen, channels.centre, steady)
    learn_habits(state, scores.expectation.fast, total, channels.width, counts.reported)
    adopt_codes(state, counts.code, counts.pooled)
    _advance_windows(state, scores, counts)
    state.family_level[:] = scores.family_level
    state.last_score[:] = scores.anomaly_score
    # zeros before the first transaction teach nothing
    state.minutes += counts.reported & ((total > 0) | (state.level_seen[:, 0] > 0))
    state.started[:] = np.where(state.started < 0, moments.utc_minute, state.started)
    grown = moments.utc_minute - state.started >= LEARNING_MINUTES
    grown &= state.through - state.started < LEARNING_MINUTES
    state.through[:] = moments.utc_minute
    if grown.any():
        scale_inherited(state, np.flatnonzero(grown))


def undeclared(moments: Moments, total: Floats) -> tuple[Floats, Bools]:
    """Return the volume without what was declared for the minute, and where it can be told, (S,).

    The season is that of ordinary days; of a planned stop nothing is left to learn it from.
    """
    if moments.promotion is None:
        return total, np.ones(len(total), bool)
    usable = moments.promotion >= LEAST_FACTOR
    return np.where(usable, total / np.maximum(moments.promotion, LEAST_FACTOR), total), usable


def _suspect(running: Running, moments: Moments) -> Bools:
    """Which tests doubt the minute so much that nothing should be learned from it, (S, T)."""
    doubtful = running.evidence > DOUBTFUL * running.threshold
    return (running.alarm > 0) | (doubtful & _is_recent(running, moments))


def _is_odd(running: Running, moments: Moments) -> Bools:
    """Where a rate is so far off in this minute alone that it says nothing of the usual, (S,).

    No minute alone makes a test doubtful. A rare code that everything has for one would be
    expected many times as often for hours.
    """
    odd = (running.gain > DOUBTFUL * running.threshold) & _is_recent(running, moments)
    told: Bools = np.logical_or.reduce(odd[:, ~designs.IS_VOLUME], axis=1)
    return told


def _is_recent(running: Running, moments: Moments) -> Bools:
    """Which tests began to speak so lately that it is no new level yet, (S, T)."""
    return moments.utc_minute[:, None] - running.onset < alarm.NEW_LEVEL_MINUTES


def _adopt_new_levels(state: State, moments: Moments) -> None:
    """A shift that lasted is the new normal: its alarm ends and the baseline moves there."""
    if not (state.alarm > 0).any():
        return
    _wait_for_return(state, moments)
    volume = _volume_shift(state.window_seen, state.window_expected)
    mild = (volume > alarm.MILD_SHIFT[0]) & (volume < alarm.MILD_SHIFT[1])
    soon = designs.IS_VOLUME & mild[:, None]
    patience = np.where(soon, alarm.NEW_VOLUME_MINUTES, alarm.NEW_LEVEL_MINUTES)
    age = moments.utc_minute[:, None] - state.alarm_since
    lasted = (state.alarm > 0) & (age >= patience)
    lasted[:, designs.SILENCE] = False
    if not lasted.any():
        return
    _move_baseline(state, lasted)
    state.alarm[lasted] = 0
    state.evidence[lasted] = 0


def _volume_shift(seen: Floats, expected: Floats) -> Floats:
    """Ratio of the volume of the last quarter hour to what was expected, from the windows, (S,)."""
    return alarm.shift_seen(seen[:, MIDDLE, 6], expected[:, MIDDLE, 6])


def _wait_for_return(state: State, moments: Moments) -> None:
    """A source that has nothing has no new level: its volume is lacking from its return on."""
    since = state.alarm_since[:, designs.SILENCE]
    long = moments.utc_minute - since >= alarm.NEW_VOLUME_MINUTES
    silent = (state.alarm[:, designs.SILENCE] > 0) & long
    seen, meant = state.window_seen[:, MIDDLE, 6], state.window_expected[:, MIDDLE, 6]
    silent |= (seen < NOTHING * meant) & (meant >= TELLING)
    if silent.any():
        lacks = silent[:, None] & (state.alarm > 0) & designs.IS_VOLUME
        lacks[:, designs.SILENCE] = False
        state.alarm_since[:] = np.where(lacks, moments.utc_minute[:, None], state.alarm_since)


def _move_baseline(state: State, lasted: Bools) -> None:
    rows = np.flatnonzero(lasted.any(1))
    ratio = alarm.shift_seen(state.window_seen[rows, LONG], state.window_expected[rows, LONG])
    moved = (lasted & designs.IS_VOLUME)[rows].any(axis=1)
    fast = state.level_seen[rows, 0] / np.maximum(state.level_expected[rows, 0], 1e-9)
    # A volume may be adopted after an hour, of which the long window holds a part from before.
    volume = _volume_shift(state.window_seen[rows], state.window_expected[rows])
    level = (fast * volume)[:, None] * state.level_expected[rows]
    # What rose may fall again: the slow level follows a rise in its own time.
    levels = np.stack([moved, moved & (volume < 1)], axis=1)
    state.level_seen[rows] = np.where(levels, level, state.level_seen[rows])
    for series in range(FIRST_CODE):
        tests = designs.FIRST_RATE + series == designs.CHANNEL
        mine = lasted[rows][:, tests].any(1)
        change = alarm.shift_seen(
            state.window_seen[rows, LONG, 1:5].sum(1), state.window_expected[rows, LONG, 1:5].sum(1)
        )
        change = ratio[:, series] if series else change
        moved = (state.share_seen[rows, series] + UNSEEN) * change - UNSEEN
        moved = np.clip(moved, 0, state.share_total[rows, series])
        state.share_seen[rows, series] = np.where(mine, moved, state.share_seen[rows, series])
    _move_codes(state, lasted, rows)


def _move_codes(state: State, lasted: Bools, rows: Ints) -> None:
    """Codes have no window of their own: the shift at the height of the alarm is taken."""
    for series in range(FIRST_CODE, RATES):
        tests = np.flatnonzero(designs.FIRST_RATE + series == designs.CHANNEL)
        mine = rows[lasted[np.ix_(rows, tests)].any(1)]
        strongest = tests[state.evidence[np.ix_(mine, tests)].argmax(1)]
        change = alarm.shift_seen(
            state.shift_seen[mine, strongest], state.shift_meant[mine, strongest]
        )
        moved = np.maximum(state.share_seen[mine, series], 1.0) * change
        state.share_seen[mine, series] = np.minimum(moved, state.share_total[mine, series])


def _close_day(state: State, policy: Policy, moments: Moments) -> None:
    """At the end of a local day its largest evidence joins the maxima and thresholds are reset."""
    rows = np.flatnonzero((state.day >= 0) & (moments.day > state.day))
    if not rows.size:
        return
    # a day begun or spent learning says nothing about quiet traffic
    whole = rows[state.minutes[rows] >= 2 * LEARNING_MINUTES]
    yesterday = Moments(moments.utc_minute - 1, moments.local_minute - 1)
    fit = seasoned(state, yesterday)[whole, None] | ~designs.IS_VOLUME
    slot = state.day[whole] % MAXIMA_DAYS
    state.maxima[whole, slot] = np.where(fit, state.day_maximum[whole], np.nan)
    state.day_maximum[rows] = 0
    close_hours(state, rows)
    maxima = state.maxima[rows].astype(float)
    state.threshold[rows] = gumbel_threshold(maxima, policy.pages_per_week[rows])


def _advance_windows(state: State, scores: Scores, counts: Counts) -> None:
    seen = np.concatenate([counts.status, scores.channels.seen[:, :1]], axis=1)
    meant = np.concatenate([scores.expected, scores.total_expected[:, None]], axis=1)
    state.window_seen[:] = state.window_seen * WINDOW_KEEP + seen[:, None]
    state.window_expected[:] = state.window_expected * WINDOW_KEEP + meant[:, None]
