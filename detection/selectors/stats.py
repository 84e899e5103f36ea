"""How much was counted and judged, in numbers for a dashboard."""

import time
from typing import Any

from django.core.cache import cache
from django.db.models import Avg, Count, Max, Min, Q

from detection.models import Anomaly, Band
from detection.selectors.anomalies import Seen
from ingest import steady_clock
from ingest.models import Source, Status
from ingest.timescale.aggregates import totals_ever

KEY = "detection:totals"
# Sums over all history are kept for this many times what they took: at most a twentieth of the
# database's time goes into them, and a small installation always sees the newest.
KEPT_FACTOR = 20.0
LONGEST_KEPT = 60.0
LONGEST_KEY = 200


def stats(seen: Seen = None) -> dict[str, Any]:
    """Totals over everything counted; min, max and avg are of one source's minute."""
    key = KEY if seen is None else f"{KEY}:{'-'.join(map(str, sorted(seen)))}"
    now = steady_clock.now().timestamp()
    kept: dict[str, Any] | None = cache.get(key) if len(key) <= LONGEST_KEY else None
    # A cache whose clock was set back would keep it for as long.
    if kept is not None and abs(now - kept["at"]) <= LONGEST_KEPT:
        found: dict[str, Any] = kept["stats"]
        return found
    started = time.perf_counter()
    fresh = _stats(seen)
    seconds = KEPT_FACTOR * (time.perf_counter() - started)
    if seconds > 1 and len(key) <= LONGEST_KEY:
        cache.set(key, {"at": now, "stats": fresh}, min(seconds, LONGEST_KEPT))
    return fresh


def _of_payments() -> Q:
    """Return what leaves the canary out: its empty minutes would halve the mean of one source."""
    return ~Q(source_id__in=Source.objects.filter(name=Source.CANARY).values("pk"))


def _stats(seen: Seen) -> dict[str, Any]:
    wanted = _of_payments() if seen is None else Q(source_id__in=seen)
    by_status = dict.fromkeys(Status.values, 0) | totals_ever(seen)
    bands = Band.objects.filter(wanted)
    wrong = Anomaly.objects.filter(wanted, withdrawn=None)
    spread = bands.aggregate(
        judged=Count("pk"),
        first=Min("minute"),
        min=Min("total"),
        max=Max("total"),
        avg=Avg("total"),
    )
    judged, first = spread["judged"], spread["first"]
    # Anomalies are kept for longer than the minutes they were found among.
    among = wrong.filter(minute__gte=first).count() if judged else 0
    return {
        "total_processed": sum(by_status.values()),
        "total_anomalies": wrong.count(),
        "anomaly_rate": round(min(among / judged, 1.0), 6) if judged else 0.0,
        "transaction_stats": {
            "min": spread["min"],
            "max": spread["max"],
            "avg": None if spread["avg"] is None else round(spread["avg"], 2),
        },
        "status_distribution": by_status,
        "minutes_judged": judged,
    }
