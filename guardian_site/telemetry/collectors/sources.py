"""Expected against seen, and how fresh each source is."""

from collections.abc import Iterator
from itertools import product

from django.conf import settings
from django.db import DatabaseError
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from guardian_site.telemetry.selectors import SourceNow, source_count, sources_now
from ingest import steady_clock
from ingest.models import Status

TEXTS = {
    "seen": "Transactions of the newest judged minute.",
    "expected": "Transactions expected in the newest judged minute.",
    "lower": "Lower end of what is normal in that minute.",
    "upper": "Upper end of what is normal in that minute.",
}


class Sources(Collector):
    """The newest judged minute of each source, for the first so many sources and no more."""

    def collect(self) -> Iterator[Metric]:
        limit: int = settings.GUARDIAN_METRICS_SOURCES
        try:
            found = sources_now(now=steady_clock.now(), limit=limit)
            number = source_count()
        except DatabaseError:
            return
        for kind, text in TEXTS.items():
            yield self._minutes(kind, text, found)
        yield self._silence(found)
        yield self._learning(found)
        yield GaugeMetricFamily("guardian_ingest_sources", "Sources watched.", value=number)
        yield GaugeMetricFamily(
            "guardian_ingest_sources_without_metrics",
            "Sources left out of the metrics by source (GUARDIAN_METRICS_SOURCES).",
            value=max(0, number - limit),
        )

    @staticmethod
    def _minutes(kind: str, text: str, found: list[SourceNow]) -> Metric:
        family = GaugeMetricFamily(
            f"guardian_detection_{kind}_transactions", text, labels=["source", "status"]
        )
        for source, status in product(found, ("all", *Status.values)):
            value = getattr(source, kind).get(status)
            # Unknown is left out; a 0 would look like an outage.
            if value is not None:
                family.add_metric([source.name, status], float(value))
        return family

    @staticmethod
    def _silence(found: list[SourceNow]) -> Metric:
        family = GaugeMetricFamily(
            "guardian_ingest_source_silent_seconds",
            "Time since the newest minute a source reported ended.",
            labels=["source"],
        )
        for source in found:
            if source.silent_seconds is not None:
                family.add_metric([source.name], source.silent_seconds)
        return family

    @staticmethod
    def _learning(found: list[SourceNow]) -> Metric:
        family = GaugeMetricFamily(
            "guardian_detection_learning", "1 while what is normal is learned.", labels=["source"]
        )
        for source in found:
            if source.learning is not None:
                family.add_metric([source.name], float(source.learning))
        return family
