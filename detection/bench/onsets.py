"""How well the onset that is told with an alarm is the one that was made."""

from typing import Any

import numpy as np

from detection.scoring.scores import Scores
from detection.scoring.state import State

# An onset this near is right, and an alarm this soon after the end is still about it [minutes].
NEAR = 2


class Onsets:
    """Notes the onset that the first alarm of every incident names; for `lockstep.run`."""

    def __init__(self, streams: list[Any]) -> None:
        self._streams = streams
        # (stream, place of the incident in it) -> told less true [minutes]
        self._errors: dict[tuple[int, int], int] = {}

    def __call__(self, minute: int, state: State, scores: Scores) -> None:
        """Look at one minute of all streams."""
        for row in np.flatnonzero(scores.level > 0).tolist():
            for place, incident in enumerate(self._streams[row].incidents):
                at_hand = incident.start <= minute <= incident.end + NEAR
                if at_hand and (row, place) not in self._errors:
                    told = minute - _minutes_ago(state, scores, row)
                    self._errors[row, place] = told - incident.start

    def table(self) -> str:
        """Return how many onsets were right, too early and too late, and by how much."""
        errors = np.array(list(self._errors.values()))
        early, late = int((errors < -NEAR).sum()), int((errors > NEAR).sum())
        away = np.abs(errors)[np.abs(errors) > NEAR]
        by = f"{np.median(away):.0f}" if len(away) else "-"
        return (
            f"\n| onsets told | within {NEAR} min | earlier | later | by [min], median |\n"
            "|---|---|---|---|---|\n"
            f"| {len(errors)} | {len(errors) - early - late} | {early} | {late} | {by} |"
        )


def _minutes_ago(learned: State, scores: Scores, row: int) -> int:
    """Return how long before the minute just learned the onset lies that is told of it."""
    worst = np.where(scores.family_level[row] > 0, scores.evidence[row], -1.0).argmax()
    onset = int(scores.onset_utc_minute[row, worst])
    return 0 if onset < 0 else int(learned.through[row]) - onset
