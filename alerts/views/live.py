"""The live page and the small JSON that keeps it true."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from alerts.selectors.channels import broken_channels
from alerts.selectors.choosing import listed
from alerts.selectors.live import STEPS, how_things_stand, live_picture, watched_sources
from alerts.views.access import may_act, seen_sources
from alerts.views.answers import json_with_etag
from alerts.views.questions import UnknownSource, asked_moment, asked_view
from ingest import steady_clock

# Parts of /health that tell somebody who watches payments whether to trust the page.
HEALTH_PARTS = (
    ("worker", _("Worker")),
    ("beat", _("Scheduler")),
    ("detection", _("Detection")),
    ("outbox", _("Messages")),
    ("database", _("Database")),
    ("cache", _("Cache")),
)


@never_cache
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    seen = seen_sources(request)
    try:
        view = asked_view(request.GET, seen)
    except UnknownSource as unknown:
        # Typed, or gone since the link was kept: what is called like it is shown instead.
        return redirect(reverse("sources", query={"q": unknown.name}))
    until = int(view.until.timestamp()) if view.until else None
    context: dict[str, Any] = {
        "here": "live",
        "view": view,
        "until": until,
        "hours_on_offer": list(STEPS),
        "sources": listed(watched_sources(seen)),
        "may_act": may_act(request.user),
        "broken_channels": broken_channels() if may_act(request.user) else [],
        "needs_key": settings.GUARDIAN_REQUIRE_API_KEY,
        "site": request.build_absolute_uri("/").rstrip("/"),
        "health_parts": HEALTH_PARTS,
        **how_things_stand(view, now=steady_clock.now()),
        "config": {
            "url": reverse("live-json"),
            "source": view.source.name if view.source else "",
            "hours": view.hours,
            "until": until,
            "zone": view.zone,
        },
    }
    return render(request, "live.html", context)


@require_safe
def live_json(request: HttpRequest) -> HttpResponse:
    now = steady_clock.now()
    view = asked_view(request.GET, seen_sources(request))
    picture = live_picture(view, now=now, since=asked_moment(request.GET, "since"))
    return json_with_etag(request, picture, now=now)
