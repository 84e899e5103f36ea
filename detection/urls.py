"""Routes of detection; the root includes them as they are."""

from django.urls import path

from detection.views.closing import CloseMinuteView
from detection.views.reading import AnomaliesView, ForecastView, StatsView
from detection.views.trials import (
    BacktestChartView,
    BacktestDetailView,
    BacktestRestartView,
    BacktestStopView,
    BacktestsView,
)

urlpatterns = [
    path("anomalies", AnomaliesView.as_view(), name="anomalies"),
    path("stats", StatsView.as_view(), name="stats"),
    path("forecast", ForecastView.as_view(), name="forecast"),
    path("minutes/close", CloseMinuteView.as_view(), name="close-minute"),
    path("backtests", BacktestsView.as_view(), name="backtests"),
    path("backtests/<int:number>", BacktestDetailView.as_view(), name="backtest"),
    path("backtests/<int:number>/restart", BacktestRestartView.as_view(), name="backtest-restart"),
    path("backtests/<int:number>/stop", BacktestStopView.as_view(), name="backtest-stop"),
    path("backtests/<int:number>/chart.svg", BacktestChartView.as_view(), name="backtest-chart"),
]
