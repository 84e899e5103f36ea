"""Whose failed sign-ins count, and the answer to somebody whose sign-in failed too often."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from guardian_site.web.problems import wants_html


def guesses_nobody(request: HttpRequest, credentials: Mapping[str, Any] | None = None) -> bool:
    """Tell whether no name was given: that of who comes back from a provider is its own to know.

    Their failures would count as those of one nameless account, and lock out everybody behind the
    address of an office.
    """
    return credentials is not None and not credentials.get("username")


def locked_out(
    request: HttpRequest, original: HttpResponse | None, credentials: Any
) -> HttpResponse:
    """Return 429 with the time to wait: a page for people, JSON for programs."""
    seconds = int(settings.AXES_COOLOFF_TIME.total_seconds())
    if wants_html(request):
        response = render(request, "locked.html", {"minutes": seconds // 60}, status=429)
    else:
        detail = f"Too many failed sign-ins; try again in {seconds // 60} minutes."
        response = JsonResponse({"detail": detail}, status=429)
    response["Retry-After"] = str(seconds)
    return response
