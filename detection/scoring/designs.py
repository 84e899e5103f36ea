"""The shifts that are looked for: each test compares what is normal with one design shift.

A test belongs to a channel (what is counted against which expectation), has a factor rho by which
the count would move in the incident it is made for, and a family. One small set of factors per
direction is enough: the evidence of a neighbouring factor is nearly as good (Lorden 1971).
"""

from dataclasses import dataclass

import numpy as np

from detection.scoring.series import FAMILIES, RATE_SERIES, Bools, Floats, Ints

# Volume channels differ in the memory they are compared with; see baseline.Expectation.
VOLUME_CHANNELS = ("volume_below", "volume_above", "drift_below")
BELOW, ABOVE, DRIFT_BELOW = range(3)
FIRST_RATE = len(VOLUME_CHANNELS)
CHANNELS = (*VOLUME_CHANNELS, *RATE_SERIES)

# Rates rise by half in slow drifts, several times in bursts, from nothing (100) in new failures.
RATE_RISES = (1.5, 2.5, 6.0, 100.0)
# A share that falls to three tenths: a control switched off, a code that vanished.
RATE_FALL = 0.3
VOLUME_FALLS = (0.65, 0.4, 0.1)
VOLUME_RISES = (2.2,)
DRIFT_FALLS = (0.5,)

FAMILY_OF_RATE = {
    "not_approved": "decline",
    "denied": "decline",
    "failed": "technical_failure",
    # the backend reverses what it could not finish: a technical failure, not a customer's wish
    "backend_reversed": "technical_failure",
    "reversed": "reversal",
    "refunded": "reversal",
}
FALLING_RATES = ("not_approved", "denied", *(f"code_{slot}" for slot in range(7)))


@dataclass(frozen=True)
class Design:
    """One test: the channel it reads, the factor it is made for and the family it speaks for."""

    channel: int
    rho: float
    family: int


def _designs() -> list[Design]:
    designs = []
    for channel, factors, family in (
        (BELOW, VOLUME_FALLS, "volume_low"),
        (ABOVE, VOLUME_RISES, "volume_high"),
        (DRIFT_BELOW, DRIFT_FALLS, "volume_low"),
    ):
        designs += [Design(channel, rho, FAMILIES.index(family)) for rho in factors]
    for index, series in enumerate(RATE_SERIES):
        family_index = FAMILIES.index(FAMILY_OF_RATE.get(series, "code_mix"))
        designs += [Design(FIRST_RATE + index, rho, family_index) for rho in RATE_RISES]
    mix = FAMILIES.index("code_mix")
    designs += [
        Design(FIRST_RATE + RATE_SERIES.index(name), RATE_FALL, mix) for name in FALLING_RATES
    ]
    # silence is judged by its own likelihood (silence.py); it reads the volume channel for onset
    designs.append(Design(BELOW, 0.0, FAMILIES.index("silence")))
    return designs


DESIGNS = tuple(_designs())
TESTS = len(DESIGNS)
SILENCE = TESTS - 1

CHANNEL: Ints = np.array([design.channel for design in DESIGNS])
RHO: Floats = np.array([design.rho for design in DESIGNS])
FAMILY: Ints = np.array([design.family for design in DESIGNS])
LOG_RHO: Floats = np.log(np.maximum(RHO, 1e-3))
RHO_LESS_1: Floats = RHO - 1.0
FALLS: Bools = RHO < 1.0
# Evidence per expected transaction under the design shift [nats]: Kullback-Leibler information.
INFORMATION: Floats = RHO * LOG_RHO - RHO_LESS_1
# A small shift that would need hours to prove is not tested; a large one may exceed its design.
MUST_BE_USEFUL: Bools = (RHO > 0) & (RHO < 3.0)
# The shift assumed at least when asking whether it is over: half way to the design.
MILDEST: Floats = (1.0 + RHO) / 2.0
IS_VOLUME: Bools = CHANNEL < FIRST_RATE
NEEDS_SEASON: Bools = IS_VOLUME & (RHO > 0.1)
NEEDS_COUNT: Bools = FALLS & ~IS_VOLUME
RATE_OF_TEST: Ints = np.maximum(CHANNEL - FIRST_RATE, 0)

# Eighty tests look at every minute. Each spends a part exp(-dearness) of what a cheap one spends
# of the false-page budget; measured on the benchmark's development seeds.
DEAR_FALL = 3.5
DEAR_CODE = 2.0
DEAR_SERIES = {"not_approved": 1.0, "refunded": 2.5, "drift_below": 2.0}


def _dearness(design: Design) -> float:
    """Extra evidence asked of a test, because few incidents speak through it alone [nats]."""
    name = CHANNELS[design.channel]
    if design.rho < 1 and design.channel >= FIRST_RATE:
        return DEAR_FALL
    return DEAR_CODE if name.startswith("code_") else DEAR_SERIES.get(name, 0.0)


DEARNESS: Floats = np.array([_dearness(design) for design in DESIGNS])
# The tests of each family, and the channel whose width a distance of judge() has.
IN_FAMILY: Bools = FAMILY[None, :] == np.arange(len(FAMILIES))[:, None]
CHANNEL_OF_DISTANCE: Ints = np.array([BELOW, *range(FIRST_RATE + 1, FIRST_RATE + 6), BELOW])
