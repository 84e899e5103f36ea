"""Outlooks that this process worked out for the minutes that are being reported now."""

from collections.abc import Sequence

from detection.scoring.minutes import Moments
from detection.scoring.outlook import Outlook
from detection.scoring.policy import Policy
from detection.scoring.state import State
from detection.services.lockstep import Outlooks
from detection.services.watch import Watched

# A few kilobytes each; beyond that all are forgotten and worked out again [sources].
MOST_KEPT = 2_000
# The minute in UTC and in the source's own time, and the factor declared for it.
_Moment = tuple[int, int, float]


class Remembered:
    """The outlook of each source for the minute it was last judged in, while its state stands."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[State, Policy, _Moment, Outlook]] = {}

    def of(self, known: Sequence[Watched], policies: Sequence[Policy]) -> Outlooks:
        """Return what finds or works out the outlooks of these sources, one a row."""

        def outlooks(_state: State, _policy: Policy, moments: Moments) -> Outlook:
            return Outlook.joined(
                [
                    self._one(one, policy, moment)
                    for one, policy, moment in zip(known, policies, _moments(moments), strict=True)
                ]
            )

        return outlooks

    def _one(self, one: Watched, policy: Policy, moment: _Moment) -> Outlook:
        kept = self._kept.get(one.source_id)
        # Neither is ever written to: the same object is the same knowledge.
        if kept is not None and kept[0] is one.state and kept[1] is policy and kept[2] == moment:
            return kept[3]
        utc, local, factor = moment
        outlook = Outlook.of(one.state, policy, Moments.one(utc, local, factor))
        if len(self._kept) >= MOST_KEPT:
            self._kept.clear()
        self._kept[one.source_id] = (one.state, policy, moment, outlook)
        return outlook


def _moments(moments: Moments) -> Sequence[_Moment]:
    utc, local = moments.utc_minute.tolist(), moments.local_minute.tolist()
    factors = [1.0] * len(utc) if moments.promotion is None else moments.promotion.tolist()
    return list(zip(utc, local, factors, strict=True))


remembered = Remembered()
