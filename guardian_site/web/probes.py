"""Probes and scrapers come by address: Kubernetes and Prometheus name an IP, not our host."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

PATHS = frozenset({"/metrics", "/metrics/json", "/health", "/health/live", "/health/ready"})


class Probes:
    """What answers probes builds no links, so any Host will do there; nowhere else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path in PATHS:
            request.META["HTTP_HOST"] = "localhost"
        return self.get_response(request)
