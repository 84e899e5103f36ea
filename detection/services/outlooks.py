"""Outlooks that this process worked out for the minutes that are being reported now."""

from collections.abc import Sequence

import numpy as np

from detection.scoring.minutes import Moments
from detection.scoring.outlook import Outlook
from detection.scoring.policy import Policy
from detection.scoring.state import Joined, State
from detection.services.lockstep import Outlooks
from detection.services.watched import Watched, stack_policies

# A few kilobytes each; beyond that all are forgotten and worked out again [sources].
MOST_KEPT = 2_000
# The minute in UTC and in the source's own time, and the factor declared for it.
_Moment = tuple[int, int, float]
_Asked = tuple[Watched, Policy, _Moment]


class Remembered:
    """The outlook of each source for the minute it was last judged in, while its state stands."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[State, Policy, _Moment, Outlook]] = {}

    def of(self, known: Sequence[Watched], policies: Sequence[Policy]) -> Outlooks:
        """Return what finds or works out the outlooks of these sources, one a row."""

        def outlooks(_state: State, _policy: Policy, moments: Moments) -> Outlook:
            asked = list(zip(known, policies, _moments(moments), strict=True))
            found = [self._found(*one) for one in asked]
            self._work_out([place for place, one in enumerate(found) if one is None], asked, found)
            return Outlook.joined([one for one in found if one is not None])

        return outlooks

    def _found(self, one: Watched, policy: Policy, moment: _Moment) -> Outlook | None:
        kept = self._kept.get(one.source_id)
        # Neither is ever written to: the same object is the same knowledge.
        if kept is not None and kept[0] is one.state and kept[1] is policy and kept[2] == moment:
            return kept[3]
        return None

    def _work_out(
        self, places: Sequence[int], asked: Sequence[_Asked], found: list[Outlook | None]
    ) -> None:
        """Put those of these places where they are missing, all worked out at once."""
        if not places:
            return
        known, policies, moments = zip(*(asked[place] for place in places), strict=True)
        utc, local, factors = zip(*moments, strict=True)
        promotion = None if set(factors) == {1.0} else np.array(factors)
        together = Outlook.of(
            known[0].state if len(known) == 1 else Joined([one.state for one in known]),
            stack_policies(policies),
            Moments(np.array(utc, np.int64), np.array(local, np.int64), promotion),
        )
        if len(self._kept) + len(places) > MOST_KEPT:
            self._kept.clear()
        for row, place in enumerate(places):
            outlook = found[place] = together.row(row)
            one, policy, moment = asked[place]
            self._kept[one.source_id] = (one.state, policy, moment, outlook)


def _moments(moments: Moments) -> Sequence[_Moment]:
    utc, local = moments.utc_minute.tolist(), moments.local_minute.tolist()
    factors = [1.0] * len(utc) if moments.promotion is None else moments.promotion.tolist()
    return list(zip(utc, local, factors, strict=True))


remembered = Remembered()
