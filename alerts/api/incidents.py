from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from alerts.api.asking import actor_of, seen_by, source_name, whole
from alerts.api.serializers import (
    ActSerializer,
    IncidentDetailSerializer,
    IncidentFilterSerializer,
    IncidentListSerializer,
    IncidentSerializer,
    RefusalSerializer,
)
from alerts.lifecycle import IllegalTransition
from alerts.models import Incident
from alerts.selectors.incidents import Filters, incidents, seen, with_history
from alerts.services.acting import NAMES, act
from ingest import steady_clock

PAGE = 50
MOST = 500
LIMIT = OpenApiParameter("limit", OpenApiTypes.INT, description=f"1 to {MOST}, {PAGE} if left out.")


class IncidentsView(APIView):
    @extend_schema(
        operation_id="incidents",
        parameters=[IncidentFilterSerializer, LIMIT],
        responses=IncidentListSerializer,
        summary="Incidents, newest first",
        tags=["Incidents"],
    )
    def get(self, request: Request) -> Response:
        asked = IncidentFilterSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        wanted = {**asked.validated_data, "source": source_name(request)}
        rows = seen(incidents(Filters(**wanted)), seen_by(request))
        found = rows[: whole(request, "limit", PAGE, MOST)]
        body = {"total": rows.count(), "incidents": IncidentSerializer(found, many=True).data}
        return Response(body)


class IncidentView(APIView):
    @extend_schema(
        operation_id="incident",
        responses={200: IncidentDetailSerializer, 404: RefusalSerializer},
        summary="One incident with its timeline and messages",
        tags=["Incidents"],
    )
    def get(self, request: Request, pk: int) -> Response:
        found = _found(request, pk, with_history(Incident.objects.all()))
        return Response(IncidentDetailSerializer(found).data)


class ActView(APIView):
    @extend_schema(
        operation_id="incident_act",
        request=ActSerializer,
        responses={200: IncidentSerializer, 404: RefusalSerializer, 409: RefusalSerializer},
        parameters=[OpenApiParameter("action", location=OpenApiParameter.PATH, enum=NAMES)],
        summary="Act on an incident",
        description="`close` needs `label`, `merge` needs `into`, `comment` needs `text`; "
        "`silence` takes `minutes`. `assign` needs `to`: a username, or empty for nobody; if `was` "
        "is sent, it must still be assigned to that person. `split` separates a part from its "
        "whole. Everything else takes why.",
        tags=["Incidents"],
    )
    def post(self, request: Request, pk: int, action: str) -> Response:
        asked = ActSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        if action not in NAMES:
            raise ValidationError({"action": f"must be one of {', '.join(NAMES)}"})
        incident = _found(request, pk)
        if (into := asked.validated_data.get("into")) is not None:
            _found(request, into)
        try:
            act(
                action,
                incident_id=incident.pk,
                actor=actor_of(request),
                via="api",
                now=steady_clock.now(),
                **asked.validated_data,
            )
        except IllegalTransition as error:
            return Response({"detail": str(error)}, status=status.HTTP_409_CONFLICT)
        except ValueError as error:
            raise ValidationError(str(error)) from error
        return Response(IncidentSerializer(_found(request, pk)).data)


def _found(request: Request, pk: int, rows: QuerySet[Incident] | None = None) -> Incident:
    every = Incident.objects.all() if rows is None else rows
    found = seen(every, seen_by(request)).select_related("source").filter(pk=pk).first()
    if found is None:
        raise Http404(f"There is no incident #{pk}.")
    return found
