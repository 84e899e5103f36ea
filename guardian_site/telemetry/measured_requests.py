"""django-prometheus, with no label that outsiders name."""

from typing import Any

from django.http import HttpRequest
from django_prometheus.middleware import PrometheusAfterMiddleware


class MeasuredRequests(PrometheusAfterMiddleware):  # type: ignore[misc]  # the library has no types
    """Counts and times requests; all unknown methods have one label."""

    def label_metric(
        self, metric: Any, request: HttpRequest, response: Any = None, **labels: str
    ) -> Any:
        # The library does so except for the times: there each made-up method would begin a
        # histogram of its own, in memory, in the shared files and in Prometheus.
        if "method" in labels:
            labels["method"] = self._method(request)
        return super().label_metric(metric, request, response, **labels)
