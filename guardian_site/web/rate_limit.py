"""The rate limit: refused before any work, counted in the shared cache, told in headers."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django_ratelimit.core import get_usage

from guardian_site.access.identity import machine
from guardian_site.telemetry.metrics import RATE_LIMITED
from guardian_site.web.client_address import neighbourhood, was_handed_on
from guardian_site.web.problems import wants_html
from guardian_site.web.programs import proves_itself

Handler = Callable[[HttpRequest], HttpResponse]
logger = logging.getLogger(__name__)

# Probes and scrapers keep a schedule of their own, and no page must be left without its styles.
EXEMPT = ("/health", "/metrics", "/static/", "/favicon.ico")
# The live page asks every few seconds; pages and the API do not use up each other's share.
PAGES = ("/live.json", "/incidents", "/sources", "/help", "/admin", "/docs", "/redoc", "/openapi")
PAGES_FACTOR = 6


@dataclass(frozen=True)
class Allowance:
    """Who is counted, in which bucket, at what rate."""

    bucket: str
    holder: str
    rate: str


@lru_cache(maxsize=64)
def _times(rate: str, factor: int) -> str:
    count, period = rate.split("/", 1)
    return f"{int(count) * factor}/{period}"


def _is_exempt(request: HttpRequest) -> bool:
    """Tell whether nobody is limited at this address.

    Metrics are costly, so they are limited behind a proxy; our own scraper asks directly.
    """
    path = request.path
    return path.startswith(EXEMPT) and not (path.startswith("/metrics") and was_handed_on(request))


def allowance(request: HttpRequest) -> Allowance | None:
    """Return what this request is counted against; None if it is not limited."""
    rate: str = settings.GUARDIAN_RATE_LIMIT
    unlimited = rate == "off"
    if (unlimited and not proves_itself(request.META)) or _is_exempt(request):
        return None
    key = machine(request)
    if key is not None:
        return Allowance("key", key.prefix, key.rate_limit) if key.rate_limit else None
    if unlimited:
        return None
    if request.path == "/" or request.path.startswith(PAGES):
        return Allowance("pages", neighbourhood(request), _times(rate, PAGES_FACTOR))
    return Allowance("api", neighbourhood(request), rate)


class RateLimit:
    """Counts each request once and answers 429 before anything else has been done for it."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        allowed = allowance(request)
        if allowed is None:
            return self.get_response(request)
        limit = int(allowed.rate.split("/", 1)[0])
        usage = self._count(request, allowed)
        if usage is not None and usage["should_limit"]:
            RATE_LIMITED.labels(allowed.bucket).inc()
            response = _refusal(request, max(1, int(usage["time_left"])))
        else:
            response = self.get_response(request)
        count, left = (usage["count"], usage["time_left"]) if usage else (0, 0)
        response["X-RateLimit-Limit"] = str(limit)
        response["X-RateLimit-Remaining"] = str(max(0, limit - count))
        response["X-RateLimit-Reset"] = str(int(time.time()) + max(0, left))
        return response

    @staticmethod
    def _count(request: HttpRequest, allowed: Allowance) -> dict[str, int] | None:
        try:
            usage: dict[str, int] | None = get_usage(
                request,
                group=allowed.bucket,
                key=lambda _group, _request: allowed.holder,
                rate=allowed.rate,
                increment=True,
            )
        except Exception:  # whatever a lost cache raises, it must not refuse a report
            logger.warning("The rate limit could not be counted; letting the request in.")
            return None
        return usage


def _refusal(request: HttpRequest, wait: int) -> HttpResponse:
    if wants_html(request):
        response = render(request, "too_many.html", {"wait": wait}, status=429)
    else:
        told = {
            "error": "Rate limit exceeded",
            "detail": f"Too many requests; try again in {wait} s.",
            "retry_after": wait,
        }
        response = JsonResponse(told, status=429)
    response["Retry-After"] = str(wait)
    return response
