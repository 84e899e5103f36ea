"""What is known of a minute before anything is counted in it.

A source reports many times a minute, and half of what its judgement needs is the same each time.
An outlook holds that half, so that whoever judges a minute again and again works it out once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, TypeVar

import numpy as np

from detection.scoring import designs
from detection.scoring.baseline import Expectation, expect, seasoned
from detection.scoring.dispersion import Widths, widths
from detection.scoring.minutes import Moments
from detection.scoring.policy import Policy
from detection.scoring.routines import routine_factor
from detection.scoring.series import Bools, Floats
from detection.scoring.shares import by_hour, hour_factor, shares
from detection.scoring.silence import Habits, habits
from detection.scoring.state import State
from detection.scoring.thresholds import unlearned

# A source is learning until it has reported this many minutes.
LEARNING_MINUTES = 120
# A share is known well enough to notice its fall from this many transactions on.
FALL_TRANSACTIONS = 50.0
T = TypeVar("T")


@dataclass(frozen=True)
class Outlook:
    """What one minute should be, every array with a leading axis of sources.

    Attributes
    ----------
    expectation : the expected volume against each memory
    volume : (S, 3) transactions expected in the volume channels
    share : (S, 14) expected share of each rate series at this time of day
    routine : (S, 14) how many times its usual share that is, where it rises every day
    widths : the dispersions, before it is known how much is expected
    habits : how the source reports minutes in which nothing happens
    threshold : (S, T) evidence from which a test raises an alarm [nats]
    testable : (S, T) which tests have the history they need
    """

    expectation: Expectation
    volume: Floats
    share: Floats
    routine: Floats
    widths: Widths
    habits: Habits
    threshold: Floats
    testable: Bools

    @classmethod
    def of(cls, state: State, policy: Policy, moments: Moments) -> "Outlook":
        """Work out the outlook of each source; the state is not changed."""
        expectation = expect(state, moments)
        share = shares(state) * by_hour(hour_factor(state, moments.minute_of_day))
        routine = routine_factor(state, moments.minute_of_day)
        return cls(
            expectation,
            expectation.channels,
            np.minimum(share * routine, 1.0),
            routine,
            widths(state),
            habits(state),
            np.where(state.threshold > 0, state.threshold, unlearned(policy.pages_per_week)),
            _testable(state, moments),
        )

    @classmethod
    def joined(cls, outlooks: Sequence["Outlook"]) -> "Outlook":
        """Put the outlooks of several sources side by side."""
        return outlooks[0] if len(outlooks) == 1 else _joined(outlooks)

    def row(self, place: int) -> "Outlook":
        """Return the outlook of one source, which holds nothing of the others."""
        return self if len(self.volume) == 1 else _row(self, place)


def _joined(parts: Sequence[T]) -> T:
    """Concatenate every array of equally built dataclasses."""
    columns: dict[str, Any] = {}
    for one in fields(parts[0]):  # type: ignore[arg-type]  # only ever called with dataclasses
        values = [getattr(part, one.name) for part in parts]
        columns[one.name] = _joined(values) if is_dataclass(values[0]) else np.concatenate(values)
    return type(parts[0])(**columns)


def _row(whole: T, place: int) -> T:
    """Copy one row of every array of a dataclass."""
    columns: dict[str, Any] = {}
    for one in fields(whole):  # type: ignore[arg-type]  # only ever called with dataclasses
        value = getattr(whole, one.name)
        columns[one.name] = (
            _row(value, place) if is_dataclass(value) else value[place : place + 1].copy()
        )
    return type(whole)(**columns)


def _testable(state: State, moments: Moments) -> Bools:
    known = seasoned(state, moments)[:, None]
    learned = state.minutes[:, None] >= LEARNING_MINUTES
    common = state.share_seen.take(designs.RATE_OF_TEST, axis=1) >= FALL_TRANSACTIONS
    return learned & (known | ~designs.NEEDS_SEASON) & (common | ~designs.NEEDS_COUNT)
