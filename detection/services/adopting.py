"""What somebody said of an alarm: it is the new normal, it was planned, or it was a failure."""

from collections.abc import Iterable

import numpy as np

from detection.scoring import designs
from detection.scoring.alarm import shift_seen
from detection.scoring.baseline import Expectation
from detection.scoring.routines import has_routines
from detection.scoring.series import FAMILIES, MINUTES_PER_DAY, RATES, Bools, Floats, Ints
from detection.scoring.shares import UNSEEN
from detection.scoring.state import BIN_MINUTES, BINS, HISTORY_DAYS, State

# Denials by code move with the denials: who accepts the one accepts the other.
TOGETHER = frozenset({"decline", "code_mix"})
# Families whose alarms are told by the volume; "" stands for all.
OF_VOLUME = frozenset({"", "volume_low", "volume_high", "silence"})
KNOWN_MINUTES = HISTORY_DAYS * MINUTES_PER_DAY
# For so long after a confirmed failure nothing in its quarter hours becomes a routine.
ROUTINE_MINUTES = 7 * MINUTES_PER_DAY


def adopt_level(state: State, row: int, family: str) -> None:
    """The shift seen since the onset, in a family or in all, is what is expected from now on."""
    mine = _tests_of(family) & (state.evidence[row] > 0)
    if not (state.alarm[row] > 0)[_tests_of(family)].any():
        return
    ratio = shift_seen(state.seen[row], state.meant[row])
    for series in range(RATES):
        tests = np.flatnonzero(mine & (series + designs.FIRST_RATE == designs.CHANNEL))
        if tests.size:
            sure = tests[np.argmax(state.evidence[row, tests])]
            moved = (state.share_seen[row, series] + UNSEEN) * ratio[sure] - UNSEEN
            state.share_seen[row, series] = np.clip(moved, 0, state.share_total[row, series])
    volume = np.flatnonzero(mine & designs.IS_VOLUME)
    if volume.size:
        sure = volume[np.argmax(state.evidence[row, volume])]
        level = _levels(state, row)[designs.CHANNEL[sure]]
        state.level_seen[row] = ratio[sure] * level * state.level_expected[row]
    state.alarm[row, mine] = 0
    state.evidence[row, mine] = 0


def _levels(state: State, row: int) -> Floats:
    """The level that each volume channel is measured from, shape (3,): see Expectation."""
    one, no = np.ones(1), np.zeros(1, bool)
    fast, slow = state.level_seen[row] / np.maximum(state.level_expected[row], 1e-9)
    usual = 1.0 if state.season_days[row].any() else slow
    levels: Floats = Expectation(
        one, one * fast, one * slow, one * usual, one, one, closing=no, stepping=no
    ).channels[0]
    return levels


def end_alarm(state: State, row: int, family: str) -> None:
    """No alarm runs in a family, or in all; what goes on has to be proved anew."""
    mine = _tests_of(family)
    state.alarm[row, mine] = 0
    state.evidence[row, mine] = 0


def keep_confirmed(
    state: State, row: int, failures: Iterable[tuple[int, int, str]], local: int
) -> None:
    """What was confirmed to be a failure does not become a habit, nor a routine within a week.

    Parameters
    ----------
    failures : (first minute, end, family or "" for all) since 1970-01-01, UTC
    local : the source's local minute less the UTC one
    """
    through, phase = int(state.through[row]), int(state.phase[row])
    for first, end, family in failures:
        begin = max(first, through - KNOWN_MINUTES)
        if family in OF_VOLUME:
            day, quarter = _quarters(begin + local + phase, end + local + phase)
            known = state.history_day[row, day % HISTORY_DAYS] == day
            slots = day[known] % HISTORY_DAYS, quarter[known]
            values = state.history[row][slots]
            state.history[row][slots] = np.where(values < 0, np.nan, values)
        is_recent = first <= through < end + ROUTINE_MINUTES
        if is_recent and (not family or family not in OF_VOLUME):
            _, quarter = _quarters(begin + local, end + local)
            state.routine_strength[row, quarter] = 0
            state.routines[row] = has_routines(state.routine_strength[row])


def _quarters(begin: int, end: int) -> tuple[Ints, Ints]:
    """Local day and quarter hour of it, of each that lies between two local minutes."""
    return np.divmod(np.arange(begin // BIN_MINUTES, (end - 1) // BIN_MINUTES + 1), BINS)


def _tests_of(family: str) -> Bools:
    if not family:
        return np.ones(designs.TESTS, bool)
    names = TOGETHER if family in TOGETHER else {family}
    return np.isin(designs.FAMILY, [FAMILIES.index(name) for name in names])
