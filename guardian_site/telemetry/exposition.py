"""GET /metrics and /metrics/json: what all processes counted, and what the database knows."""

import os
from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from drf_spectacular.utils import extend_schema
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from alerts.collector import AlertsCollector
from detection.selectors.stats import stats
from guardian_site.telemetry.collectors import FormerNames, LiveForest, PartStates, Sources
from guardian_site.telemetry.selectors import last_hour
from ingest import steady_clock

MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"
# One for all scrapes, since it remembers for a while what takes long to compute.
_alerts = AlertsCollector()


class Counted(Collector):
    """Metrics that are collected once, and read several times for the same answer."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self.metrics = list(metrics)

    def collect(self) -> Iterable[Metric]:
        return self.metrics


def counted_by_all_processes() -> list[Metric]:
    """Return what the processes counted: from their shared files where there are any."""
    if MULTIPROCESS not in os.environ:
        return list(REGISTRY.collect())
    shared = CollectorRegistry()
    # The collector registers itself.
    MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
    return list(shared.collect())


def exposition() -> bytes:
    """Return all that Prometheus is told, in its text format."""
    counted = Counted(counted_by_all_processes())
    # Without auto_describe, registering a collector does not already ask the database.
    registry = CollectorRegistry(auto_describe=False)
    parts = PartStates()
    collectors: list[Collector] = [counted, parts]
    # Each would wait for a database that is away, and Prometheus would give up meanwhile.
    if parts.database_answers:
        collectors += [Sources(), LiveForest(), _alerts]
    collectors.append(FormerNames(counted.metrics, stored=parts.database_answers))
    for collector in collectors:
        registry.register(collector)
    return generate_latest(registry)


# Nothing changes here: another method is answered 405, not 403 for a missing CSRF token.
@csrf_exempt
@never_cache
@require_safe
def metrics_view(request: HttpRequest) -> HttpResponse:
    return HttpResponse(exposition(), content_type=CONTENT_TYPE_LATEST)


class MetricsJsonSerializer(serializers.Serializer[Any]):
    total_transactions = serializers.IntegerField(help_text="Transactions, not calls.")
    total_anomalies = serializers.IntegerField()
    status_counts = serializers.DictField(child=serializers.IntegerField())
    current_count = serializers.FloatField(help_text="Transactions of the last full minute.")
    avg_count = serializers.FloatField(help_text="Mean per minute of the last hour.")
    approval_rate = serializers.FloatField(
        allow_null=True, help_text="Of the last hour, 0 to 1; null where nothing was reported."
    )


class MetricsJsonView(APIView):
    @extend_schema(
        operation_id="metrics_json",
        tags=["Operation"],
        summary="The figures of all sources, for those who do not read Prometheus' format",
        responses=MetricsJsonSerializer,
    )
    def get(self, request: Request) -> Response:
        totals = stats()
        return Response(
            {
                "total_transactions": totals["total_processed"],
                "total_anomalies": totals["total_anomalies"],
                "status_counts": totals["status_distribution"],
                **last_hour(steady_clock.now()),
            }
        )
