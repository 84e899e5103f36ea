"""Signing in, going on, signing out, and who am I."""

import base64
import binascii
from http import HTTPStatus
from typing import Any

from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables
from drf_spectacular.utils import extend_schema
from rest_framework.parsers import FormParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from guardian_site.access.identity import Identity
from guardian_site.access.second_factor import passes_second_factor
from guardian_site.access.serializers import (
    ClientTokenBody,
    ClientTokenQuestion,
    LoginBody,
    MeBody,
    MessageBody,
    Problem,
    RefreshBody,
    TokenBody,
    person,
    token_body,
)
from guardian_site.access.services.signing_in import (
    TokenRefused,
    key_token,
    refresh_sign_in,
    sign_in,
    sign_out,
)
from guardian_site.access.tokens import ACCESS_LIFETIME
from guardian_site.middleware import client_address
from guardian_site.strict_json import StrictJSON
from ingest.services.keys import Authenticated, authenticate_key

CHALLENGE = 'Bearer realm="Transaction Guardian"'


def _refusal(detail: str, challenge: str = CHALLENGE, **more: Any) -> Response:
    body = {"detail": detail, **more}
    headers = {"WWW-Authenticate": challenge, "Cache-Control": "no-store"}
    return Response(body, status=HTTPStatus.UNAUTHORIZED, headers=headers)


def _tokens(body: dict[str, Any]) -> Response:
    return Response(body, headers={"Cache-Control": "no-store"})


class OpenView(APIView):
    """A door whose view itself asks for proof; what a browser sends along proves nothing here."""

    authentication_classes = ()


class LoginView(OpenView):
    @extend_schema(
        operation_id="login", request=LoginBody, responses={200: TokenBody, 401: Problem}, auth=[]
    )
    @sensitive_variables()
    def post(self, request: Request) -> Response:
        body = LoginBody(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        user = authenticate(_plain(request), username=given["username"], password=given["password"])
        if not isinstance(user, User):
            return _refusal("Invalid username or password")
        if not passes_second_factor(user=user, code=given.get("code", "")):
            return _refusal("The code of the second factor is needed.", code_required=True)
        address = client_address(_plain(request))
        return _tokens(token_body(sign_in(user=user, address=address, now=timezone.now())))


class RefreshView(OpenView):
    @extend_schema(operation_id="refresh", request=RefreshBody, responses=TokenBody, auth=[])
    def post(self, request: Request) -> Response:
        body = RefreshBody(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            pair = refresh_sign_in(token=body.validated_data["refresh_token"], now=timezone.now())
        except TokenRefused as refusal:
            return _refusal(str(refusal))
        return _tokens(token_body(pair))


class ClientTokenView(OpenView):
    """OAuth2 client credentials (RFC 6749, 4.4): the id is the prefix of a key, the secret the key.

    One list of credentials for machines, so that a key revoked there opens nothing here either.
    """

    parser_classes = (FormParser, StrictJSON)

    @extend_schema(
        operation_id="client_token", request=ClientTokenQuestion, responses=ClientTokenBody, auth=[]
    )
    def post(self, request: Request) -> Response:
        asked = ClientTokenQuestion(data=request.data)
        if not asked.is_valid():
            wrong = "unsupported_grant_type" if "grant_type" in asked.errors else "invalid_request"
            detail = f"Wrong or missing: {', '.join(sorted(asked.errors))}."
            return Response({"error": wrong, "detail": detail}, HTTPStatus.BAD_REQUEST)
        holder = _client(request, asked.validated_data)
        if holder is None:
            realm = 'Basic realm="Transaction Guardian"'
            return _refusal("Unknown client or wrong secret.", realm, error="invalid_client")
        wanted = frozenset(asked.validated_data.get("scope", "").split()) or holder.scopes
        if not wanted <= holder.scopes:
            body = {"error": "invalid_scope", "detail": "The key may do less than that."}
            return Response(body, HTTPStatus.BAD_REQUEST)
        return _tokens(
            {
                "access_token": key_token(holder=holder, scopes=wanted),
                "token_type": "bearer",
                "expires_in": int(ACCESS_LIFETIME.total_seconds()),
                "scope": " ".join(sorted(wanted)),
            }
        )


class LogoutView(APIView):
    @extend_schema(operation_id="logout", request=None, responses={200: MessageBody, 400: Problem})
    def post(self, request: Request) -> Response:
        identity: Identity = request._request.identity  # type: ignore[attr-defined]
        if identity.sign_in is None:
            detail = "Only a sign-in can be signed out; revoke a key instead."
            return Response({"detail": detail}, HTTPStatus.BAD_REQUEST)
        sign_out(sign_in_id=identity.sign_in, now=timezone.now())
        return Response({"message": "Signed out.", "user": identity.caller.name})


class MeView(APIView):
    @extend_schema(operation_id="me", responses=MeBody)
    def get(self, request: Request) -> Response:
        identity: Identity = request._request.identity  # type: ignore[attr-defined]
        return Response({"authenticated": True, "user": _self(identity)})


def _self(identity: Identity) -> dict[str, Any]:
    if identity.key is not None:
        return {
            "type": "api_key",
            "name": identity.key.name,
            "permissions": sorted(identity.key.scopes),
            "source": identity.key.source_name,
        }
    return {"type": "session" if identity.by_session else "jwt", **person(identity.user)}


def _client(request: Request, given: dict[str, Any]) -> Authenticated | None:
    name, secret = given.get("client_id", ""), given.get("client_secret", "")
    header: str = request.META.get("HTTP_AUTHORIZATION", "")
    if header[:6].lower() == "basic ":
        try:
            decoded = base64.b64decode(header[6:], validate=True).decode("ascii")
        except (binascii.Error, UnicodeDecodeError):
            return None
        name, _, secret = decoded.partition(":")
    holder = authenticate_key(secret=secret)
    return holder if holder is not None and holder.prefix == name else None


def _plain(request: Request) -> HttpRequest:
    return request._request
