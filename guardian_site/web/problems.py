"""How a refusal is told: one form for programs, a page for people."""

import sys
from collections.abc import Iterator, Mapping
from typing import Any

from django.core.exceptions import DisallowedHost
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import Resolver404, is_valid_path
from django.utils.encoding import escape_uri_path
from django.views import defaults
from django.views.csrf import csrf_failure
from psycopg.errors import ReadOnlySqlTransaction
from rest_framework.exceptions import UnsupportedMediaType, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler

from ingest.parsing.bodies import wrong_type
from ingest.views import unavailable

NAMED_AT_MOST = 100
FOREIGN_HOST = (
    "Guardian is not served under the name in the Host header. Use one of its own names, send a "
    "key or a token, or have this name added to GUARDIAN_ALLOWED_HOSTS."
)
# Some HTTP libraries accept HTML as browsers do; the type of what they send tells them apart.
SENT_BY_PAGES = frozenset({"", "application/x-www-form-urlencoded", "multipart/form-data"})


def wants_html(request: HttpRequest) -> bool:
    """Tell whether a browser asks, on behalf of a person."""
    by_hand = request.content_type in SENT_BY_PAGES
    return by_hand and "text/html" in request.headers.get("Accept", "")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that could not be read: a page for people, JSON for programs."""
    foreign = isinstance(exception, DisallowedHost)
    if wants_html(request):
        page = "foreign_host.html" if foreign else "400.html"
        return defaults.bad_request(request, exception, template_name=page)
    if foreign:
        errors = [{"field": "Host", "message": FOREIGN_HOST}]
        return JsonResponse({"detail": FOREIGN_HOST, "errors": errors}, status=400)
    return JsonResponse({"detail": "This request could not be read."}, status=400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer somebody who lacks the permission."""
    if wants_html(request):
        return defaults.permission_denied(request, exception)
    detail = str(exception) or "You do not have permission to do that."
    return JsonResponse({"detail": detail}, status=403)


def not_from_here(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form that no page of ours has sent, or one that is too old."""
    if wants_html(request):
        return csrf_failure(request, reason)
    return JsonResponse({"detail": f"CSRF failed: {reason}"}, status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404, or redirect if the address lacks only a last slash or has one too many."""
    path = request.path_info
    beside = path.removesuffix("/") if path.endswith("/") else f"{path}/"
    if isinstance(exception, Resolver404) and is_valid_path(beside):
        # The former system redirected like this, and some of its clients add a slash.
        query = request.META.get("QUERY_STRING", "")
        address = escape_uri_path(beside) + (f"?{query}" if query else "")
        return HttpResponseRedirect(address, preserve_request=True)
    if wants_html(request):
        return defaults.page_not_found(request, exception)
    return JsonResponse({"detail": "Not found."}, status=404)


def broken(request: HttpRequest) -> HttpResponse:
    """Answer 500 without naming the cause, or 503 if the database is away or read-only."""
    if _is_away(sys.exception()):
        return _away(request)
    if wants_html(request):
        return defaults.server_error(request)
    return JsonResponse({"detail": "Something went wrong on our side; it was logged."}, status=500)


def _away(request: HttpRequest) -> HttpResponse:
    answer: HttpResponse = unavailable()
    if not wants_html(request):
        return answer
    page = defaults.server_error(request, template_name="503.html")
    page.status_code, page["Retry-After"] = answer.status_code, answer["Retry-After"]
    return page


def _is_away(error: BaseException | None) -> bool:
    read_only = isinstance(getattr(error, "__cause__", None), ReadOnlySqlTransaction)
    return read_only or isinstance(error, (OperationalError, InterfaceError))


def one_form(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer every refusal of the API as `{"detail": …, "errors": [{"field", "message"}]}`."""
    response = exception_handler(error, context)
    if response is not None and isinstance(error, UnsupportedMediaType):
        refusal = wrong_type(context["request"].content_type)
        errors = [{"field": one.field, "message": one.message} for one in refusal.errors]
        response.data = {"detail": refusal.detail, "errors": errors}
    if response is not None and isinstance(error, ValidationError):
        errors = list(_errors(error.detail, ""))[:NAMED_AT_MOST]
        response.data = {"detail": "Not every value is valid.", "errors": errors}
    return response


def _errors(detail: Any, field: str) -> Iterator[dict[str, str]]:
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            own = "" if name == "non_field_errors" else str(name)
            yield from _errors(inner, ".".join(part for part in (field, own) if part))
    elif isinstance(detail, list):
        for place, inner in enumerate(detail):
            nested = isinstance(inner, (Mapping, list))
            yield from _errors(inner, f"{field}[{place}]" if nested else field)
    else:
        yield {"field": field or "body", "message": str(detail)}
