"""Guardian as OAuth2 server for machines: RFC 6749 (4.4), 7009, 7662 and 8414.

The id of a client is the prefix of a key, its secret the key: one list of credentials for machines,
so that a key revoked there opens nothing here either.
"""

import base64
import binascii
from http import HTTPStatus
from urllib.parse import unquote_plus

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import QueryDict
from django.views.decorators.debug import sensitive_variables
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.parsers import FormParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from guardian_site.access.identity import KEY_START
from guardian_site.access.lifetimes import ACCESS_LIFETIME
from guardian_site.access.serializers import (
    ClientTokenBody,
    ClientTokenQuestion,
    IntrospectionBody,
    OAuthProblem,
    ServerMetadataBody,
    TokenQuestion,
)
from guardian_site.access.services.client_tokens import NotYours, issue_token, revoke_token
from guardian_site.access.services.introspecting import introspect_token
from guardian_site.web.strict_json import StrictJSON
from ingest.models import ApiKey
from ingest.services.keys import Authenticated, authenticate_key

GRANT = "client_credentials"
WAYS_TO_SHOW_A_KEY = ["client_secret_basic", "client_secret_post"]
# No cache may keep a token, or the reason why there is none.
UNKEPT = {"Cache-Control": "no-store", "Pragma": "no-cache"}
CHALLENGE = 'Basic realm="Transaction Guardian"'
REFUSALS = {400: OAuthProblem, 401: OAuthProblem, 415: OAuthProblem}


class Refused(Exception):
    """A request is refused by a word of the standard; the sentence is ours."""

    def __init__(self, error: str, why: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(why)
        self.error = error
        self.status = status


def _invalid_client(why: str = "Unknown client or wrong secret.") -> Refused:
    return Refused("invalid_client", why, HTTPStatus.UNAUTHORIZED)


def _told(refusal: Refused) -> Response:
    why = str(refusal)
    body = {"error": refusal.error, "error_description": why, "detail": why}
    headers = dict(UNKEPT)
    if refusal.status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = CHALLENGE
    return Response(body, refusal.status, headers=headers)


class _ClientView(APIView):
    """A route for clients, which show their key in the request itself."""

    authentication_classes = ()
    # The standard knows forms only; former clients send JSON.
    parser_classes = (FormParser, StrictJSON)

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, Refused):
            return _told(exc)
        if isinstance(exc, UnsupportedMediaType):
            status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
            return _told(Refused("invalid_request", "The parameters of a form are needed.", status))
        if isinstance(exc, ParseError | SuspiciousOperation):
            return _told(Refused("invalid_request", "The body cannot be read."))
        return super().handle_exception(exc)


class ClientTokenView(_ClientView):
    @extend_schema(
        operation_id="client_token",
        tags=["OAuth2 clients"],
        summary="Exchange a key for a token (RFC 6749, 4.4)",
        request=ClientTokenQuestion,
        responses={200: ClientTokenBody, **REFUSALS},
    )
    @sensitive_variables()
    def post(self, request: Request) -> Response:
        given = _parameters(request)
        holder = _client(request, given)
        grant = _needed(given, "grant_type")
        if grant != GRANT:
            raise Refused("unsupported_grant_type", f"The grant has to be {GRANT}.")
        wanted = frozenset(given.get("scope", "").split()) or holder.scopes
        if not wanted <= holder.scopes:
            raise Refused("invalid_scope", "The key may do less than that.")
        token = {
            "access_token": issue_token(holder=holder, scopes=wanted),
            "token_type": "bearer",
            "expires_in": int(ACCESS_LIFETIME.total_seconds()),
            "scope": " ".join(sorted(wanted)),
        }
        return Response(token, headers=UNKEPT)


class RevokeView(_ClientView):
    @extend_schema(
        operation_id="revoke_token",
        tags=["OAuth2 clients"],
        summary="Revoke a token (RFC 7009)",
        request=TokenQuestion,
        responses={200: None, **REFUSALS},
    )
    @sensitive_variables()
    def post(self, request: Request) -> Response:
        given = _parameters(request)
        holder = _client(request, given)
        token = _needed(given, "token")
        if token.startswith(KEY_START):
            # An answer of 200 would make the caller believe that the key is revoked.
            raise Refused("unsupported_token_type", "This is a key; an administrator revokes it.")
        try:
            revoke_token(token=token, holder=holder)
        except NotYours as refusal:
            raise Refused("invalid_grant", str(refusal)) from refusal
        return Response(headers=UNKEPT)


class IntrospectView(_ClientView):
    @extend_schema(
        operation_id="introspect_token",
        tags=["OAuth2 clients"],
        summary="Whether a token is still valid (RFC 7662)",
        request=TokenQuestion,
        responses={200: IntrospectionBody, **REFUSALS},
    )
    @sensitive_variables()
    def post(self, request: Request) -> Response:
        given = _parameters(request)
        holder = _client(request, given)
        found = introspect_token(token=_needed(given, "token"), holder=holder)
        return Response(found, headers=UNKEPT)


class ServerMetadataView(APIView):
    authentication_classes = ()

    @extend_schema(
        operation_id="server_metadata",
        tags=["OAuth2 clients"],
        summary="Where clients find the endpoints (RFC 8414)",
        responses=ServerMetadataBody,
    )
    def get(self, request: Request) -> Response:
        site = settings.GUARDIAN_URL
        endpoints = {
            f"{word}_endpoint": f"{site}/auth/{path}"
            for word, path in (
                ("token", "token"),
                ("revocation", "revoke"),
                ("introspection", "introspect"),
            )
        }
        ways = {f"{name}_auth_methods_supported": WAYS_TO_SHOW_A_KEY for name in endpoints}
        body = {
            "issuer": site,
            **endpoints,
            **ways,
            "grant_types_supported": [GRANT],
            # Nobody is sent to a page of ours to consent: there is no authorization endpoint.
            "response_types_supported": [],
            "scopes_supported": sorted(ApiKey.Scope.values),
            "service_documentation": f"{site}/docs",
        }
        return Response(body)


def _parameters(request: Request) -> dict[str, str]:
    """Return what was sent; a parameter without a value counts as left out (RFC 6749, 3.2)."""
    given = request.data
    if isinstance(given, QueryDict):
        if any(len(values) > 1 for _name, values in given.lists()):
            raise Refused("invalid_request", "A parameter stands there twice.")
        return {name: value for name, value in given.items() if isinstance(value, str) and value}
    if not isinstance(given, dict):
        raise Refused("invalid_request", "The parameters of a form are needed.")
    # If a list of scopes were ignored, the token would get all that the key may.
    if not isinstance(given.get("scope"), str | None):
        raise Refused("invalid_request", "The scope is not text: words apart by spaces.")
    return {name: value for name, value in given.items() if isinstance(value, str) and value}


def _needed(given: dict[str, str], name: str) -> str:
    if name not in given:
        raise Refused("invalid_request", f"The parameter {name} is missing.")
    return given[name]


@sensitive_variables()
def _client(request: Request, given: dict[str, str]) -> Authenticated:
    """Return the holder of the key that the client shows, in one of two ways but not in both."""
    header: str = request.META.get("HTTP_AUTHORIZATION", "")
    if header and "client_secret" in given:
        raise Refused("invalid_request", "One way to show the secret at a time.")
    name, secret = (
        _basic(header) if header else (given.get("client_id"), given.get("client_secret"))
    )
    if not name or not secret:
        raise _invalid_client("A client shows its id and its secret.")
    if given.get("client_id", name) != name:
        raise _invalid_client("The form names another client.")
    holder = authenticate_key(secret=secret)
    if holder is None or holder.prefix != name:
        raise _invalid_client()
    return holder


def _basic(header: str) -> tuple[str, str]:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        raise _invalid_client("A client shows its secret by Basic or in the form.")
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        raise _invalid_client() from None
    name, _, secret = decoded.partition(":")
    # Both are form-encoded within (RFC 6749, 2.3.1), which leaves characters of ours as they are.
    return unquote_plus(name), unquote_plus(secret)
