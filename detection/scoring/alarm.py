"""From evidence to a level, and back: an alarm ends on evidence of normality (hysteresis)."""

import numpy as np

from detection.scoring.cusum import poisson_gain
from detection.scoring.series import Bools, Floats, Ints

# Critical needs this many times the threshold, and three minutes in a row that each add this part
# of it (two are a blip, whatever the evidence before) ...
CRITICAL_FACTOR = 1.5
CRITICAL_MINUTES = 3
STRONG_PART = 0.1
MOST_STRONG = 1000
# ... or an alarm that has been on for so long: what grows slowly has no strong minutes.
CRITICAL_ALARM_MINUTES = 5
# A past minute is judged on its own: then critical needs nearly all the evidence that is kept.
CRITICAL_ALONE = 1.9
# Evidence kept at most, in thresholds; what is above would only delay the end.
TOP_FACTOR = 2.0
# Evidence fades a little every minute: an incident that began may have ended unseen.
FADING = 0.015
# The shift of an alarm is taken from about its last twenty minutes.
SHIFT_KEEP = 1 - 1 / 20.0
# Normality is tested against this part of the shift seen in the alarm ...
RETURN_PART = 0.6
# ... starting from incidents lasting about half an hour (chance to end in a minute) ...
RETURN_HAZARD = 0.03
# ... and believed from this much evidence [nats]; wrongly ended alarms come back by themselves.
RETURN_EVIDENCE = 1.5
# A shift that lasted this long is the new normal ...
NEW_LEVEL_MINUTES = 240
# ... a milder one in volume already after an hour: campaigns and holidays last for hours.
NEW_VOLUME_MINUTES = 59
MILD_SHIFT = (0.5, 1.9)


def shift_seen(seen: Floats, meant: Floats) -> Floats:
    """Ratio of what came to what was expected, kept within 10^-3 .. 10^6."""
    return np.minimum(np.maximum((seen + 0.01) / (meant + 1e-6), 1e-3), 1e6)


def return_gain(seen: Floats, meant: Floats, ratio: Floats) -> Floats:
    """Evidence of one minute that normal traffic is back [nats].

    A Poisson likelihood ratio of no shift against a milder one than seen, plus the hazard.

    Examples
    --------
    >>> bool(return_gain(np.array(10.0), np.array(10.0), np.array(3.0)) > 0)
    True
    """
    milder = 1 + RETURN_PART * (ratio - 1)
    return RETURN_HAZARD - poisson_gain(seen, meant, np.log(milder), milder - 1)


def strong_minutes(before: Ints, gain: Floats, threshold: Floats) -> Ints:
    """Minutes running, this one included, of which each alone added much evidence.

    Examples
    --------
    >>> strong_minutes(np.array([2, 2]), np.array([5.0, 0.2]), np.array([10.0, 10.0])).tolist()
    [3, 0]
    """
    more = np.minimum(before + 1, MOST_STRONG)
    return np.where(gain >= STRONG_PART * threshold, more, 0)


def next_alarm(
    alarm: Ints,
    evidence: Floats,
    threshold: Floats,
    gain: Floats,
    lasting: Bools,
    allowed: Bools,
    past: Bools,
) -> Ints:
    """Level of each test after this minute, before returns to normal are looked at.

    `lasting` are the tests whose deviation is no blip any more.
    """
    raised = (evidence >= threshold) & allowed
    critical = (evidence >= CRITICAL_FACTOR * threshold) & lasting & (gain > 0)
    alone = past & (evidence >= CRITICAL_ALONE * threshold)
    level = raised.astype(np.int64) + (raised & (critical | alone))
    return np.maximum(alarm, level).astype(np.int64)
