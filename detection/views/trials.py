"""Backtests over HTTP: asked for, followed, read."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from detection.models import Backtest
from detection.selectors.trials import backtest_found, newest_backtests
from detection.serializers import (
    BacktestRefusedSerializer,
    BacktestRequestSerializer,
    BacktestSerializer,
)
from detection.services.trials import request_backtest, restart_backtest, stop_backtest
from detection.tasks import enqueue_backtest
from ingest import steady_clock
from ingest.authentication import ApiKeyAuthentication, MayAdminister


class BacktestView(APIView):
    authentication_classes = (ApiKeyAuthentication, SessionAuthentication)
    permission_classes = (MayAdminister,)


class BacktestsView(BacktestView):
    @extend_schema(
        operation_id="backtests",
        tags=["Backtests"],
        summary="The latest backtests",
        responses=BacktestSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        return Response(BacktestSerializer(newest_backtests(), many=True).data)

    @extend_schema(
        operation_id="request_backtest",
        tags=["Backtests"],
        summary="Judge stored history again under other policies",
        request=BacktestRequestSerializer,
        responses={202: BacktestSerializer},
    )
    def post(self, request: Request) -> Response:
        asked = BacktestRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        values: dict[str, Any] = asked.validated_data
        backtest = request_backtest(**values, by=request.user, now=steady_clock.now())
        enqueue_backtest(backtest.pk)
        return Response(BacktestSerializer(backtest).data, status=202)


class BacktestDetailView(BacktestView):
    @extend_schema(
        operation_id="backtest",
        tags=["Backtests"],
        summary="One backtest: how far it is, and its report once it is done",
        responses=BacktestSerializer,
    )
    def get(self, request: Request, number: int) -> Response:
        return Response(BacktestSerializer(backtest_found(number)).data)


class BacktestRestartView(BacktestView):
    @extend_schema(
        operation_id="restart_backtest",
        tags=["Backtests"],
        summary="Run a backtest again that failed or lost its worker",
        request=None,
        responses={202: BacktestSerializer, 409: BacktestRefusedSerializer},
    )
    def post(self, request: Request, number: int) -> Response:
        backtest_found(number)
        try:
            backtest = restart_backtest(number=number, now=steady_clock.now())
        except ValueError as error:
            return Response({"detail": str(error)}, status=409)
        enqueue_backtest(number)
        return Response(BacktestSerializer(backtest).data, status=202)


class BacktestStopView(BacktestView):
    @extend_schema(
        operation_id="stop_backtest",
        tags=["Backtests"],
        summary="Stop a backtest that waits or runs",
        request=None,
        responses={200: BacktestSerializer, 409: BacktestRefusedSerializer},
    )
    def post(self, request: Request, number: int) -> Response:
        backtest_found(number)
        try:
            backtest = stop_backtest(number=number, by=str(request.user), now=steady_clock.now())
        except ValueError as error:
            return Response({"detail": str(error)}, status=409)
        return Response(BacktestSerializer(backtest).data)


class BacktestChartView(BacktestView):
    @extend_schema(
        operation_id="backtest_chart",
        tags=["Backtests"],
        summary="The chart of a backtest",
        responses={(200, "image/svg+xml"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, number: int) -> HttpResponse:
        backtest: Backtest = backtest_found(number)
        return HttpResponse(backtest.chart, content_type="image/svg+xml")
