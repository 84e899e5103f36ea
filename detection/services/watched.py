"""A source at its frontier, with all that is known of it."""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from detection.scoring.policy import Policy
from detection.scoring.state import LAYOUT, State
from ingest.reports import NOTHING_KNOWN

# Nothing learned yet: no Baseline row.
NEVER = NOTHING_KNOWN


class Watched(Struct, frozen=True, gc=False):
    """One source at its frontier; the state is one row and is never written to in place."""

    source_id: int
    state: State
    version: int = NEVER
    through: int = NEVER
    # Last minute up to `through` in which it reported.
    reported: int = NEVER
    # It reports as time passes, so that its silence means something.
    live: bool = False
    # When all of the state was stored last, and the digest of what lasts of it: while that stays
    # the same, only what moves is stored.
    state_version: int = NEVER
    lasting: bytes = b""

    @property
    def seen(self) -> int:
        """Minutes it has learned."""
        return int(self.state.minutes[0])


# Nobody writes to a state in place, so all sources of which nothing is known share one.
_NOTHING = State.new(1)


def unread(source_id: int) -> Watched:
    """A source of which nothing is known."""
    return Watched(source_id, _NOTHING)


def stack_policies(policies: Sequence[Policy]) -> Policy:
    """One policy of many one-row policies."""
    if len(policies) == 1:
        return policies[0]
    return Policy(
        **{
            name: np.concatenate([getattr(one, name) for one in policies])
            for name in Policy.__dataclass_fields__
        }
    )


def unstack(known: Sequence[Watched], state: State, reported: Sequence[int]) -> list[Watched]:
    """The sources again, each with its row of the advanced state."""
    columns = {name: getattr(state, name) for name in LAYOUT}
    through = state.through.tolist()
    return [
        replace(
            one,
            state=State({name: column[row : row + 1] for name, column in columns.items()}),
            through=through[row],
            reported=reported[row],
        )
        for row, one in enumerate(known)
    ]
