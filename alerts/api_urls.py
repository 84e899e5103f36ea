"""Routes of the API of incidents; included by the site."""

from django.urls import path

from alerts.api.alertmanager import AlertWebhookView
from alerts.api.incidents import ActView, IncidentsView, IncidentView
from alerts.api.pictures import incident_picture
from alerts.api.reports import HandoverView, OnCallView, StatisticsView
from alerts.api.silences import SilencesView, SilenceView
from alerts.api.slack import slack_actions

urlpatterns = [
    path("api/incidents", IncidentsView.as_view(), name="api-incidents"),
    path("api/incidents/<int:pk>", IncidentView.as_view(), name="api-incident"),
    path("api/incidents/<int:pk>/<slug:action>", ActView.as_view(), name="api-incident-act"),
    path("api/silences", SilencesView.as_view(), name="api-silences"),
    path("api/silences/<int:pk>", SilenceView.as_view(), name="api-silence"),
    path("api/statistics", StatisticsView.as_view(), name="api-statistics"),
    path("api/oncall", OnCallView.as_view(), name="api-oncall"),
    path("pictures/<int:pk>/<str:proof>.png", incident_picture, name="incident-picture"),
    path("reports/handover", HandoverView.as_view(), name="handover"),
    path("webhook/alert", AlertWebhookView.as_view(), name="webhook-alert"),
    path("slack/actions", slack_actions, name="slack-actions"),
]
