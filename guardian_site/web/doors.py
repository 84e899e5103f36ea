"""A short way in for the two routes that take reports: only the middleware that they need.

Sessions, cookies, CSRF, messages and page headers cost more time than recording and judging a
report, and a report needs none of them. Routes, views and the rules of who may come in are the same
as on the long way.
"""

import time
from collections.abc import Callable, Iterable
from functools import cache
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.handlers.wsgi import WSGIHandler
from django.db import DEFAULT_DB_ALIAS, connections
from django.http import HttpRequest, HttpResponse
from django.template.response import SimpleTemplateResponse
from django.urls import ResolverMatch, get_resolver
from django.utils.log import log_response
from django_prometheus.middleware import Metrics

from guardian_site.web.utf8_request import Utf8Request

# Path -> name of its route, the label it has in the metrics.
DOORS = {"/transaction": "transaction", "/transactions/batch": "batch"}
MIDDLEWARE = [
    "guardian_site.web.request_ids.RequestIds",
    "guardian_site.web.doors.Measured",
    "guardian_site.web.rate_limit.RateLimit",
    "guardian_site.access.middleware.RouteRules",
]
# Only where GUARDIAN_HTTPS asks for it: elsewhere it would look at every report and do nothing.
SECURITY = "django.middleware.security.SecurityMiddleware"
NOBODY = AnonymousUser()
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class DoorHandler(WSGIHandler):
    """Django's handler with the short list of middleware and without its signals.

    Those signals serve pages: script prefixes, the log of queries, the closing of caches. The one
    thing that is needed here, giving back the database connection, `answer` does itself.
    """

    _middleware_chain: Callable[[HttpRequest], HttpResponse]
    _view_middleware: list[Callable[..., HttpResponse | None]]

    def load_middleware(self, is_async: bool = False) -> None:
        # Django reads the list from its settings only; this runs once, before the first request.
        everything, settings.MIDDLEWARE = settings.MIDDLEWARE, _middleware()
        try:
            super().load_middleware(is_async)
        finally:
            settings.MIDDLEWARE = everything

    def resolve_request(self, request: HttpRequest) -> ResolverMatch:
        """Return the view of the path, looked up once: it is the same at every request."""
        match = request.resolver_match = _match(request.path_info, settings.ROOT_URLCONF)
        return match

    def _get_response(self, request: HttpRequest) -> HttpResponse:
        """Ask the rules, then the view; these views need nothing else that Django does here."""
        match = self.resolve_request(request)
        for look in self._view_middleware:
            refusal: HttpResponse | None = look(request, match.func, match.args, match.kwargs)
            if refusal is not None:
                return refusal
        response: HttpResponse = match.func(request, *match.args, **match.kwargs)
        return response.render() if isinstance(response, SimpleTemplateResponse) else response

    def answer(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer a request; these views never stream."""
        request = Utf8Request(environ)
        # Django turns exceptions of middleware and views into responses: none is raised here.
        response = self._middleware_chain(request)
        mine = connections[DEFAULT_DB_ALIAS]
        if mine.connection is not None:
            mine.close_if_unusable_or_obsolete()
        if response.status_code >= HTTPStatus.BAD_REQUEST:
            told = (response.reason_phrase, request.path)
            log_response("%s: %s", *told, response=response, request=request)
        status = f"{response.status_code} {response.reason_phrase}"
        start_response(status, list(response.items()))
        return [response.content]


def _middleware() -> list[str]:
    if not (settings.SECURE_SSL_REDIRECT or settings.SECURE_HSTS_SECONDS):
        return MIDDLEWARE
    return [*MIDDLEWARE[:2], SECURITY, *MIDDLEWARE[2:]]


@cache
def _match(path: str, urlconf: str) -> ResolverMatch:
    return get_resolver(urlconf).resolve(path)


def with_doors(site: Application) -> Application:
    """Return an application that answers the doors itself and leaves the rest to `site`."""
    doors = DoorHandler()

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        # Cookies mean a signed-in person trying the API from a page: they need the long way.
        short = environ["PATH_INFO"] in DOORS and "HTTP_COOKIE" not in environ
        return (doors.answer if short else site)(environ, start_response)

    return application


class Measured:
    """Counts and times requests under the names that django-prometheus gives all others."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        request.user = NOBODY
        response = self.get_response(request)
        view, method = DOORS.get(request.path, "<unnamed view>"), request.method
        if method == "POST":
            _latency(view).observe(time.perf_counter() - started)
            _responses(view, response.status_code).inc()
        response["X-Content-Type-Options"] = "nosniff"
        return response


@cache
def _latency(view: str) -> Any:
    return Metrics.get_instance().requests_latency_by_view_method.labels(view=view, method="POST")


@cache
def _responses(view: str, status: int) -> Any:
    return Metrics.get_instance().responses_by_status_view_method.labels(
        status=str(status), view=view, method="POST"
    )
