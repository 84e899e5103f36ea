"""Who may read a page and who may act on one."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase


def may_read(user: User | AnonymousUser) -> bool:
    """Say whether `user` may see pages: anybody, unless reports need a key as well."""
    return user.is_authenticated or not settings.GUARDIAN_REQUIRE_API_KEY


def may_act(user: User | AnonymousUser) -> bool:
    """Say whether `user` may change an incident."""
    return user.is_active and user.is_staff and user.has_perm("alerts.change_incident")


def _wants_a_page(request: HttpRequest) -> bool:
    return "text/html" in request.headers.get("Accept", "")


def for_readers(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Let only readers in: people are asked to sign in, programs are told 401."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if may_read(request.user):
            return view(request, *args, **kwargs)
        if _wants_a_page(request):
            return redirect_to_login(request.get_full_path(), "login")
        return JsonResponse({"error": "Sign in to read this."}, status=401)

    return guarded


def for_operators(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Let only those in who may change an incident."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if may_act(request.user):
            return view(request, *args, **kwargs)
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect_to_login(request.get_full_path(), "login")

    return guarded
