"""What the runs of a failure that comes and goes have cost."""

from dataclasses import dataclass
from datetime import datetime

from alerts.models import Incident
from alerts.policy import direction_of
from detection.models import Anomaly


@dataclass(frozen=True)
class Cost:
    """Transactions too many, or below zero too few, and the interval they lie in, if known."""

    excess: float = 0.0
    low: float | None = 0.0
    high: float | None = 0.0

    def __add__(self, other: "Cost") -> "Cost":
        excess = round(self.excess + other.excess, 1)
        return Cost(excess, _sum(self.low, other.low), _sum(self.high, other.high))


def _sum(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else round(one + other, 1)


def cost_of(anomaly: Anomaly) -> Cost:
    """Return what an anomaly says that its run has cost so far."""
    return Cost(anomaly.excess or 0.0, anomaly.excess_low, anomaly.excess_high)


def cost_before(incident: Incident, anomaly: Anomaly) -> Cost:
    """Return what the incident had cost in the runs that were over when the anomaly's began.

    An anomaly counts its excess from the onset of its own run. If that onset lies within the
    minutes of the run before it, both are the same run with an onset that is now known better.
    """
    total, run, ended = Cost(), Cost(), None
    if anomaly.onset is None or anomaly.onset <= incident.first_anomaly:
        return total
    for one in [*_counted(incident, anomaly.minute), anomaly]:
        if ended is not None and one.onset is not None and one.onset > ended:
            total, run = total + run, Cost()
        run, ended = max(run, cost_of(one), key=lambda cost: abs(cost.excess)), one.minute
    return total


def _counted(incident: Incident, before: datetime) -> list[Anomaly]:
    rows = Anomaly.objects.filter(
        source=incident.source_id,
        family=incident.family,
        minute__gte=incident.first_anomaly,
        minute__lt=before,
        withdrawn=None,
    ).exclude(excess=None)
    fields = ("minute", "onset", "excess", "excess_low", "excess_high")
    found = rows.only(*fields).order_by("minute", "id")
    side = incident.direction
    return [one for one in found if direction_of(incident.family, one.excess_high) == side]
