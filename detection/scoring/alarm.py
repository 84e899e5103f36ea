"""From evidence to a level, and back: an alarm ends on evidence of normality (hysteresis)."""

import numpy as np

from detection.scoring.cusum import poisson_gain
from detection.scoring.series import Bools, Floats, Ints

# Critical needs this many times the threshold and at least three minutes: two are a blip.
CRITICAL_FACTOR = 1.5
CRITICAL_MINUTES = 3
# Evidence kept at most, in thresholds; what is above would only delay the end.
TOP_FACTOR = 2.0
# Normality is tested against this part of the shift seen in the alarm ...
RETURN_PART = 0.6
# ... and believed from this much evidence [nats].
RETURN_EVIDENCE = 1.5
# A shift that lasted this long is the new normal, and said so.
NEW_LEVEL_MINUTES = 240
# ... a volume already after this: campaigns and holidays last for hours.
NEW_VOLUME_MINUTES = 59


def shift_seen(seen: Floats, meant: Floats) -> Floats:
    """Ratio of what came since the onset to what was expected, bounded to 1/1000 .. 1000."""
    return np.clip((seen + 0.01) / (meant + 1e-6), 1e-3, 1e6)


def return_gain(seen: Floats, meant: Floats, ratio: Floats) -> Floats:
    """Evidence of one minute for normal traffic against 0.6 of the shift seen [nats]."""
    milder = 1 + RETURN_PART * (ratio - 1)
    return -poisson_gain(seen, meant, np.log(milder), milder - 1)


def next_alarm(
    alarm: Ints, evidence: Floats, threshold: Floats, gain: Floats, age: Ints, allowed: Bools
) -> Ints:
    """Level of each test after this minute, before returns to normal are looked at."""
    raised = (evidence >= threshold) & allowed
    severe = raised & (evidence >= CRITICAL_FACTOR * threshold) & (gain > 0)
    level = np.where(severe & (age >= CRITICAL_MINUTES), 2, raised.astype(np.int8))
    return np.maximum(alarm, level).astype(np.int8)


FADING = 0.015
RETURN_HAZARD = 0.03
