"""The list of incidents, the page of one, and what may be done there."""

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from alerts.messages.stored import refusal_told
from alerts.models import Incident
from alerts.selectors.channels import people_with_channels
from alerts.selectors.incident_pages import (
    incident_chart,
    incident_quiet,
    incident_row,
    incident_seen,
    incident_words,
    incidents_found,
    parts_to_choose,
    wholes_to_choose,
)
from alerts.selectors.incidents import Detail, incident_detail
from alerts.selectors.live import language
from alerts.selectors.people import people_who_may_act
from alerts.views.access import may_act, seen_sources
from alerts.views.actions import BY_NAME, LABELS, OTHERS, buttons, number_in
from alerts.views.answers import json_with_etag
from alerts.views.filters import IncidentFilter
from ingest import steady_clock

PAGE = 25
# Minutes listed on the page of an incident; the chart shows all of them.
SHOWN = 12


@never_cache
@require_safe
def incident_list(request: HttpRequest) -> HttpResponse:
    seen = seen_sources(request)
    form = IncidentFilter(request.GET, seen, reader=request.user.get_username())
    found = incidents_found(form.filters(), form.words(), seen=seen)
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    rows = [incident_row(one, now=steady_clock.now()) for one in page.object_list]
    context = {"here": "incidents", "form": form, "page": page, "rows": rows}
    context["query"] = form.query()
    return render(request, "incidents/list.html", context)


@never_cache
@require_safe
def incident_page(request: HttpRequest, pk: int) -> HttpResponse:
    detail = incident_detail(_incident(request, pk).pk)
    now, seen = steady_clock.now(), seen_sources(request)
    context: dict[str, Any] = {
        "here": "incidents",
        "detail": detail,
        "incident": detail.incident,
        "zone": detail.incident.source.time_zone,
        "newest_anomalies": detail.anomalies[::-1][:SHOWN],
        "config": {
            "url": reverse("incident-json", args=(pk,)),
            "onset": int(detail.incident.onset.timestamp()),
            "zone": detail.incident.source.time_zone,
        },
        **incident_words(detail.incident, now=now, seen=seen),
        **incident_quiet(detail.incident, now=now, seen=seen),
        **(_acts(request, detail) if may_act(request.user) else {}),
    }
    return render(request, "incidents/page.html", context)


def _acts(request: HttpRequest, detail: Detail) -> dict[str, Any]:
    incident, permitted, seen = detail.incident, detail.permitted, seen_sources(request)
    people = people_who_may_act(incident) if incident.ongoing else []
    return {
        "may_act": True,
        "buttons": buttons(permitted),
        "labels": LABELS if "close" in permitted else [],
        "people": people,
        "reached": people_with_channels(people),
        "may_merge": "merge" in permitted,
        "wholes": wholes_to_choose(incident, seen=seen) if "merge" in permitted else [],
        "parts_to_split": parts_to_choose(incident, seen=seen),
    }


@require_safe
def incident_json(request: HttpRequest, pk: int) -> HttpResponse:
    incident = _incident(request, pk)
    now = steady_clock.now()
    return json_with_etag(request, incident_chart(incident, now=now), now=now)


@require_POST
def act(request: HttpRequest, pk: int, action: str) -> HttpResponse:
    incident = _incident(request, pk)
    if action not in BY_NAME:
        raise Http404(f"“{action}” is not something to do with an incident.")
    for number in map(number_in, (request.POST.get(name, "") for name in OTHERS)):
        if number is not None:
            _incident(request, number)
    act_asked = BY_NAME[action]
    actor = request.user.get_username()
    try:
        act_asked.carry_out(
            incident_id=incident.pk, actor=actor, now=steady_clock.now(), form=request.POST
        )
    except ValueError as refusal:
        told, refused = refusal_told(refusal, language()), True
    else:
        told, refused = str(act_asked.done), False
    if not request.accepts("text/html"):
        # A page that stays where it is tells it there; kept for the next one it would come late.
        return JsonResponse({"detail": told}, status=HTTPStatus.CONFLICT if refused else 200)
    (messages.error if refused else messages.success)(request, told)
    return redirect(_back(request, incident))


def _incident(request: HttpRequest, pk: int) -> Incident:
    found = incident_seen(pk, seen_sources(request))
    if found is None:
        raise Http404(f"There is no incident {pk}.")
    return found


def _back(request: HttpRequest, incident: Incident) -> str:
    wanted = request.POST.get("next", "")
    here = {request.get_host()}
    if url_has_allowed_host_and_scheme(wanted, here, require_https=request.is_secure()):
        return wanted
    return incident.get_absolute_url()
