"""Hands DRF the identity that the middleware found out before the view."""

from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from guardian_site.access.identity import Identity


class AlreadyIdentified(BaseAuthentication):
    """`request.user` is the person or the holder of the key; `request.auth` the holder alone."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        identity: Identity | None = getattr(request._request, "identity", None)
        if identity is None:
            return None
        if identity.key is not None:
            return identity.key, identity.key
        return (identity.user, None) if identity.user is not None else None

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="Transaction Guardian"'
