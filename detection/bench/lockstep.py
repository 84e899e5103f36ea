"""Steps all streams of all seeds together through score and learn."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detection.scoring.detector import learn, score
from detection.scoring.forest import Forest
from detection.scoring.minutes import Counts, Moments
from detection.scoring.policy import Policy
from detection.scoring.scores import Scores
from detection.scoring.series import CODE_SLOTS, Floats
from detection.scoring.state import State

# Rows of the harness's series: approved, denied by five codes, failed, reversed, backend, refunded.
CODE_NAMES = ("51", "59", "05", "14", "91")
CODE_ROWS = slice(1, 6)
REST_ROWS = slice(6, 10)

# Where a bare score warns and where it is critical: one minute in 10^5 and in 10^7. The forest says
# at most about 0.4, because what lies outside its training all ends in the same leaves.
Z_STEPS = (0.5, 0.75)
ML_STEPS = (0.25, 0.4)
Level = Callable[[Scores], NDArray[np.int64]]


@dataclass(frozen=True)
class Stretch:
    """The counts of all streams: status (T, S, 6), code (T, S, 8), reported (T, S), first (S,)."""

    status: Floats
    code: Floats
    reported: NDArray[np.bool_]
    first: NDArray[np.int64]


def arrange(streams: list[Any]) -> Stretch:
    """Lay the harness's streams side by side; they must be equally long."""
    raw = np.stack([stream.X for stream in streams]).transpose(2, 0, 1)
    reported = raw[:, :, 0] >= 0
    raw = np.maximum(raw, 0).astype(float)
    code = np.zeros((*raw.shape[:2], CODE_SLOTS))
    code[:, :, : len(CODE_NAMES)] = raw[:, :, CODE_ROWS]
    denied = raw[:, :, CODE_ROWS].sum(2, keepdims=True)
    status = np.concatenate([raw[:, :, :1], denied, raw[:, :, REST_ROWS]], axis=2)
    says_zero = np.array([stream.emit_zeros for stream in streams])
    reported = reported & (says_zero | (raw.sum(2) > 0))
    first = np.array([np.datetime64(stream.t0, "m").astype(np.int64) for stream in streams])
    return Stretch(status, code, reported, first)


def run(
    streams: list[Any],
    *,
    forest: Forest | None = None,
    parts: dict[str, Level] | None = None,
    watch: Callable[[int, State, Scores], None] | None = None,
) -> dict[str, tuple[NDArray[np.int8], Floats]]:
    """Judge every minute of every stream.

    Returns
    -------
    dict
        Part of the detector -> levels (T, S) and scores (T, S). Without `parts` there is the
        whole detector, under "guardian".
    """
    parts = parts or {"guardian": lambda scores: scores.level}
    stretch, state = arrange(streams), unknown(len(streams))
    out: dict[str, tuple[NDArray[np.int8], Floats]] = {
        name: (np.zeros(stretch.reported.shape, np.int8), np.zeros(stretch.reported.shape))
        for name in parts
    }
    for minute, scores in walk(state, stretch, range(len(stretch.status)), forest):
        for name, level in parts.items():
            out[name][0][minute] = level(scores)
            out[name][1][minute] = np.maximum(scores.evidence.max(1), scores.anomaly_score)
        if watch is not None:
            watch(minute, state, scores)
    return out


def unknown(size: int) -> State:
    """Sources of which nothing is known but the names of their codes."""
    state = State.new(size)
    state.codes[:, : len(CODE_NAMES)] = CODE_NAMES
    return state


def walk(
    state: State, stretch: Stretch, minutes: Iterable[int], forest: Forest | None = None
) -> Iterator[tuple[int, Scores]]:
    """Judge and learn these minutes of all streams; each is told when it is learned."""
    policy, closed = Policy.defaults(len(state)), np.ones(len(state), bool)
    for minute in minutes:
        now = stretch.first + minute
        moments = Moments(now, now)
        counts = Counts(stretch.status[minute], stretch.code[minute], stretch.reported[minute])
        scores = score(state, policy, moments, counts, closed=closed, forest=forest)
        learn(state, policy, moments, counts, scores)
        yield minute, scores


def by_score(values: Floats, steps: tuple[float, float]) -> NDArray[np.int64]:
    """Level of a bare score."""
    known = np.nan_to_num(values, nan=0.0)
    return (known >= steps[0]).astype(np.int64) + (known >= steps[1])


PARTS: dict[str, Level] = {
    "z only": lambda scores: by_score(scores.z_score, Z_STEPS),
    "rules only": lambda scores: scores.rule_level.max(1),
    "ML only": lambda scores: by_score(scores.ml_score, ML_STEPS),
    "combined": lambda scores: scores.level,
}


def without_truth(streams: list[Any]) -> list[Any]:
    """The streams without the intensities only an oracle may see."""
    return [replace(stream, lam=None, disp=None) for stream in streams]
