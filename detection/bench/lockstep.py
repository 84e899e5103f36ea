"""Steps all streams of all seeds together through score and learn."""

from typing import Any

import numpy as np

from detection.scoring.detector import learn, score
from detection.scoring.minutes import Counts, Moments
from detection.scoring.policy import Policy
from detection.scoring.series import CODE_SLOTS
from detection.scoring.state import State

# rows of the harness's series: approved, denied by five codes, failed, reversed, backend, refunded
CODE_NAMES = ("51", "59", "05", "14", "91")
FIRST_CODE_ROW = 1
LAST_CODE_ROW = 6


def arrange(streams: list[Any]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Status (T,S,6), code (T,S,8), reported (T,S) and local minute of the first row (S,)."""
    raw = np.stack([stream.X for stream in streams]).transpose(2, 0, 1)
    reported = raw[:, :, 0] >= 0
    raw = np.maximum(raw, 0).astype(float)
    code = np.zeros((*raw.shape[:2], CODE_SLOTS))
    code[:, :, : len(CODE_NAMES)] = raw[:, :, FIRST_CODE_ROW:LAST_CODE_ROW]
    denied = raw[:, :, FIRST_CODE_ROW:LAST_CODE_ROW].sum(2, keepdims=True)
    status = np.concatenate([raw[:, :, :1], denied, raw[:, :, LAST_CODE_ROW:]], axis=2)
    if not all(stream.emit_zeros for stream in streams):
        silent_zero = np.array([not stream.emit_zeros for stream in streams])
        reported &= ~(silent_zero & (raw.sum(2) == 0))
    first = np.array([minute_of(stream) for stream in streams])
    return status, code, reported, first


def minute_of(stream: Any) -> int:
    """Minutes since 1970 of the stream's first row, its own clock taken as UTC."""
    return int(np.datetime64(stream.t0, "m").astype(np.int64))


def run(streams: list[Any], policy: Policy | None = None, watch: Any = None) -> tuple[Any, Any]:
    """Levels and scores of every minute and stream, each (T, S); streams must be equally long."""
    status, code, reported, first = arrange(streams)
    state = State.new(len(streams))
    state.codes[:, : len(CODE_NAMES)] = CODE_NAMES
    policy = policy or Policy.defaults(len(streams))
    closed = np.ones(len(streams), bool)
    level = np.zeros((len(status), len(streams)), np.int8)
    anomaly = np.zeros((len(status), len(streams)))
    for minute in range(len(status)):
        moments = Moments(first + minute, first + minute)
        counts = Counts(status[minute], code[minute], reported[minute])
        scores = score(state, policy, moments, counts, closed=closed)
        learn(state, policy, moments, counts, scores)
        level[minute] = scores.level
        anomaly[minute] = scores.evidence.max(1)
        if watch is not None:
            watch(minute, state, scores)
    return level, anomaly
