"""What /metrics tells of incidents and messages: read from committed rows at each scrape.

The rows are the truth in every process: a counter in a worker would not be seen by the web
process that answers the scrape.
"""

from collections.abc import Iterator, Mapping

from django.conf import settings
from django.db import DatabaseError
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from alerts.models import Channel, Notification, StageAlarm
from alerts.models.incident import FAMILIES
from alerts.selectors.incidents import open_counts
from alerts.selectors.outbox import oldest_pending_age, outcome_counts
from alerts.selectors.statistics import Means, Statistics, period_statistics
from alerts.selectors.watch import stage_ages
from detection.models import Level
from ingest import steady_clock
from ingest.expiring import Expiring

MEANS = ("mttd", "mtta", "mttr", "mtbf")
# Means of a month do not move within a minute, and are read from all its incidents [s].
MEANS_SERVE = 60.0


def _add_means(gauge: GaugeMetricFamily, found: Mapping[str, Means]) -> None:
    for label, means in found.items():
        for name in MEANS:
            # Unknown is left out; a 0 would look like perfection.
            if (value := getattr(means, name)) is not None:
                gauge.add_metric([name, label], value)


class AlertsCollector(Collector):
    """Open incidents, messages by outcome, what waits, and the mean times of the last 30 days.

    One serves all scrapes of a process, for it remembers the mean times for a minute.
    """

    def __init__(self) -> None:
        self._means_of_late: Expiring[None, Statistics] = Expiring(MEANS_SERVE, limit=1)

    def describe(self) -> list[Metric]:
        # Without this, registering would ask the database.
        return []

    def collect(self) -> Iterator[Metric]:
        try:
            yield from self._incidents()
            yield from self._outbox()
            yield from self._means()
            yield from self._stages()
        except DatabaseError:
            return

    def _incidents(self) -> Iterator[Metric]:
        gauge = GaugeMetricFamily(
            "guardian_alerts_incidents_open", "Ongoing incidents.", labels=["level", "family"]
        )
        found = {(level, family): number for level, family, number in open_counts()}
        for level in (Level.WARNING, Level.CRITICAL):
            for family, _title in FAMILIES:
                gauge.add_metric([level, family], found.get((level, family), 0))
        yield gauge

    def _outbox(self) -> Iterator[Metric]:
        total = CounterMetricFamily(
            "guardian_alerts_notifications", "Messages by outcome.", labels=["channel", "outcome"]
        )
        waiting = GaugeMetricFamily(
            "guardian_alerts_waiting", "Messages that wait or are being sent.", labels=["channel"]
        )
        found = {(kind, state): number for kind, state, number in outcome_counts()}
        done = (Notification.State.SENT, Notification.State.DEAD, Notification.State.SUPPRESSED)
        for kind in Channel.Kind.values:
            for state in done:
                total.add_metric([kind, state], found.get((kind, state), 0))
            pending = found.get((kind, "pending"), 0) + found.get((kind, "sending"), 0)
            waiting.add_metric([kind], pending)
        yield total
        yield waiting
        yield GaugeMetricFamily(
            "guardian_alerts_oldest_pending_seconds",
            "How long the oldest message that is due has waited; 0 if none waits.",
            value=oldest_pending_age(steady_clock.now()) or 0.0,
        )

    def _means(self) -> Iterator[Metric]:
        statistics = self._statistics()
        means = GaugeMetricFamily(
            "guardian_alerts_mean_seconds",
            "Mean time to detect, acknowledge, resolve, and between failures, last 30 days.",
            labels=["mean", "family"],
        )
        _add_means(means, statistics.by_family)
        yield means
        by_source = GaugeMetricFamily(
            "guardian_alerts_source_mean_seconds",
            "The same by source, for those with most incidents (GUARDIAN_METRICS_SOURCES).",
            labels=["mean", "source"],
        )
        busiest = statistics.busiest_sources(settings.GUARDIAN_METRICS_SOURCES)
        _add_means(by_source, dict(busiest))
        yield by_source

    def _statistics(self) -> Statistics:
        found = self._means_of_late.get(None)
        if found is None:
            found = period_statistics(now=steady_clock.now())
            self._means_of_late.put(None, found)
        return found

    def _stages(self) -> Iterator[Metric]:
        ages = GaugeMetricFamily(
            "guardian_alerts_stage_age_seconds",
            "Time since a stage last let the canary through.",
            labels=["stage"],
        )
        known = stage_ages(now=steady_clock.now())
        for stage in StageAlarm.Stage.values:
            if (age := known.get(stage)) is not None:
                ages.add_metric([stage], age)
        yield ages
