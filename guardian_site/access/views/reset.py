"""The route POST /reset."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from guardian_site.access.identity import Identity
from guardian_site.upkeep.resetting import reset_learning
from ingest.models import Source
from ingest.parsing.exact_bodies import ExactSerializer

CONFIRMATION = "reset"
NOT_CONFIRMED = f"must be the word “{CONFIRMATION}”, so that no slip does it"


class ResetQuestion(ExactSerializer[dict[str, Any]]):
    confirm = serializers.ChoiceField(
        choices=[CONFIRMATION],
        help_text=f"The word “{CONFIRMATION}”, so that it is not done by mistake.",
        error_messages=dict.fromkeys(("required", "invalid_choice", "null"), NOT_CONFIRMED),
    )
    source = serializers.CharField(  # type: ignore[assignment]  # a field of that name
        max_length=64, required=False, allow_null=True, help_text="If left out, every source."
    )

    def validate_source(self, name: str | None) -> Source | None:
        if name is None:
            return None
        found = Source.objects.filter(name=name).first()
        if found is None:
            raise serializers.ValidationError("There is no source of this name.")
        return found


class ResetBody(serializers.Serializer[dict[str, Any]]):
    message = serializers.CharField()
    sources = serializers.IntegerField()
    baselines = serializers.IntegerField()
    anomalies = serializers.IntegerField()
    incidents = serializers.IntegerField()


class ResetView(APIView):
    @extend_schema(
        operation_id="reset",
        tags=["Operation"],
        summary="Forget what was learned and resolve open incidents; reports are kept",
        request=ResetQuestion,
        responses=ResetBody,
    )
    def post(self, request: Request) -> Response:
        question = ResetQuestion(data=request.data)
        question.is_valid(raise_exception=True)
        identity: Identity = request._request.identity  # type: ignore[attr-defined]
        cleared = reset_learning(
            source=question.validated_data.get("source"),
            actor=identity.caller.name,
            now=timezone.now(),
        )
        return Response(
            {
                "message": f"{cleared.sources} sources learn afresh.",
                "sources": cleared.sources,
                "baselines": cleared.baselines,
                "anomalies": cleared.anomalies,
                "incidents": cleared.incidents,
            }
        )
