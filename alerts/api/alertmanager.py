import hmac
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from alerts.api.asking import EARLIEST
from alerts.services import ExternalAlert, take_external_alerts
from alerts.services.external import ALERTS_AT_MOST
from ingest import steady_clock

BEARER = "Bearer "
CHALLENGE = 'Bearer realm="Transaction Guardian"'
TEXT_AT_MOST = 500


class AlertSerializer(serializers.Serializer[Any]):
    """One alert of Alertmanager's webhook, version 4."""

    status = serializers.ChoiceField(["firing", "resolved"])
    labels = serializers.DictField(child=serializers.CharField(allow_blank=True, max_length=2000))
    annotations = serializers.DictField(
        child=serializers.CharField(allow_blank=True), required=False, default=dict
    )
    # In UTC: the beginning of the year 1, which means that nobody knows, is no time further west.
    startsAt = serializers.DateTimeField(
        required=False, default=None, allow_null=True, default_timezone=UTC
    )
    generatorURL = serializers.CharField(required=False, allow_blank=True, default="")
    fingerprint = serializers.CharField(required=False, allow_blank=True, default="", max_length=64)


class WebhookSerializer(serializers.Serializer[Any]):
    """The body of Alertmanager's webhook; what else it sends, now or later, is passed over."""

    version = serializers.CharField(required=False, default="4")
    alerts = AlertSerializer(many=True, allow_empty=False)

    def validate_alerts(self, value: list[Any]) -> list[Any]:
        if len(value) > ALERTS_AT_MOST:
            raise serializers.ValidationError(f"At most {ALERTS_AT_MOST} alerts at once.")
        return value


class TakenSerializer(serializers.Serializer[Any]):
    received = serializers.IntegerField(help_text="Alerts in the body.")
    notifications = serializers.IntegerField(
        help_text="Messages to people that they led to; 0 for what was known already."
    )


class AlertWebhookView(APIView):
    authentication_classes = ()

    def get_authenticate_header(self, request: Request) -> str:
        return CHALLENGE

    @extend_schema(
        operation_id="webhook_alert",
        request=WebhookSerializer,
        responses=TakenSerializer,
        summary="Alertmanager's webhook: its alerts become incidents",
        tags=["Webhooks"],
    )
    def post(self, request: Request) -> Response:
        _ask_token(request)
        asked = WebhookSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        now = steady_clock.now()
        alerts = [_alert(one, now) for one in asked.validated_data["alerts"]]
        written = take_external_alerts(alerts=alerts, now=now)
        return Response({"received": len(alerts), "notifications": len(written)})


def _ask_token(request: Request) -> None:
    expected = str(getattr(settings, "GUARDIAN_WEBHOOK_TOKEN", ""))
    if not expected and not settings.GUARDIAN_REQUIRE_API_KEY:
        return
    sent = request.META.get("HTTP_AUTHORIZATION", "")
    right = f"{BEARER}{expected}".encode()
    if not expected or not hmac.compare_digest(sent.encode(), right):
        raise NotAuthenticated("Send GUARDIAN_WEBHOOK_TOKEN as a bearer token.")


def _alert(one: dict[str, Any], now: datetime) -> ExternalAlert:
    labels, notes = one["labels"], one["annotations"]
    summary = notes.get("summary") or notes.get("description") or notes.get("message") or ""
    return ExternalAlert(
        name=labels.get("alertname", "alert"),
        summary=summary[:TEXT_AT_MOST],
        labels=labels,
        firing=one["status"] == "firing",
        started=_known(one["startsAt"]) or now,
        fingerprint=one["fingerprint"],
        link=one["generatorURL"],
        runbook=notes.get("runbook_url", ""),
    )


def _known(moment: datetime | None) -> datetime | None:
    """Return a moment; None for the zero of those who know none, which is the year 1."""
    return moment if moment is not None and moment.year >= EARLIEST else None
