"""GET /metrics: what all processes counted, and what the database knows."""

import os
from collections.abc import Iterable

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from alerts.metrics import AlertsCollector
from guardian_site.collectors import FormerNames, LiveForest, PartStates, Sources

MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"


class Counted(Collector):
    """Metrics collected once, for whoever needs them in this answer."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self.metrics = list(metrics)

    def collect(self) -> Iterable[Metric]:
        return self.metrics


def counted_by_all_processes() -> list[Metric]:
    """Return what the processes counted: from their shared files where there are any."""
    if MULTIPROCESS not in os.environ:
        return list(REGISTRY.collect())
    shared = CollectorRegistry()
    # It registers itself.
    MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
    return list(shared.collect())


def exposition() -> bytes:
    """Return all that Prometheus is told, in its text format."""
    counted = Counted(counted_by_all_processes())
    # Without auto_describe, registering a collector does not already ask the database.
    registry = CollectorRegistry(auto_describe=False)
    collectors = (
        counted,
        PartStates(),
        Sources(),
        LiveForest(),
        AlertsCollector(),
        FormerNames(counted.metrics),
    )
    for collector in collectors:
        registry.register(collector)
    return generate_latest(registry)


@never_cache
@require_safe
def metrics_view(request: HttpRequest) -> HttpResponse:
    return HttpResponse(exposition(), content_type=CONTENT_TYPE_LATEST)
