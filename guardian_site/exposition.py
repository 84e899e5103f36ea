"""GET /metrics: what all processes counted, and what the database knows."""

import os

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from guardian_site.collector import FormerNames, PartStates

MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"


def counted_by_all_processes() -> CollectorRegistry:
    """Return what the processes counted: from their shared files where there are any."""
    if MULTIPROCESS not in os.environ:
        return REGISTRY
    shared = CollectorRegistry()
    MultiProcessCollector(shared)  # type: ignore[no-untyped-call]  it registers itself
    return shared


@never_cache
@require_safe
def metrics_view(request: HttpRequest) -> HttpResponse:
    counted = counted_by_all_processes()
    stored = CollectorRegistry()
    stored.register(PartStates())
    stored.register(FormerNames(counted))
    body = generate_latest(counted) + generate_latest(stored)
    return HttpResponse(body, content_type=CONTENT_TYPE_LATEST)
