"""What is expected of a source in the coming hours."""

from datetime import datetime

import numpy as np

from detection.clock import minute_of, moment_of, offset_of
from detection.scoring.forecast import forecast
from detection.selectors.declarations import declarations
from detection.services.watch import watch
from detection.services.watched import NEVER
from ingest.reports import SourceRef

STEP_MINUTES = 15


def forecast_source(*, source: SourceRef, hours: int, now: datetime) -> dict[str, object]:
    """Expected volume of the coming hours with its 95 % interval [transactions a minute]."""
    at = watch.get([source.id])[source.id]
    points: list[dict[str, object]] = []
    if at.through != NEVER and at.state.minutes[0] > 0:
        points = _points(source, hours, now)
    return {
        "source": source.name,
        "generated_at": now,
        "hours": hours,
        "step_minutes": STEP_MINUTES,
        "unit": "transactions per minute",
        "interval": 0.95,
        "days_learned": int(np.max(at.state.season_days)),
        "learning": not points or float(np.max(at.state.season_days)) < 1,
        "points": points,
    }


def _points(source: SourceRef, hours: int, now: datetime) -> list[dict[str, object]]:
    at = watch.get([source.id])[source.id]
    first = minute_of(now) // STEP_MINUTES * STEP_MINUTES + STEP_MINUTES
    steps = range(first, first + hours * 60, STEP_MINUTES)
    middle = [step + STEP_MINUTES // 2 for step in steps]
    local = [one + offset_of(source.zone.key, one) for one in middle]
    declared = declarations()
    expected, lower, upper = forecast(
        at.state,
        declared.settings_of(source.id).policy,
        np.array([middle], np.int64),
        np.array([local], np.int64),
    )
    factors = [declared.factor(source.id, one) for one in middle]
    return [
        {
            "timestamp": moment_of(step),
            "expected": round(float(expected[0, place]) * factors[place], 2),
            "lower": round(float(lower[0, place]) * factors[place], 2),
            "upper": round(float(upper[0, place]) * factors[place], 2),
        }
        for place, step in enumerate(steps)
    ]
