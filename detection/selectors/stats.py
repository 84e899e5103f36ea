"""How much was counted and judged, in numbers for a dashboard."""

import time
from typing import Any

from django.core.cache import cache
from django.db.models import Avg, Max, Min, Sum

from detection.models import Anomaly, Band
from ingest.models import MinuteCount, Status

KEY = "detection:stats"
# Sums over all history are kept for this many times what they took: at most a twentieth of the
# database's time goes into them, and a small installation always sees the newest.
KEPT_FACTOR = 20.0
LONGEST_KEPT = 60.0


def stats() -> dict[str, Any]:
    """Totals over everything counted; min, max and avg are of one source's minute."""
    kept: dict[str, Any] | None = cache.get(KEY)
    if kept is not None:
        return kept
    started = time.perf_counter()
    fresh = _stats()
    seconds = KEPT_FACTOR * (time.perf_counter() - started)
    if seconds > 1:
        cache.set(KEY, fresh, min(seconds, LONGEST_KEPT))
    return fresh


def _stats() -> dict[str, Any]:
    found = MinuteCount.objects.order_by().values_list("status").annotate(total=Sum("count"))
    by_status = dict.fromkeys(Status.values, 0) | dict(found)
    judged = Band.objects.count()
    wrong = Anomaly.objects.filter(withdrawn=None).count()
    spread = Band.objects.aggregate(min=Min("total"), max=Max("total"), avg=Avg("total"))
    return {
        "total_processed": sum(by_status.values()),
        "total_anomalies": wrong,
        "anomaly_rate": round(min(wrong / judged, 1.0), 6) if judged else 0.0,
        "transaction_stats": {
            "min": spread["min"],
            "max": spread["max"],
            "avg": None if spread["avg"] is None else round(spread["avg"], 2),
        },
        "status_distribution": by_status,
        "minutes_judged": judged,
    }
