"""The eight names of the system before, with true meanings: they count transactions, not calls."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from django.db import DatabaseError
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from guardian_site.telemetry.selectors import anomaly_total, last_hour
from ingest import steady_clock
from ingest.models import Status
from ingest.repeats.stats import counts as answer_cache

GAUGES = {
    "current_count": "Transactions of the last full minute.",
    "avg_count": "Mean transactions per minute of the last hour.",
    "approval_rate": "Approved share of the last hour, 0 to 1.",
}


class FormerNames(Collector):
    """`transaction_guardian_*`, made of what the processes counted and of the last hour's rows."""

    def __init__(self, counted: Iterable[Metric], *, stored: bool = True) -> None:
        self.counted, self.stored = counted, stored

    def collect(self) -> Iterator[Metric]:
        yield from self._counters()
        if not self.stored:
            return
        try:
            yield from _stored(steady_clock.now())
        except DatabaseError:
            return

    def _counters(self) -> Iterator[Metric]:
        transactions = self._by_label("guardian_ingest_transactions", "status")
        yield _counter(
            "by_status",
            "Transactions by status.",
            {status: transactions.get(status, 0.0) for status in Status.values},
        )
        cache = answer_cache.totals()
        for name, text, value in (
            ("total", "Transactions reported.", sum(transactions.values())),
            ("cache_hits", "Reports answered from the cache.", float(cache["hits"])),
            ("cache_misses", "Reports not found in the cache.", float(cache["misses"])),
        ):
            yield _counter(name, text, {"": value})

    def _by_label(self, name: str, label: str) -> dict[str, float]:
        sums: dict[str, float] = {}
        samples = (sample for metric in self.counted for sample in metric.samples)
        for sample in samples:
            if sample.name == f"{name}_total":
                key = sample.labels.get(label, "")
                sums[key] = sums.get(key, 0.0) + sample.value
        return sums


def _stored(now: datetime) -> Iterator[Metric]:
    # Read from the rows: most are found by workers, in other containers.
    yield _counter("anomalies", "Anomalies found, less those withdrawn.", {"": anomaly_total()})
    yield from _last_hour(now)


def _last_hour(now: datetime) -> Iterator[Metric]:
    for name, value in last_hour(now).items():
        if value is not None:
            yield GaugeMetricFamily(f"transaction_guardian_{name}", GAUGES[name], value=value)


def _counter(name: str, text: str, values: dict[str, float]) -> Metric:
    # The library adds `_total` to the name of a counter, and these names are fixed without it.
    family = Metric(f"transaction_guardian_{name}", text, "unknown")
    for status, value in values.items():
        family.add_sample(family.name, {"status": status} if status else {}, value)
    return family
