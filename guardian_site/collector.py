"""Gauges read from committed rows at each scrape: the same in each process."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import DatabaseError
from django.utils import timezone
from ingest.cache_stats import cache_report
from ingest.selectors import totals_by_status
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry

from guardian_site.health import PARTS, health
from ingest.models import Status

RECENT = timedelta(minutes=60)
STATES = ("ok", "idle", "degraded", "down")


class PartStates(Collector):
    """The state of every part, as /health tells it."""

    def collect(self) -> Iterator[Metric]:
        states = health(timezone.now())["components"]
        assert isinstance(states, dict)
        family = GaugeMetricFamily(
            "guardian_site_part_state", "1 for the state a part is in.", labels=["part", "state"]
        )
        for part in PARTS:
            for state in STATES:
                family.add_metric([part, state], float(states[part] == state))
        yield family


class FormerNames(Collector):
    """The eight names of the system before, for its dashboards; here they count transactions."""

    def __init__(self, counted: CollectorRegistry) -> None:
        self.counted = counted

    def collect(self) -> Iterator[Metric]:
        yield from self._counters()
        try:
            yield from self._recent(timezone.now())
        except DatabaseError:
            return

    def _counters(self) -> Iterator[Metric]:
        transactions = self._sum("guardian_ingest_transactions")
        by_status = CounterMetricFamily(
            "transaction_guardian_by_status", "Transactions by status.", labels=["status"]
        )
        for status in Status.values:
            by_status.add_metric([status], transactions.get(status, 0.0))
        yield _exactly(by_status)
        totals = {
            "total": ("Transactions reported.", sum(transactions.values())),
            "anomalies": (
                "Anomalies found.",
                sum(self._sum("guardian_detection_anomalies").values()),
            ),
        }
        stats = cache_report()
        totals["cache_hits"] = ("Reports answered from the cache.", float(stats["hits"]))
        totals["cache_misses"] = ("Reports not found in the cache.", float(stats["misses"]))
        for name, (text, value) in totals.items():
            yield _exactly(CounterMetricFamily(f"transaction_guardian_{name}", text, value=value))

    def _sum(self, name: str) -> dict[str, float]:
        sums: dict[str, float] = {}
        for metric in self.counted.collect():
            for sample in metric.samples if metric.name == name else ():
                if sample.name == f"{name}_total":
                    label = sample.labels.get("status", "")
                    sums[label] = sums.get(label, 0.0) + sample.value
        return sums

    @staticmethod
    def _recent(now: datetime) -> Iterator[Metric]:
        minute = now.replace(second=0, microsecond=0)
        last = sum(totals_by_status(minute - timedelta(minutes=1), minute).values())
        totals = totals_by_status(minute - RECENT, minute)
        whole = sum(totals.values())
        gauges = {
            "current_count": ("Transactions in the last full minute.", float(last)),
            "avg_count": ("Mean transactions per minute, last hour.", whole / 60),
        }
        # With nothing reported there is no rate; a 0 here would page somebody.
        if whole:
            rate = totals.get(Status.APPROVED, 0) / whole
            gauges["approval_rate"] = ("Approved share of the last hour, 0 to 1.", rate)
        for name, (text, value) in gauges.items():
            yield GaugeMetricFamily(f"transaction_guardian_{name}", text, value=value)


def _exactly(family: CounterMetricFamily) -> Metric:
    """Drop the `_total` that the library adds to the name of a counter."""
    plain = Metric(family.name, family.documentation, "gauge")
    for sample in family.samples:
        plain.add_sample(family.name, sample.labels, sample.value)
    return plain
