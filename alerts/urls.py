"""The pages."""

from collections.abc import Callable

from django.http.response import HttpResponseBase
from django.urls import include, path
from django.views.generic import RedirectView

from alerts.views.handbook import handbook
from alerts.views.incidents import act, incident_json, incident_list, incident_page
from alerts.views.live import live, live_json
from alerts.views.sources import source_list, source_names, source_page
from alerts.views.stream import stream


def _with_slash(name: str) -> Callable[..., HttpResponseBase]:
    return RedirectView.as_view(pattern_name=name, query_string=True)


urlpatterns = [
    path("", include("alerts.api_urls")),
    path("", live, name="live"),
    path("live.json", live_json, name="live-json"),
    path("stream", stream, name="stream"),
    path("incidents", _with_slash("incidents")),
    path("incidents/", incident_list, name="incidents"),
    path("incidents/<int:pk>", _with_slash("incident")),
    path("incidents/<int:pk>/", incident_page, name="incident"),
    path("incidents/<int:pk>/chart.json", incident_json, name="incident-json"),
    path("incidents/<int:pk>/<slug:action>", act, name="incident-action"),
    path("sources", _with_slash("sources")),
    path("sources.json", source_names, name="source-names"),
    path("sources/", source_list, name="sources"),
    path("sources/<str:name>/", source_page, name="source"),
    path("help", _with_slash("help")),
    path("help/", handbook, name="help"),
]
