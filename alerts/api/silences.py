from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from alerts import services
from alerts.api.asking import actor_of, seen_by
from alerts.api.serializers import RefusalSerializer, SilenceSerializer
from alerts.models import Silence
from alerts.selectors.suppression import active_silences
from alerts.selectors.visibility import Seen
from alerts.selectors.visibility import seen_by as visible
from ingest import steady_clock
from ingest.models import Source


class SilencesView(APIView):
    @extend_schema(
        operation_id="silences",
        responses=SilenceSerializer(many=True),
        summary="Active silences",
        tags=["Silences"],
    )
    def get(self, request: Request) -> Response:
        found = active_silences(now=steady_clock.now(), sources=seen_by(request))
        return Response(SilenceSerializer(found, many=True).data)

    @extend_schema(
        operation_id="silence_create",
        request=SilenceSerializer,
        responses={201: SilenceSerializer},
        summary="Create a silence",
        tags=["Silences"],
    )
    def post(self, request: Request) -> Response:
        asked = SilenceSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        values = dict(asked.validated_data)
        name = (values.pop("source", None) or {}).get("name")
        try:
            made = services.create_silence(
                **values,
                source=_source(name, seen_by(request)),
                actor=actor_of(request),
                now=steady_clock.now(),
            )
        except ValueError as error:
            raise ValidationError(str(error)) from error
        return Response(SilenceSerializer(made).data, status=status.HTTP_201_CREATED)


class SilenceView(APIView):
    @extend_schema(
        operation_id="silence_end",
        request=None,
        responses={200: SilenceSerializer, 404: RefusalSerializer},
        summary="End a silence now; it stays in the history",
        tags=["Silences"],
    )
    def delete(self, request: Request, pk: int) -> Response:
        rows = visible(Silence.objects.all(), seen_by(request))
        if not rows.filter(pk=pk).exists():
            raise Http404(f"There is no silence #{pk}.")
        ended = services.end_silence(silence_id=pk, actor=actor_of(request), now=steady_clock.now())
        return Response(SilenceSerializer(ended).data)


def _source(name: str | None, seen: Seen) -> Source | None:
    if not name and seen is None:
        return None
    if not name:
        raise ValidationError({"source": "Name a source of your own; you cannot silence others."})
    found = visible(Source.objects.all(), seen, "pk").filter(name=name).first()
    if found is None:
        raise ValidationError({"source": f"There is no source “{name}”."})
    return found
