"""Who reports, how fresh, how far learned; and what is expected of one of them."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from alerts.selectors.choosing import MOST_FOUND, named_like
from alerts.selectors.incident_pages import incident_row
from alerts.selectors.live import reporting_sources
from alerts.selectors.source_pages import (
    newest_incidents,
    source_rows,
    sources_listed,
    week_expected,
)
from alerts.selectors.visibility import seen_by
from alerts.views.access import seen_sources
from ingest import steady_clock
from ingest.models import Source

PAGE = 50
# Longer than any name or title [characters].
MOST_WORDS = 120


@never_cache
@require_safe
def source_list(request: HttpRequest) -> HttpResponse:
    words = request.GET.get("q", "").strip()[:MOST_WORDS]
    found = sources_listed(seen=seen_sources(request), words=words)
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    rows = source_rows(list(page.object_list), now=steady_clock.now())
    context = {"here": "sources", "page": page, "rows": rows, "words": words}
    return render(request, "sources/list.html", context)


@never_cache
@require_safe
def source_names(request: HttpRequest) -> HttpResponse:
    """Return the sources to choose from that are called like what somebody is typing."""
    words = request.GET.get("q", "").strip()[:MOST_WORDS]
    sources = seen_by(reporting_sources(), seen_sources(request), "pk")
    found = named_like(sources, words)[:MOST_FOUND]
    return JsonResponse({"sources": [{"name": one.name, "title": one.title} for one in found]})


@never_cache
@require_safe
def source_page(request: HttpRequest, name: str) -> HttpResponse:
    source = get_object_or_404(
        seen_by(Source.objects.all(), seen_sources(request), "pk"), name=name
    )
    now = steady_clock.now()
    week = week_expected(source, now=now)
    context = {
        "here": "sources",
        "row": source_rows([source], now=now)[0],
        "source": source,
        "week": week,
        "has_week": any(hour.shade for _day, hours in week for hour in hours),
        "hours": range(24),
        "incidents": [incident_row(one, now=now) for one in newest_incidents(source)],
    }
    return render(request, "sources/page.html", context)
