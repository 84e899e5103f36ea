"""The running evidence of every test: how it grows, what alarm it raises and when that ends."""

from dataclasses import dataclass

import numpy as np
from scipy.special import kl_div

from detection.scoring import alarm, designs
from detection.scoring.channels import Channels
from detection.scoring.cusum import accumulate, negative_binomial_gain
from detection.scoring.minutes import Counts, Moments
from detection.scoring.outlook import Outlook
from detection.scoring.policy import Policy
from detection.scoring.series import Bools, Floats, Ints
from detection.scoring.silence import silence_gain
from detection.scoring.state import State
from detection.scoring.together import add_up

# One minute may add at most this part of the threshold: no single minute pages.
CAP = 0.6
# An ordinary minute takes away at most this part of it: to fail every other minute is to fail.
GIVEN_BACK = 0.3
# A small shift is tested only where its design would be proved within this many minutes.
USEFUL_MINUTES = 300.0
# After a gap in what was judged, evidence from before it is no evidence of now.
GAP_MINUTES = 15
# A minute becomes the onset if it says so much more than all minutes since the onset [nats].
BEGINS_ANEW = 5.0


@dataclass(slots=True)
class Running:
    """Evidence of each test after this minute, all of shape (S, T).

    `seen` and `meant` are sums since the onset; `shift_seen` and `shift_meant` forget within
    twenty minutes and stop while the alarm seems to end, so that they hold the shift at its height.
    """

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
    strong: Ints
    threshold: Floats


@dataclass(frozen=True)
class Proving:
    """Which rows may prove what: complete minutes, past minutes, minutes after a gap, (S, 1)."""

    closed: Bools
    past: Bools
    fresh: Bools


def advance(
    state: State,
    policy: Policy,
    moments: Moments,
    outlook: Outlook,
    counts: Counts,
    channels: Channels,
    closed: Bools,
    past: Bools,
) -> Running:
    """Add the minute to the evidence of every test; the state is not changed."""
    gap = moments.utc_minute - state.through > GAP_MINUTES
    proving = Proving(closed[:, None], past[:, None], (past | gap)[:, None])
    learned = outlook.threshold
    gain = _gains(outlook, counts, channels, proving)
    running = _grow(state, moments, channels, proving, gain, learned, outlook.expectation.fast)
    watched = policy.families_on[:, designs.FAMILY]
    allowed = _allowed(policy, running.seen, running.meant) & watched
    running.evidence, allowed = add_up(
        running.evidence, learned, running.seen, running.meant, allowed, policy
    )
    # An alarm of a family that is watched no more ends at once; its evidence still says what not to
    # learn from.
    before = np.where(proving.fresh, 0, state.alarm) * watched
    on_for = moments.utc_minute[:, None] - state.alarm_since
    lasting = running.strong >= alarm.CRITICAL_MINUTES
    lasting |= (before > 0) & (on_for >= alarm.CRITICAL_ALARM_MINUTES)
    level = alarm.next_alarm(
        before, running.evidence, learned, gain, lasting, allowed, proving.past
    )
    running.alarm = level
    _end(moments, counts, channels, proving, running, before)
    return running


def _gains(outlook: Outlook, counts: Counts, channels: Channels, proving: Proving) -> Floats:
    """Evidence of this minute alone [nats], (S, T); nothing where a test cannot speak."""
    gain = negative_binomial_gain(channels.seen, channels.meant, channels.width.scatter)
    gain /= channels.width.swing.take(designs.CHANNEL, axis=1)
    gain[:, designs.SILENCE] = silence_gain(
        outlook.habits, channels.meant[:, 0], channels.width, counts.reported
    )
    mute = ~proving.closed & designs.FALLS
    mute |= ~outlook.testable
    rises = outlook.routine > 1
    if rises.any():
        # What rises every night and does not tonight is no fall.
        mute |= rises.take(designs.RATE_OF_TEST, axis=1) & designs.FALLS & ~designs.IS_VOLUME
    gain[mute] = 0.0
    information = (channels.meant / channels.width.total).take(designs.CHANNEL, axis=1)
    within = information * designs.INFORMATION * USEFUL_MINUTES
    slow = designs.MUST_BE_USEFUL & (within < outlook.threshold)
    return np.where(slow, np.minimum(gain, 0.0), gain)


def _allowed(policy: Policy, seen: Floats, meant: Floats) -> Bools:
    """Which tests show a change large enough for the policy, shape (S, T)."""
    excess = np.abs(seen - meant)
    large = excess >= policy.minimum_excess[:, None]
    large &= excess >= policy.minimum_relative_change[:, None] * meant
    large[:, designs.SILENCE] = True
    return large


def _grow(
    state: State,
    moments: Moments,
    channels: Channels,
    proving: Proving,
    gain: Floats,
    threshold: Floats,
    usual: Floats,
) -> Running:
    before = np.where(proving.fresh, 0, state.evidence)
    cap = np.where(proving.past, np.inf, CAP * threshold)
    top = alarm.TOP_FACTOR * threshold
    told = np.maximum(gain, -GIVEN_BACK * threshold)
    evidence = accumulate(before - alarm.FADING, told, cap, top)
    x = channels.seen.take(designs.CHANNEL, axis=1)
    m = channels.meant.take(designs.CHANNEL, axis=1)
    # In a silence the whole usual volume is missing.
    m[:, designs.SILENCE] = usual
    # A minute as ordinary as all before it was odd ends the deviation; the next begins after it.
    ordinary = (before - alarm.FADING + gain <= 0) & (state.alarm == 0)
    speaks = (evidence > 0) & ~ordinary
    begins = (before <= 0) | ((state.onset < 0) & (gain > 0))
    started = speaks & (begins | _begins_now(state, before, gain, x, m))
    onset = np.where(started, moments.utc_minute[:, None], state.onset)
    onset = np.where(speaks, onset, -1)
    at_height = ~((state.alarm > 0) & (state.clearing > 0))
    keep = np.where(at_height, alarm.SHIFT_KEEP, 1.0)
    return Running(
        gain=gain,
        evidence=evidence,
        onset=onset,
        seen=np.where(started, 0, state.seen) + x,
        meant=np.where(started, 0, state.meant) + m,
        shift_seen=state.shift_seen * keep + x * at_height,
        shift_meant=state.shift_meant * keep + m * at_height,
        clearing=state.clearing,
        alarm=state.alarm,
        alarm_since=state.alarm_since,
        strong=alarm.strong_minutes(np.where(proving.fresh, 0, state.strong), gain, threshold),
        threshold=threshold,
    )


def _begins_now(state: State, before: Floats, gain: Floats, x: Floats, m: Floats) -> Bools:
    """Where a minute by itself says more than all since the onset together, (S, T).

    Then what began earlier was chance: an odd minute or two that left some evidence. Once there is
    an alarm its onset stays.
    """
    begins: Bools = (gain > before) & (before > 0) & (state.alarm == 0)
    if begins.any():
        x, m = x[begins], m[begins]
        # Of Poisson counts this is the log-likelihood ratio of the shift that fits them best.
        together = kl_div(state.seen[begins] + x, state.meant[begins] + m)
        begins[begins] = kl_div(x, m) > together + BEGINS_ANEW
    return begins


def _end(
    moments: Moments,
    counts: Counts,
    channels: Channels,
    proving: Proving,
    running: Running,
    before: Ints,
) -> None:
    """End alarms that evidence of normality speaks against, and with them those in doubt."""
    on = before > 0
    if not on.any():
        running.clearing = np.zeros_like(running.evidence)
        running.alarm_since = np.where(running.alarm > 0, moments.utc_minute[:, None], -1)
        return
    width = channels.width.total
    x = (channels.seen / width).take(designs.CHANNEL, axis=1)
    m = (channels.meant / width).take(designs.CHANNEL, axis=1)
    ratio = alarm.shift_seen(running.shift_seen, running.shift_meant)
    ratio = np.where(
        designs.FALLS, np.minimum(ratio, designs.MILDEST), np.maximum(ratio, designs.MILDEST)
    )
    step = np.minimum(alarm.return_gain(x, m, ratio), alarm.RETURN_EVIDENCE / 2)
    back = np.maximum(running.clearing + np.where(proving.closed, step, 0.0), 0) * on
    back[:, designs.SILENCE] = np.where(counts.reported, np.inf, 0)
    ended = on & (back >= alarm.RETURN_EVIDENCE)
    ended |= ended.max(axis=1)[:, None] & on & (back > 0)
    level = np.where(ended, 0, running.alarm)
    since = np.where(on, running.alarm_since, moments.utc_minute[:, None])
    running.evidence = np.where(ended, 0, running.evidence)
    running.clearing = np.where(np.isfinite(back), back, 0.0)
    running.alarm = level
    running.alarm_since = np.where(level > 0, since, -1)
