"""Notice that a source's clock jumped by an hour: its whole day then comes early or late.

Three readings of the clock compete at the end of every quarter hour: as it is, an hour ahead and an
hour behind. Each predicts the quarter hour from the season and from a level of its own; the log
likelihoods are compared, and a reading that was better for hours is adopted. It must have been
better while traffic rises and while it falls: a campaign or a holiday is so on one side only.
"""

import numpy as np

from detection.scoring.series import Bools, Floats, Ints
from detection.scoring.state import PHASES, State

# Each reading's own level remembers about five quarter hours.
LEVEL_KEEP = 0.8
# Evidence is forgotten within about twelve hours; the night says nothing about clocks.
EVIDENCE_KEEP = 0.98
# One quarter hour may speak for at most this much, so that no single incident moves a clock ...
CAP = 1.5
# ... and this much is needed to move it, of which so much on either side [nats].
NEEDED = 20.0
NEEDED_A_SIDE = 6.0
SAME = PHASES.index(0)
# From this much evidence on, on whichever side, volume is judged by the other reading too [nats].
LIKELY = 7.0


def likely_phases(state: State) -> tuple[Ints, Ints]:
    """Rows whose clock may well have jumped, and by how much [minutes]."""
    whole = state.phase_evidence[:, 0] + state.phase_evidence[:, 1]
    rows = np.flatnonzero(np.maximum.reduce(whole, axis=1) >= LIKELY)
    return rows, np.array(PHASES, np.int64)[whole[rows].argmax(axis=1)]


def weigh_phases(
    state: State, seasons: Floats, mean: Floats, minutes: float, width: Floats, judged: Bools
) -> None:
    """Compare the three readings on one quarter hour and adopt another one when it is due.

    Parameters
    ----------
    seasons : array (S, 3)
        Season of the quarter hour under each reading [transactions a minute].
    mean : array (S,)
        What came [transactions a minute].
    minutes : float
        Length of the quarter hour.
    width : array (S,)
        Variance over mean of the quarter hour's count.
    judged : array (S,) of bool
        Rows whose quarter hour was complete and free of alarms.
    """
    known = state.phase_expected.min(axis=1) > 0
    level = state.phase_seen / np.where(known[:, None], state.phase_expected, 1.0)
    predicted = np.maximum(seasons * level, 1e-6)
    likelihood = mean[:, None] * np.log(predicted) - predicted
    likelihood *= minutes / width[:, None]
    gain = likelihood - likelihood[:, SAME : SAME + 1]
    gain = np.minimum(np.maximum(gain, -CAP), CAP)
    falling = (seasons[:, 0] > seasons[:, -1]).astype(np.int64)
    rows = np.flatnonzero(judged & known)
    side = falling[rows]
    evidence = state.phase_evidence[rows, side] * EVIDENCE_KEEP + gain[rows]
    state.phase_evidence[rows, side] = np.maximum(evidence, 0)
    told = judged[:, None]
    state.phase_seen[:] = np.where(
        told, state.phase_seen * LEVEL_KEEP + mean[:, None], state.phase_seen
    )
    state.phase_expected[:] = np.where(
        told, state.phase_expected * LEVEL_KEEP + seasons, state.phase_expected
    )
    _adopt(state)


def _adopt(state: State) -> None:
    whole = state.phase_evidence.sum(axis=1)
    whole = np.where(state.phase_evidence.min(axis=1) >= NEEDED_A_SIDE, whole, 0.0)
    best = whole.argmax(axis=1)
    rows = np.flatnonzero(whole.max(axis=1) >= NEEDED)
    if not rows.size:
        return
    moved = state.phase[rows] + np.array(PHASES)[best[rows]]
    # a clock is off by an hour one way or the other, never by more
    state.phase[rows] = np.minimum(np.maximum(moved, PHASES[0]), PHASES[-1])
    for name in ("phase_evidence", "phase_seen", "phase_expected"):
        getattr(state, name)[rows] = 0
