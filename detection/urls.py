"""Routes of detection; the root includes them as they are."""

from django.urls import path

from detection.views import AnomaliesView, CloseMinuteView, ForecastView, StatsView

urlpatterns = [
    path("anomalies", AnomaliesView.as_view(), name="anomalies"),
    path("stats", StatsView.as_view(), name="stats"),
    path("forecast", ForecastView.as_view(), name="forecast"),
    path("minutes/close", CloseMinuteView.as_view(), name="close-minute"),
]
