from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from alerts.api.asking import moment, seen_by, source_name, whole
from alerts.api.serializers import (
    HandoverSerializer,
    IncidentSerializer,
    OnCallSerializer,
    SilenceSerializer,
    StatisticsSerializer,
)
from alerts.messages import report as rendering
from alerts.selectors.oncall import OnCall, everybody_on_call
from alerts.selectors.reports import report
from alerts.selectors.statistics import period_statistics
from alerts.views.handover import handover_page
from detection.models import Family
from ingest import steady_clock

SHIFT_HOURS, LONGEST_HOURS = 12, 24 * 90
LOCAL = "Without a zone by the clock of the site."
SINCE = OpenApiParameter("since", OpenApiTypes.DATETIME, description=LOCAL)
LANGUAGES = ["en", "pt-br"]
UNTIL = OpenApiParameter("until", OpenApiTypes.DATETIME, description=LOCAL)


class StatisticsView(APIView):
    @extend_schema(
        operation_id="incident_statistics",
        parameters=[
            SINCE,
            UNTIL,
            OpenApiParameter("source"),
            OpenApiParameter("family", enum=Family.values),
        ],
        responses=StatisticsSerializer,
        summary="Mean times to detect, acknowledge, resolve and between failures",
        tags=["Reports"],
    )
    def get(self, request: Request) -> Response:
        family = request.query_params.get("family", "")
        if family and family not in Family.values:
            raise ValidationError({"family": f"must be one of {', '.join(Family.values)}"})
        found = period_statistics(
            now=moment(request, "until") or steady_clock.now(),
            since=moment(request, "since"),
            source=source_name(request),
            family=family,
            sources=seen_by(request),
        )
        return Response(asdict(found))


class HandoverView(APIView):
    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        # People get a page, which no renderer makes: any Accept will do.
        return super().perform_content_negotiation(request, force=True)

    @extend_schema(
        operation_id="handover",
        parameters=[
            SINCE,
            OpenApiParameter("hours", OpenApiTypes.INT),
            OpenApiParameter("language", enum=LANGUAGES),
        ],
        responses=HandoverSerializer,
        summary="What the next shift must know, of the last twelve hours by default",
        tags=["Reports"],
    )
    def get(self, request: Request) -> Response | HttpResponse:
        now = steady_clock.now()
        hours = whole(request, "hours", SHIFT_HOURS, LONGEST_HOURS)
        since = moment(request, "since") or now - timedelta(hours=hours)
        found = report(since=since, until=now, sources=seen_by(request))
        if "text/html" in request.headers.get("Accept", ""):
            return handover_page(request._request, found, hours=hours, now=now)
        language = request.query_params.get("language", "en")
        if language not in LANGUAGES:
            raise ValidationError({"language": f"Write {' or '.join(LANGUAGES)}."})
        body = {
            "since": found.since,
            "until": found.until,
            "text": "\n".join(
                [rendering.title(found, "handover", language), rendering.render(found, language)]
            ),
            "statistics": asdict(found.statistics),
            "still_open": IncidentSerializer(found.still_open, many=True).data,
            "worst": IncidentSerializer(found.worst, many=True).data,
            "silences": SilenceSerializer(found.silences, many=True).data,
            "on_call": [_duty(one) for one in found.on_call],
            "dead_letters": found.dead_letters,
        }
        return Response(body)


class OnCallView(APIView):
    @extend_schema(
        operation_id="oncall",
        responses=OnCallSerializer(many=True),
        summary="Who is on call now",
        tags=["Reports"],
    )
    def get(self, request: Request) -> Response:
        return Response([_duty(one) for one in everybody_on_call(at=steady_clock.now())])


def _duty(one: OnCall) -> dict[str, str | None]:
    name = one.user.get_username() if one.user else None
    return {"schedule": one.schedule.name, "user": name, "by": one.by}
