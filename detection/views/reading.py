"""What was found, what is expected."""

import time

from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from detection.models import Family, Level
from detection.questions import (
    MOST_ANOMALIES,
    USUAL_ANOMALIES,
    cursor_of,
    read_filters,
    read_forecast,
    read_source,
)
from detection.selectors.anomalies import anomalies, anomaly_count
from detection.selectors.stats import stats
from detection.serializers import (
    AnomaliesSerializer,
    ForecastSerializer,
    StatsSerializer,
    anomaly_body,
)
from detection.services.forecasting import forecast_source
from ingest import steady_clock
from ingest.authentication import seen_sources
from ingest.models import Status
from ingest.refusals import Refused
from ingest.repeats.stats import cache_report

STARTED = time.monotonic()


def _parameter(name: str, description: str, enum: list[str] | None = None) -> OpenApiParameter:
    return OpenApiParameter(name, str, description=description, enum=enum)


class ReadingView(APIView):
    """A reader of the API: a wrong parameter is answered 400 and named."""

    # DRF types this as its own Response; what it needs is any response of Django.
    def handle_exception(self, exc: Exception) -> HttpResponseBase:  # type: ignore[override]
        if isinstance(exc, Refused):
            errors = [{"field": one.field, "message": one.message} for one in exc.errors]
            return Response({"detail": exc.detail, "errors": errors}, exc.status)
        response: HttpResponseBase = super().handle_exception(exc)
        return response


class AnomaliesView(ReadingView):
    @extend_schema(
        operation_id="anomalies",
        tags=["Anomalies"],
        summary="Anomalies, newest first",
        parameters=[
            _parameter("level", "Only this level.", list(Level.values)),
            _parameter("family", "Only this family.", list(Family.values)),
            _parameter("source", "Only this source, by name."),
            _parameter("status", "Only where this status says most.", list(Status.values)),
            _parameter("since", "From this minute on; a day alone is its midnight."),
            _parameter("until", "Before this minute; a day alone is its midnight."),
            _parameter("limit", f"1 to {MOST_ANOMALIES}, {USUAL_ANOMALIES} if left out."),
            _parameter("offset", "How many to skip."),
            _parameter("cursor", "`next` of the previous page; stable while new ones arrive."),
        ],
        responses=AnomaliesSerializer,
    )
    def get(self, request: Request) -> Response:
        filters, limit, offset = read_filters(request.query_params, seen_sources(request))
        page = list(anomalies(filters)[offset : offset + limit + 1])
        more = len(page) > limit
        page = page[:limit]
        return Response(
            {
                "total": anomaly_count(filters),
                "anomalies": [anomaly_body(one) for one in page],
                "next": cursor_of(page[-1].minute, page[-1].pk) if more and page else None,
            }
        )


class StatsView(ReadingView):
    @extend_schema(
        operation_id="stats",
        tags=["Anomalies"],
        summary="Totals of reports and anomalies",
        parameters=[_parameter("source", "Only this source, by name.")],
        responses=StatsSerializer,
    )
    def get(self, request: Request) -> Response:
        seen = seen_sources(request)
        source = read_source(request.query_params, seen)
        totals = stats(seen if source is None else frozenset({source.id}))
        uptime = round(time.monotonic() - STARTED, 1)
        return Response({**totals, "cache": cache_report(), "uptime_seconds": uptime})


class ForecastView(ReadingView):
    @extend_schema(
        operation_id="forecast",
        tags=["Anomalies"],
        summary="What is expected in the coming hours",
        parameters=[
            _parameter("source", "By name; the default source if left out."),
            _parameter("hours", "1 to 168, 6 if left out."),
        ],
        responses=ForecastSerializer,
    )
    def get(self, request: Request) -> Response:
        source, hours = read_forecast(request.query_params, seen_sources(request))
        return Response(forecast_source(source=source, hours=hours, now=steady_clock.now()))
