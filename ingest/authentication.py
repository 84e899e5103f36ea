"""Who may report, and who may administer, at the doors of the API."""

from typing import Any

from django.conf import settings
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from ingest.services.keys import Authenticated, authenticate_key


def _let_in(request: Request) -> Any:
    """Return whom the rules of the site have let in; None where ingest stands alone."""
    return getattr(request._request, "identity", None)


def seen_sources(request: Request) -> frozenset[int] | None:
    """Return the ids of the sources that the caller may see; None is all of them."""
    known = _let_in(request)
    ids: frozenset[int] | None = None if known is None else known.source_ids
    return ids


class ApiKeyAuthentication(BaseAuthentication):
    """`X-API-Key: <secret>`; a wrong key is refused even where none is needed."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        known = _let_in(request)
        if known is not None:
            return (known.key or known.user, known.key) if known.key or known.user else None
        secret = request.META.get("HTTP_X_API_KEY")
        if secret is None:
            return None
        holder = authenticate_key(secret=secret)
        if holder is None:
            raise AuthenticationFailed("This API key is not valid, has expired or was revoked.")
        return holder, holder

    def authenticate_header(self, request: Request) -> str:
        return "X-API-Key"


class MayReport(BasePermission):
    """Anybody, unless GUARDIAN_REQUIRE_API_KEY is on: then the holder of a key."""

    message = "Send an API key in X-API-Key."

    def has_permission(self, request: Request, view: APIView) -> bool:
        if _let_in(request) is not None or not settings.GUARDIAN_REQUIRE_API_KEY:
            return True
        return isinstance(request.auth, Authenticated)


class MayAdminister(BasePermission):
    """A signed-in superuser or member of staff, or a key of the admin scope."""

    message = "Only an administrator may do this."

    def has_permission(self, request: Request, view: APIView) -> bool:
        if _let_in(request) is not None:
            return True
        if isinstance(request.auth, Authenticated):
            return request.auth.is_admin
        return bool(getattr(request.user, "is_active", False)) and bool(
            getattr(request.user, "is_staff", False)
        )
