"""The harness's view of the detector: one stream, one minute of records at a time."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from detection.scoring.detector import explain, learn, score, tally
from detection.scoring.minutes import Moments, Row
from detection.scoring.policy import Policy
from detection.scoring.series import LEVELS
from detection.scoring.state import State

CLOSED = np.ones(1, bool)


class Guardian:
    """A detector of the harness; minutes without records must be told as well."""

    def __init__(self, stream_name: str = "s") -> None:
        self.state = State.new(1)
        self.policy = Policy.defaults(1)

    def update_minute(self, timestamp: str, records: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Judge the closed minute and learn from it; a minute told again is only judged."""
        when = datetime.fromisoformat(timestamp).replace(tzinfo=UTC)
        minute = int(when.timestamp()) // 60
        moments = Moments.of([minute])
        row: Row = [
            (one["status"], str(one.get("auth_code", "00")), one["count"]) for one in records
        ]
        counts = tally(self.state, [row])
        past = np.array([minute <= int(self.state.through[0])])
        scores = score(self.state, self.policy, moments, counts, closed=CLOSED, past=past)
        told = explain(self.state, scores, counts, 0)
        if not past[0]:
            learn(self.state, self.policy, moments, counts, scores)
        level = int(scores.level[0])
        return {
            "is_anomaly": level > 0,
            "alert_level": LEVELS[level],
            "anomaly_score": float(max(scores.anomaly_score[0], scores.evidence.max())),
            "reasons": told.reasons,
        }
