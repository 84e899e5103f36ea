"""Every request passes here once its route is known; here alone the rules are enforced."""

import logging
from collections.abc import Callable
from functools import cache
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.urls import ResolverMatch
from django.utils.http import url_has_allowed_host_and_scheme

from guardian_site.access.deciding import decide, is_open
from guardian_site.access.identity import Identity, identify
from guardian_site.access.rules import (
    PEOPLE_ADMINISTERING,
    SCRAPING,
    Opening,
    Rule,
    largest_body,
    methods_of,
    unnamed,
)
from guardian_site.web.chunks import comes_in_chunks, gather
from guardian_site.web.client_address import was_handed_on
from guardian_site.web.problems import wants_html
from guardian_site.web.programs import SAFE
from ingest.plain import plain
from ingest.services.proving import NotProven

Handler = Callable[[HttpRequest], HttpResponse]
View = Callable[..., HttpResponse]
logger = logging.getLogger(__name__)

# Needed at every request; looking it up in its class takes three times as long.
ALWAYS = Opening.ALWAYS
CHALLENGE = 'Bearer realm="Transaction Guardian"'


class _CsrfCheck(CsrfViewMiddleware):
    def _reject(self, request: HttpRequest, reason: str) -> str:
        return reason


def _no_response(request: HttpRequest) -> HttpResponse:
    raise AssertionError("the check of the CSRF token never calls on")


def openings() -> frozenset[Opening]:
    """Return what is open to anybody under the present settings."""
    return _openings(
        not settings.GUARDIAN_REQUIRE_API_KEY,
        settings.GUARDIAN_PUBLIC_READ,
        settings.GUARDIAN_PUBLIC_METRICS,
    )


@cache
def _openings(reporting: bool, reading: bool, metrics: bool) -> frozenset[Opening]:
    states = {
        Opening.ALWAYS: True,
        Opening.REPORTING: reporting,
        Opening.READING: reading,
        Opening.METRICS: metrics,
    }
    return frozenset(opening for opening, is_on in states.items() if is_on)


def openings_from_outside() -> frozenset[Opening]:
    """Return what is open to anybody behind a proxy: metrics only where reading is open, too."""
    stand_open = openings()
    return stand_open if Opening.READING in stand_open else stand_open - {Opening.METRICS}


def route_of(match: ResolverMatch) -> str:
    """Return the key under which a route stands in the rules: its name, else its pattern."""
    return match.view_name if match.url_name else unnamed(match.namespace, match.route)


def rule_for(route: str, method: str) -> Rule | None:
    """Return the rule of a route and method; None for a method that has none.

    A route that nobody wrote a rule for is for administrators, and fails a test.
    """
    methods = methods_of(route)
    if methods is None:
        return PEOPLE_ADMINISTERING
    if method == "OPTIONS":
        return next(iter(methods.values()))
    return methods.get("GET" if method == "HEAD" else method)


class RouteRules:
    """Enforces the rule of the route before the view runs."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: View, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        match = request.resolver_match
        if match is None:
            return None
        route, method = route_of(match), request.method or ""
        rule = rule_for(route, method)
        if rule is None:
            return _not_allowed(method, sorted(methods_of(route) or ()))
        return (
            _unreadable(request, route)
            or self._enforce(request, view, rule)
            or _too_many_chunks(request, route)
        )

    def _enforce(self, request: HttpRequest, view: View, rule: Rule) -> HttpResponse | None:
        # Where anybody may come in, an expired token is no hindrance: its holder may want another.
        if rule.opening is ALWAYS:
            return None
        try:
            identity = identify(request)
        except NotProven as refusal:
            return _unauthorised(str(refusal), "invalid_token")
        outside = rule is SCRAPING and was_handed_on(request)
        stand_open = openings_from_outside() if outside else openings()
        decision = decide(rule, identity.caller, stand_open)
        if not decision.allowed:
            return _refuse(request, identity, decision.status, decision.reason)
        to_all = is_open(rule, stand_open)
        if rule.whole and not to_all and identity.source_ids is not None:
            reason = "Permission denied. This needs access to every source."
            return _refuse(request, identity, HTTPStatus.FORBIDDEN, reason)
        if identity.by_session and not to_all:
            refusal_by_csrf = _csrf_refusal(request, view)
            if refusal_by_csrf is not None:
                return refusal_by_csrf
        if not identity.caller.known:
            # A page of somebody else's, whose host name was made to lead here (DNS rebinding), is
            # unknown too; its browser sends that name as Host, which raises here. On the short way
            # for reports nobody has looked at the Host before.
            request.get_host()
        remember(request, identity)
        return None


def _not_allowed(method: str, allowed: list[str]) -> HttpResponse:
    detail = f"{plain(method, 20)} is not possible here; use {' or '.join(allowed)}."
    response = JsonResponse({"detail": detail}, status=HTTPStatus.METHOD_NOT_ALLOWED)
    response["Allow"] = ", ".join(allowed)
    return response


def _unreadable(request: HttpRequest, route: str) -> HttpResponse | None:
    """Refuse a body whose declared length is too large, and NUL characters in the address."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > largest_body(route):
        return _too_large(route)
    if "\0" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
        return JsonResponse({"detail": "The address holds a NUL character."}, status=400)
    return None


def _too_many_chunks(request: HttpRequest, route: str) -> HttpResponse | None:
    """Refuse a body without a declared length that turns out too large while it is read."""
    if not comes_in_chunks(request.META) or gather(request, largest_body(route)):
        return None
    return _too_large(route)


def _too_large(route: str) -> HttpResponse:
    detail = f"The body must be at most {largest_body(route)} bytes."
    return JsonResponse({"detail": detail}, status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


def remember(request: HttpRequest, identity: Identity) -> None:
    """Put the identity where views, DRF and the audit find it."""
    request.identity = identity  # type: ignore[attr-defined]
    if identity.user is not None:
        request.user = identity.user


def _csrf_refusal(request: HttpRequest, view: View) -> HttpResponse | None:
    """Check the CSRF token for views that are exempt from Django's check; None if all is well."""
    if request.method in SAFE or not getattr(view, "csrf_exempt", False):
        return None
    check = _CsrfCheck(_no_response)
    check.process_request(request)
    reason = check.process_view(request, _no_response, (), {})
    if reason is None:
        return None
    return JsonResponse({"detail": f"CSRF failed: {reason}"}, status=HTTPStatus.FORBIDDEN)


def _page_of(request: HttpRequest) -> str:
    """Return the page to come back to after sign-in: the one asked for, or that sent the form."""
    if request.method in SAFE:
        return request.get_full_path()
    sender, here = request.headers.get("Referer", ""), {request.get_host()}
    if not url_has_allowed_host_and_scheme(sender, here, require_https=request.is_secure()):
        return "/"
    return urlsplit(sender)._replace(scheme="", netloc="").geturl()


def _refuse(
    request: HttpRequest, identity: Identity, status: HTTPStatus, reason: str
) -> HttpResponse:
    if status is HTTPStatus.UNAUTHORIZED:
        if wants_html(request):
            return redirect_to_login(_page_of(request))
        return _unauthorised(reason)
    name = plain(identity.caller.name)
    logger.warning("Refused %s %s to %s", request.method, plain(request.path), name)
    if wants_html(request):
        raise PermissionDenied(reason)
    response = JsonResponse({"detail": reason}, status=status)
    response["WWW-Authenticate"] = f'{CHALLENGE}, error="insufficient_scope"'
    return response


def _unauthorised(reason: str, error: str = "") -> HttpResponse:
    response = JsonResponse({"detail": reason}, status=HTTPStatus.UNAUTHORIZED)
    response["WWW-Authenticate"] = f'{CHALLENGE}, error="{error}"' if error else CHALLENGE
    return response
