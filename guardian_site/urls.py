"""Every route of the site, and the one place where detection is handed to ingest."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import (
    SpectacularJSONAPIView,
    SpectacularRedocView,
    SpectacularSwaggerView,
)

from detection.services.assess import assess
from guardian_site.naming import naming_incidents
from guardian_site.runbooks import runbook_view
from guardian_site.telemetry.exposition import MetricsJsonView, metrics_view
from guardian_site.views import health_view, live_view, ready_view
from ingest.assessment import Assess
from ingest.views import BatchView, TransactionView

judge: Assess = naming_incidents(assess)
if settings.GUARDIAN_TRACING:
    from guardian_site.tracing.requests import traced_assess

    judge = traced_assess(judge)

urlpatterns = [
    path("transaction", TransactionView.as_view(assess=judge), name="transaction"),
    path("transactions/batch", BatchView.as_view(assess=judge), name="batch"),
    path("", include("ingest.urls")),
    path("", include("detection.urls")),
    path("", include("alerts.urls")),
    path("", include("guardian_site.access.urls")),
    path("health", health_view, name="health"),
    path("health/live", live_view, name="health-live"),
    path("health/ready", ready_view, name="health-ready"),
    path("metrics", metrics_view, name="metrics"),
    path("metrics/json", MetricsJsonView.as_view(), name="metrics-json"),
    path("runbooks/<slug:name>", runbook_view, name="runbook"),
    path("openapi.json", SpectacularJSONAPIView.as_view(), name="openapi"),
    path("docs", SpectacularSwaggerView.as_view(url_name="openapi"), name="docs"),
    path(
        "redoc",
        SpectacularRedocView.as_view(url_name="openapi", template_name="redoc.html"),
        name="redoc",
    ),
    path("admin/", admin.site.urls),
]

handler400 = "guardian_site.web.problems.bad_request"
handler403 = "guardian_site.web.problems.forbidden"
handler404 = "guardian_site.web.problems.not_found"
handler500 = "guardian_site.web.problems.broken"
